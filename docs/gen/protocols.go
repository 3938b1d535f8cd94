package main

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/all"
)

// protocols returns what the reference describes: the registry.
func protocols() []protocol.Protocol { return all.Protocols() }
