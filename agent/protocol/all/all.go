// Package all lists the protocols that Sonde knows.
//
// In: nothing. Out: the registry. A new protocol is one more line here; it must not need an edit anywhere else.
package all

import (
	"slices"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
	"github.com/sonde-dev/sonde/agent/protocol/http2"
)

// Protocols returns the registry in order of recognition: the first that claims the bytes of a connection gets it.
func Protocols() []protocol.Protocol {
	return []protocol.Protocol{
		http1.Protocol{},
		http2.Protocol{},
		http2.GRPC{}, // found inside HTTP/2; here for its names
	}
}

// Measured returns the protocols that have names of their own for what they measure: HTTP/2 bears those of HTTP/1.
func Measured() []protocol.Protocol {
	known := map[*protocol.Semantics]bool{}
	return slices.DeleteFunc(Protocols(), func(p protocol.Protocol) bool {
		s := p.Semantics()
		isKnown := known[s]
		known[s] = true
		return isKnown
	})
}
