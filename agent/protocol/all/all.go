// Package all lists the protocols that Sonde knows.
//
// In: nothing. Out: the registry. A new protocol is one more line here; it must not need an edit anywhere else.
package all

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dubbo"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
	"github.com/sonde-dev/sonde/agent/protocol/kafka"
	"github.com/sonde-dev/sonde/agent/protocol/rocketmq"
	"github.com/sonde-dev/sonde/agent/protocol/thrift"
)

// Protocols returns the registry in order of recognition: the first that claims the bytes of a connection gets it.
func Protocols() []protocol.Protocol {
	return []protocol.Protocol{
		http1.Protocol{},
		kafka.Protocol{},
		rocketmq.Protocol{},
		dubbo.Protocol{},
		thrift.Protocol{},
	}
}
