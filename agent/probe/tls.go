package probe

import (
	"context"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"

	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/probe/tls"
)

// sharedWithTLS are the maps that the programs on TLS libraries have in common with the socket tier: selection, sessions, and the
// plain text's connections.
var sharedWithTLS = []string{
	"process_verdicts", "port_verdicts", "conn_verdicts", ".data", ".bss",
	"tls_threads", "tls_goroutines", "tls_sessions", "plain_conns",
}

// openTLS loads the programs on TLS libraries and probes what there is, where the kernel can do it.
func (p *Probe) openTLS(self uint32) error {
	if p.cfg.WithoutTLS || tlsSupported(p.tier) != nil {
		return nil
	}
	c, err := loadCollector("tls", p.cfg, p.capture, sharedWithTLS, variable{"self_tgid", self},
		variable{"request_bytes", p.cfg.RequestBytes}, variable{"response_bytes", p.cfg.ResponseBytes}, variable{"error_bytes", p.cfg.ErrorBytes})
	if err != nil {
		return fmt.Errorf("%w (with --tls=false Sonde runs without reading TLS)", err)
	}
	c.state = StateRunning
	p.collectors = append(p.collectors, c)
	p.tls = tls.New(tls.DefaultConfig, c.coll, p.capture.coll.Maps["tls_threads"], p.capture.coll.Variables["tls_probed"], p.log)
	c.files = p.tls.Files
	return p.tls.Start()
}

// tlsSupported asks whether the plain text of TLS can be read.
func tlsSupported(tier Tier) error {
	if tier != TierSocket {
		return fmt.Errorf("%w: it needs the socket tier", ErrUnsupported)
	}
	if err := features.HaveBPFLinkUprobeMulti(); err != nil {
		return fmt.Errorf("%w: no uprobe_multi: %w", ErrUnsupported, err)
	}
	return features.HaveMapType(ebpf.TaskStorage)
}

// tlsFeature says whether it can on this machine, in the tier that TierAuto takes.
func tlsFeature() error {
	tier, _, err := chooseTier(TierAuto)
	if err != nil {
		return err
	}
	return tlsSupported(tier)
}

// runTLS follows the processes in the background. The caller calls what it returns when no more events come.
func (p *Probe) runTLS(ctx context.Context) (wait func()) {
	if p.tls == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.tls.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// tellTLS passes on the life of processes.
func (p *Probe) tellTLS(ev *event.Event) {
	switch ev.Kind {
	case event.Exec:
		p.tls.OnExec(ev.PID)
	case event.Fork:
		p.tls.OnFork(ev.Process.ParentPID, ev.PID)
	case event.Exit:
		p.tls.OnExit(ev.PID)
	}
}

// OnTLS says that a process was seen to speak TLS, so that its libraries are looked at closely.
func (p *Probe) OnTLS(pid uint32) { p.tls.OnTLS(pid) }
