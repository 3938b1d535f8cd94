package parsertest

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// Deaf is a sink for benchmarks: it hears nothing.
type Deaf struct{}

var _ protocol.Sink = Deaf{}

// RequestBegin implements protocol.Sink.
func (Deaf) RequestBegin(uint64) {}

// RequestHead implements protocol.Sink.
func (Deaf) RequestHead(uint64, protocol.Request) {}

// RequestEnd implements protocol.Sink.
func (Deaf) RequestEnd(uint64, protocol.End) {}

// ResponseBegin implements protocol.Sink.
func (Deaf) ResponseBegin(uint64) {}

// ResponseHead implements protocol.Sink.
func (Deaf) ResponseHead(uint64, protocol.Response) {}

// ResponseEnd implements protocol.Sink.
func (Deaf) ResponseEnd(uint64, protocol.End) {}

// Opaque implements protocol.Sink.
func (Deaf) Opaque() {}

// Lost implements protocol.Sink.
func (Deaf) Lost(signal.Cause, uint64) {}
