package main

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/all"
)

// protocols returns what the reference describes: those of the registry that have metrics of their own.
func protocols() []protocol.Protocol { return all.Measured() }
