package http1

import "github.com/sonde-dev/sonde/agent/protocol"

// Names of OpenTelemetry's attribute registry.
const (
	attrServerAddress   = "server.address"
	attrProtocolVersion = "network.protocol.version"
)

// names remembers the strings of the last request of a connection: the next one mostly has the same, and then costs no
// allocation.
type names struct {
	lastPath  string
	lastHost  string
	lastMinor byte
	lastAttrs []protocol.Attribute // shared by the requests that got it; never changed
}

func (n *names) path(b []byte) string {
	if string(b) != n.lastPath {
		n.lastPath = string(b)
	}
	return n.lastPath
}

// attributes names the host and the version; an empty host or a zero minor is left out.
func (n *names) attributes(host []byte, minor byte) []protocol.Attribute {
	if n.lastAttrs != nil && string(host) == n.lastHost && minor == n.lastMinor {
		return n.lastAttrs
	}
	n.lastHost, n.lastMinor = string(host), minor
	n.lastAttrs = make([]protocol.Attribute, 0, 2)
	if len(host) > 0 {
		n.lastAttrs = append(n.lastAttrs, protocol.Attribute{Key: attrServerAddress, Value: n.lastHost})
	}
	switch minor {
	case 0:
	case '0':
		n.lastAttrs = append(n.lastAttrs, protocol.Attribute{Key: attrProtocolVersion, Value: "1.0"})
	default: // RFC 9110 §2.5: a higher minor version is spoken to as the highest known
		n.lastAttrs = append(n.lastAttrs, protocol.Attribute{Key: attrProtocolVersion, Value: "1.1"})
	}
	return n.lastAttrs
}
