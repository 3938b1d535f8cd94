package http2

import (
	"bytes"

	"golang.org/x/net/http2/hpack"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dialect"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
)

// Names of OpenTelemetry's attribute registry.
const (
	attrServerAddress   = "server.address"
	attrProtocolVersion = "network.protocol.version"
	attrSystem          = "rpc.system.name"
	attrMethod          = "rpc.method"
)

const (
	rememberedPaths = 16
	longestPath     = 256 // worth remembering: 4 KiB at most
	longestMessage  = 1024
	longestQuery    = 1024
)

// names remembers strings of earlier requests: the next one mostly has the same, and then costs no allocation.
type names struct {
	scratch   scratch
	keepsText bool // that nobody needs but to be read by people
	paths     [rememberedPaths]string
	authority string
	attrs     []protocol.Attribute // of authority; shared by the requests that got it, never changed
}

// scratch holds a decoded string until the next one.
type scratch []byte

func (s *scratch) Write(b []byte) (int, error) {
	*s = append((*s)[:0], b...)
	return len(b), nil
}

// read keeps what counts of the value of a field whose kind is known; false when it cannot be decoded.
func (n *names) read(e *entry, b []byte, isHuffman bool) (ok bool) {
	if isHuffman {
		n.scratch = n.scratch[:0]
		if _, err := hpack.HuffmanDecode(&n.scratch, b); err != nil {
			return false
		}
		b = n.scratch
		if cap(b) > 4096 {
			n.scratch = nil
		}
	}
	switch e.kind {
	case fieldMethod:
		e.value = http1.Method(b)
	case fieldPath:
		e.value, e.signs = n.path(http1.Path(b)), dialect.SignsOfTarget(b)
		if i := bytes.IndexByte(b, '?'); i >= 0 && n.keepsText {
			e.query = string(b[i:min(len(b), i+longestQuery)])
		}
	case fieldAuthority, fieldHost:
		if b = http1.Host(b); string(b) != n.authority {
			e.value = string(b)
		} else {
			e.value = n.authority
		}
	case fieldStatus:
		e.value = statusValue(b)
	case fieldContentType:
		e.value, e.signs = mediaOf(b), dialect.SignsOf(signType, b)
	case fieldGRPCStatus:
		e.value = grpcStatus(b)
	case fieldGRPCMessage:
		if n.keepsText {
			e.value = string(b[:min(len(b), longestMessage)])
		}
	default:
		if e.kind >= fieldSigns {
			e.signs = dialect.SignsOf(int(e.kind-fieldSigns), b)
			clear(n.scratch) // it may be a secret
		}
	}
	return true
}

func (n *names) path(b []byte) string {
	if len(b) > longestPath {
		return string(b)
	}
	hash := uint32(2166136261) // FNV-1a
	for _, c := range b {
		hash = (hash ^ uint32(c)) * 16777619
	}
	s := &n.paths[(hash^hash>>16)%rememberedPaths]
	if *s != string(b) {
		*s = string(b)
	}
	return *s
}

// attributes names the host, where known, and the version.
func (n *names) attributes(authority string) []protocol.Attribute {
	if n.attrs == nil || n.authority != authority {
		n.authority = authority
		n.attrs = make([]protocol.Attribute, 0, 2)
		if authority != "" {
			n.attrs = append(n.attrs, protocol.Attribute{Key: attrServerAddress, Value: authority})
		}
		n.attrs = append(n.attrs, protocol.Attribute{Key: attrProtocolVersion, Value: "2"})
	}
	return n.attrs
}

// statusValue returns three digits from 100 to 599, "" for anything else.
func statusValue(b []byte) string {
	if len(b) != 3 || b[0] < '1' || b[0] > '5' || b[1]-'0' > 9 || b[2]-'0' > 9 {
		return ""
	}
	return http1.Response(int(b[0]-'0')*100 + int(b[1]-'0')*10 + int(b[2]-'0')).Status
}
