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

// value returns what is kept of a field's value, of a path its query too, and what it says to the dialects; false when it cannot be decoded.
func (n *names) value(kind fieldKind, b []byte, isHuffman bool) (value, query string, signs dialect.Signs, ok bool) {
	if isHuffman {
		n.scratch = n.scratch[:0]
		if _, err := hpack.HuffmanDecode(&n.scratch, b); err != nil {
			return "", "", 0, false
		}
		b = n.scratch
		if cap(b) > 4096 {
			n.scratch = nil
		}
	}
	switch kind {
	case fieldMethod:
		return http1.Method(b), "", 0, true
	case fieldPath:
		path := http1.Path(b)
		if i := bytes.IndexByte(b, '?'); i >= 0 && n.keepsText {
			query = string(b[i:min(len(b), i+longestQuery)])
		}
		return n.path(path), query, dialect.SignsOfTarget(b), true
	case fieldAuthority, fieldHost:
		if b = http1.Host(b); string(b) != n.authority {
			return string(b), "", 0, true
		}
		return n.authority, "", 0, true
	case fieldStatus:
		return statusValue(b), "", 0, true
	case fieldContentType:
		return mediaOf(b), "", dialect.SignsOf(signType, b), true
	case fieldGRPCStatus:
		return grpcStatus(b), "", 0, true
	case fieldGRPCMessage:
		if !n.keepsText {
			return "", "", 0, true
		}
		return string(b[:min(len(b), longestMessage)]), "", 0, true
	}
	if kind >= fieldSigns {
		signs = dialect.SignsOf(int(kind-fieldSigns), b)
		clear(n.scratch) // it may be a secret
	}
	return "", "", signs, true
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
