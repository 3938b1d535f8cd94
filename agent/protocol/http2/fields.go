package http2

import (
	"bytes"
	"slices"

	"golang.org/x/net/http2/hpack"

	"github.com/sonde-dev/sonde/agent/protocol/dialect"
)

// fieldKind says which field a field is.
type fieldKind uint8

const (
	fieldOther fieldKind = iota
	fieldUnknown
	fieldAuthority
	fieldMethod
	fieldPath
	fieldScheme
	fieldStatus
	fieldContentType
	fieldHost
	fieldGRPCStatus
	fieldGRPCMessage
	fieldConnectVersion
	fieldSigns // and those above: dialect.FieldNames by their index
)

// fieldNames are the names to be found in literals, as they are and in Huffman's code (RFC 7541 §5.2), so that none is ever decoded.
var fieldNames = func() (names []fieldName) {
	for _, n := range []fieldName{
		{kind: fieldAuthority, name: ":authority"}, {kind: fieldMethod, name: ":method"}, {kind: fieldPath, name: ":path"},
		{kind: fieldScheme, name: ":scheme"}, {kind: fieldStatus, name: ":status"}, {kind: fieldContentType, name: "content-type"},
		{kind: fieldHost, name: "host"}, {kind: fieldGRPCStatus, name: "grpc-status"}, {kind: fieldGRPCMessage, name: "grpc-message"},
		{kind: fieldConnectVersion, name: "connect-protocol-version"},
	} {
		n.huffman = hpack.AppendHuffmanString(nil, n.name)
		names = append(names, n)
	}
	for i, name := range dialect.FieldNames() {
		if name != "content-type" {
			names = append(names, fieldName{fieldSigns + fieldKind(i), name, hpack.AppendHuffmanString(nil, name)})
		}
	}
	return names
}()

// signType is the index of content-type in dialect.FieldNames.
var signType = slices.Index(dialect.FieldNames(), "content-type")

type fieldName struct {
	kind    fieldKind
	name    string
	huffman []byte
}

func kindOf(name []byte, isHuffman bool) fieldKind {
	for i := range fieldNames {
		n := &fieldNames[i]
		if isHuffman && bytes.Equal(name, n.huffman) || !isHuffman && string(name) == n.name {
			return n.kind
		}
	}
	return fieldOther
}

// fields are what a field block says, "" for what it does not.
type fields struct {
	method, path, authority string
	query                   string // of the path, with its question mark
	status                  string
	content                 string // one of the media… constants
	grpcStatus              string
	grpcMessage             string // as on the wire
	isConnect               bool   // the Connect protocol, not the method
	hasScheme               bool
	hasUnknown              bool // some fields are not known: any that are missing here may be among them
	signs                   dialect.Signs
}

func (f *fields) set(e entry) {
	f.signs |= e.signs
	switch e.kind {
	case fieldUnknown:
		f.hasUnknown = true
	case fieldAuthority:
		f.authority = e.value
	case fieldHost:
		if f.authority == "" {
			f.authority = e.value
		}
	case fieldMethod:
		f.method = e.value
	case fieldPath:
		f.path, f.query = e.value, e.query
	case fieldScheme:
		f.hasScheme = true
	case fieldStatus:
		f.status = e.value
	case fieldContentType:
		f.content = e.value
	case fieldGRPCStatus:
		f.grpcStatus = e.value
	case fieldGRPCMessage:
		f.grpcMessage = e.value
	case fieldConnectVersion:
		f.isConnect = true
	}
}

// code returns the status as a number, 0 when there is none.
func (f *fields) code() int {
	if len(f.status) != 3 {
		return 0
	}
	return int(f.status[0]-'0')*100 + int(f.status[1]-'0')*10 + int(f.status[2]-'0')
}

// isInterim reports a 1xx response, after which the final one is still to come (RFC 9113 §8.1).
func (f *fields) isInterim() bool { return len(f.status) == 3 && f.status[0] == '1' }
