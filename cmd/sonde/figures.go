package main

import (
	"fmt"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sonde-dev/sonde/agent/export"
	"github.com/sonde-dev/sonde/agent/probe"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/server/query"
	"github.com/sonde-dev/sonde/signal"
)

// roomFigures are what the rooms counted since the start. They are replaced whole, never changed.
type roomFigures struct {
	losses      signal.Losses
	events      byKind
	copied      uint64
	exchanges   uint64
	connections int
	refused     uint64 // exchanges without content for want of room
}

// processFigures are what was measured of Sonde's process and programs at one moment. Replaced whole, never changed.
type processFigures struct {
	at         time.Time
	cpu        time.Duration
	rss, heap  uint64
	collectors []probe.Info
	rooms      *roomFigures      // at that moment
	rates      query.StatusRates // since the moment before
	process    float64           // events per second of the process collector; the rest are of the capture
}

// measure looks at the process and the kernel side. It is called by the flushing goroutine.
func (a *agent) measure(now time.Time) {
	p := &processFigures{
		at: now, cpu: cpuTime(), rss: residentBytes(), heap: heapBytes(),
		collectors: a.probe.Collectors(), rooms: a.rooms.Load(),
	}
	if last := a.process.Load(); last != nil {
		seconds := now.Sub(last.at).Seconds()
		p.rates = rates(last.rooms, p.rooms, seconds)
		if seconds > 0 {
			p.process = float64(processEvents(p.rooms.events)-processEvents(last.rooms.events)) / seconds
		}
	}
	a.process.Store(p)
}

func rates(from, to *roomFigures, seconds float64) query.StatusRates {
	if seconds <= 0 {
		return query.StatusRates{}
	}
	return query.StatusRates{
		Events:    float64(total(to.events)-total(from.events)) / seconds,
		Exchanges: float64(to.exchanges-from.exchanges) / seconds,
		Bytes:     float64(to.copied-from.copied) / seconds,
	}
}

// bpfMemory is what the programs and maps take of the kernel's memory.
func (p *processFigures) bpfMemory() (n uint64) {
	for _, c := range p.collectors {
		n += c.MemoryBytes
	}
	return n
}

// selfStats are the agent's figures as series.
func (a *agent) selfStats() export.SelfStats {
	r, p := a.rooms.Load(), a.process.Load()
	tier, _ := a.probe.Tier()
	events := map[string]uint64{}
	for kind, n := range r.events {
		if n > 0 {
			events[event.Kind(kind).String()] = n
		}
	}
	return export.SelfStats{
		Version: version, Tier: string(tier), Kernel: kernelRelease(),
		Losses: r.losses, Events: events, CopiedBytes: r.copied, CPU: p.cpu,
		RSS: p.rss, MemoryLimit: uint64(a.cfg.MemoryLimit), BPFMemory: p.bpfMemory(), Heap: p.heap,
		Connections: r.connections, Processes: a.table.Processes(), Series: a.red.Stats().Series,
		Samples: a.sampleStats(r), Ignored: a.ignored.Count(),
	}
}

// Status answers /api/status; the store adds its own part.
func (a *agent) Status() query.StatusReply {
	r, p := a.rooms.Load(), a.process.Load()
	tier, reason := a.probe.Tier()
	reply := query.StatusReply{
		Version: version, Host: a.host, Kernel: kernelRelease(), StartedAt: unixSeconds(a.started), Now: unixSeconds(time.Now()),
		Tier: string(tier), TierReason: reason, FlushInterval: a.cfg.FlushInterval.Seconds(),
		Lost: map[string]float64{}, Rates: p.rates, CPUSeconds: p.cpu.Seconds(),
		Memory:      query.StatusMemory{RSS: float64(p.rss), Bound: float64(a.cfg.MemoryLimit), BPF: float64(p.bpfMemory()), Heap: float64(p.heap)},
		Connections: r.connections, Processes: a.table.Processes(), Selection: a.table.Selection().String(),
		Ignore: a.ignored.Rules().String(), Ignored: float64(a.ignored.Count()), Content: a.contentStatus(r),
	}
	for cause, n := range r.losses {
		reply.Lost[cause.String()] = float64(n)
	}
	for _, c := range p.collectors {
		status := probeStatus(c)
		switch c.Name {
		case "process":
			status.EventsPerSec = p.process
		case string(tier): // those of other collectors on connections are among them
			status.EventsPerSec = p.rates.Events - p.process
		}
		reply.Probes = append(reply.Probes, status)
	}
	return reply
}

// hooks say where the programs of each collector are attached.
func hooks(c probe.Info) string {
	if c.Name == "tls" {
		return fmt.Sprintf("reads and writes of TLS libraries, in %d files", c.Files)
	}
	return map[string]string{
		"process": "exec, fork and exit of processes",
		"socket":  "sends and receives on sockets, their beginning and end",
		"syscall": "exits of the system calls that move bytes, end of sockets",
	}[c.Name]
}

func probeStatus(c probe.Info) query.Probe {
	p := query.Probe{
		Name: c.Name, Detail: hooks(c), State: string(c.State), Programs: c.Programs, Runs: float64(c.Runs), Missed: float64(c.Missed),
		MemoryBytes: float64(c.MemoryBytes),
	}
	if c.Runs > 0 {
		p.NanosPerRun = float64(c.Nanos) / float64(c.Runs)
	}
	return p
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func kernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

func processEvents(events byKind) uint64 {
	return events[event.Exec] + events[event.Fork] + events[event.Exit]
}

func total(events byKind) (n uint64) {
	for _, c := range events {
		n += c
	}
	return n
}

func cpuTime() time.Duration {
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// residentBytes is VmRSS of proc_pid_status(5): it includes the mapped ring buffer.
func residentBytes() uint64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseUint(fields[0], 10, 64)
	return kib << 10
}

func heapBytes() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
