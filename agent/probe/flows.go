package probe

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/cilium/ebpf/link"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// flows is the iterator of bpf/flows.bpf.c; nil in the system-call tier, whose connections are not in socket storage.
type flows struct{ iter *link.Iter }

func openFlows(capture *collector, own *collector) (*flows, error) {
	it, err := link.AttachIter(link.IterOptions{Program: own.coll.Programs["flows"], Map: capture.coll.Maps["conns"]})
	if err != nil {
		return nil, fmt.Errorf("attach the iterator of connections: %w", err)
	}
	return &flows{iter: it}, nil
}

// Flows tells what each open TCP connection has moved so far. In the system-call tier there is nothing to tell before
// a connection closes.
func (p *Probe) Flows(yield func(conn uint64, t event.Transfer)) error {
	if p.flows == nil {
		return nil
	}
	r, err := p.flows.iter.Open()
	if err != nil {
		return fmt.Errorf("open the iterator of connections: %w", err)
	}
	defer r.Close()
	b := make([]byte, 512*flowSize)
	for n := 0; ; {
		k, err := r.Read(b[n:])
		n += k
		whole := n - n%flowSize
		for at := 0; at < whole; at += flowSize {
			yield(binary.LittleEndian.Uint64(b[at:]), transfer(b[at+8:]))
		}
		n = copy(b, b[whole:n])
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("read the iterator of connections: %w", err)
		}
	}
}
