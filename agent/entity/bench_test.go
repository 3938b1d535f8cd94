package entity

import (
	"net/netip"
	"testing"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

func BenchmarkOpenClose(b *testing.B) {
	f := newFakeProc(b)
	f.add(fake{pid: 1, start: 1, exe: "/bin/a", args: "a"})
	j := NewJoiner(f.config(), f.table(), func(Observation) {})
	open := &event.Event{Kind: event.Open, PID: 1, Open: event.OpenInfo{Remote: netip.MustParseAddrPort("198.51.100.7:80"),
		StartTime: second, Comm: "a", Role: event.RoleClient}}
	i := uint64(0)
	for b.Loop() {
		i++
		open.Conn, open.Time = i, i*1e6
		open.Open.Local = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 2}), uint16(i))
		j.HandleConn(open)
		j.HandleConn(&event.Event{Kind: event.Close, Time: open.Time, Conn: i})
		if i%1000 == 0 {
			j.Tick(open.Time)
		}
	}
}

func BenchmarkForkExecExitUnread(b *testing.B) {
	tb := newFakeProc(b).table()
	tb.cfg.MaxExecReads = 0
	tb.HandleProcess(execEvent(50, 1, 5, "/bin/bash", "bash"))
	i := 0
	for b.Loop() {
		pid, start := uint32(i%30000)+100, uint64(i/30000)+10
		tb.HandleProcess(forkEvent(pid, 50, start, "bash"))
		tb.HandleProcess(execEvent(pid, 50, start, "/usr/bin/curl", "curl http://x/"))
		tb.HandleProcess(exitEvent(pid, start, start))
		i++
	}
}
