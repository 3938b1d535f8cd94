package fastcgi

import "github.com/sonde-dev/sonde/agent/protocol"

// names remembers the strings of the last request of a connection: the next one mostly has the same, and then costs no allocation.
type names struct {
	path, script, host string
	attrHost           string
	attrs              []protocol.Attribute // shared by the requests that got it; never changed
}

func same(old *string, b []byte) string {
	if string(b) != *old {
		*old = string(b)
	}
	return *old
}

func (n *names) pathOf(b []byte) string   { return same(&n.path, b) }
func (n *names) scriptOf(b []byte) string { return same(&n.script, b) }
func (n *names) hostOf(b []byte) string   { return same(&n.host, b) }

func (n *names) attributes(host string) []protocol.Attribute {
	if host == "" {
		return nil
	}
	if n.attrs == nil || host != n.attrHost {
		n.attrHost, n.attrs = host, []protocol.Attribute{{Key: "server.address", Value: host}}
	}
	return n.attrs
}
