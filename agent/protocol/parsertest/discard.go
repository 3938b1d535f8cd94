package parsertest

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// Discard is a sink that forgets, for benchmarks, and to embed in sinks that hear some of what is told.
type Discard struct{}

var _ protocol.Sink = Discard{}

// RequestBegin implements protocol.Sink, as do those below.
func (Discard) RequestBegin(uint64)                    {}
func (Discard) RequestHead(uint64, protocol.Request)   {}
func (Discard) RequestEnd(uint64, protocol.End)        {}
func (Discard) ResponseBegin(uint64)                   {}
func (Discard) ResponseHead(uint64, protocol.Response) {}
func (Discard) ResponseEnd(uint64, protocol.End)       {}
func (Discard) Opaque()                                {}
func (Discard) Lost(signal.Cause, uint64)              {}
