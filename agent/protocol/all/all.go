// Package all lists the protocols that Sonde knows.
//
// In: nothing. Out: the registry. A new protocol is one more line here; it must not need an edit anywhere else.
package all

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/amqp"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
	"github.com/sonde-dev/sonde/agent/protocol/mongodb"
	"github.com/sonde-dev/sonde/agent/protocol/mqtt"
	"github.com/sonde-dev/sonde/agent/protocol/nats"
)

// Protocols returns the registry in order of recognition: the first that claims the bytes of a connection gets it.
func Protocols() []protocol.Protocol {
	return []protocol.Protocol{
		http1.Protocol{},
		amqp.Protocol{},
		mqtt.Protocol{},
		nats.Protocol{},
		mongodb.Protocol{},
	}
}
