package dns

import (
	"strconv"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// names remembers the strings of the last look-up of a connection: the next is often for the same name.
type names struct {
	name      string
	answers   string
	ttl       uint32
	attribute []protocol.Attribute // shared by the answers that got it; never changed
}

func (n *names) of(b []byte) string {
	if string(b) != n.name {
		n.name = string(b)
	}
	return n.name
}

func (n *names) addresses(b []byte, ttl uint32) []protocol.Attribute {
	if n.attribute == nil || string(b) != n.answers || ttl != n.ttl {
		n.answers, n.ttl = string(b), ttl
		n.attribute = []protocol.Attribute{
			{Key: AttrAnswers, Value: n.answers}, {Key: AttrTTL, Value: strconv.FormatUint(uint64(ttl), 10)},
		}
	}
	return n.attribute
}
