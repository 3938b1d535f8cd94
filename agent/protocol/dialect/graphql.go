package dialect

import (
	"bytes"
	"strings"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// GraphQL over HTTP (graphql.org/learn/serving-over-http): POST with {"query": "…", "operationName": "…"}, or GET with the same in the
// query. It is what it says: the path must suggest it, and the text must be a document.

var graphql = &names{
	name: "graphql",
	semantics: protocol.Semantics{
		Kind:           protocol.KindRPC,
		ServerDuration: "graphql_server_operation_duration_seconds", ClientDuration: "graphql_client_operation_duration_seconds",
		OperationLabel: "graphql_operation_type", ServerTargetLabel: "graphql_operation_name", ClientTargetLabel: "graphql_operation_name",
		StatusLabel: "http_response_status_code",
	},
	reading: protocol.Reading{
		Read: []string{
			"the type and the name of the operation, from POST with JSON and from GET; of persisted queries the name",
			"batches (an array of requests) as one exchange: \"batch of \" and up to four names in the order of the alphabet, \"…\" for further ones; the " +
				"type where all have the same; of one that was not copied whole only that it is a batch",
			"errors in a response with the status 200 (`error_type` " + graphqlErrors + "), where their bytes were copied: of HTTP/1 that is the first KiB of the response",
			"paths whose last segment is gql or has graphql in it; query for POST",
		},
		NotRead: []string{
			"documents, variables, data: never kept", "how long each operation of a batch took", "uploads, WebSocket",
			"compressed bodies", "GET over HTTP/2", "names of which the request was not copied whole: the connection is copied whole from then on",
		},
	},
}

const graphqlErrors = "graphql_errors"

type graphqlReader struct {
	request, response scanner
	document          document
	named             name // operationName
	isPersisted       bool
	isOver            bool // the request was seen to its end
	isCut             bool // some of it is missing
	hasBody           bool // bytes of it were seen
	isReadable        bool // the response's body
	hasErrors         bool
	target            visited
	batch             *batch // nil for a single request
}

// visited is what the value being read is.
type visited uint8

const (
	visitedOther visited = iota
	visitedDocument
	visitedName
)

func beginGraphQL(r Request) Reader {
	if r.Method != "POST" && r.Method != "GET" || !isGraphQLPath(r.Path) {
		return nil
	}
	d := &graphqlReader{}
	if r.Method == "POST" {
		if r.Signs&signJSON == 0 || r.Signs&signCoded != 0 {
			return nil
		}
		d.request.visit = (*graphqlRequest)(d)
		return d
	}
	if len(r.Query) == 0 || strings.HasSuffix(r.Path, "/query") { // Prometheus, Loki and others answer there too
		return nil
	}
	d.readQuery(r.Query)
	d.hasBody, d.isOver = true, true
	return d
}

// isGraphQLPath looks at the last segment.
func isGraphQLPath(path string) bool {
	path = strings.TrimSuffix(path, "/")
	last := path[strings.LastIndexByte(path, '/')+1:]
	const longest = 64
	if len(last) < len("gql") || len(last) > longest {
		return false
	}
	if strings.EqualFold(last, "gql") || strings.EqualFold(last, "query") {
		return true
	}
	for i := 0; i+len("graphql") <= len(last); i++ {
		if strings.EqualFold(last[i:i+len("graphql")], "graphql") {
			return true
		}
	}
	return false
}

// readQuery reads the parameters of GET.
func (d *graphqlReader) readQuery(query []byte) {
	for len(query) > 0 {
		var item []byte
		item, query, _ = bytes.Cut(query, []byte("&"))
		key, value, _ := bytes.Cut(item, []byte("="))
		switch string(key) {
		case "query":
			unescape(value, d.document.read)
		case "operationName":
			unescape(value, d.named.addAll)
		case "extensions":
			d.isPersisted = bytes.Contains(value, []byte("persistedQuery"))
		}
	}
}

// unescape gives on what a parameter stands for, byte by byte (WHATWG URL, application/x-www-form-urlencoded).
func unescape(b []byte, to func([]byte)) {
	var one [1]byte
	for i := 0; i < len(b); i++ {
		one[0] = b[i]
		switch {
		case b[i] == '+':
			one[0] = ' '
		case b[i] == '%' && i+2 < len(b):
			one[0] = fromHex(b[i+1])<<4 | fromHex(b[i+2])
			i += 2
		}
		to(one[:])
	}
}

func fromHex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func (d *graphqlReader) Body(dir protocol.Direction, b []byte) {
	switch {
	case dir == protocol.FromServer && d.isReadable:
		d.response.read(b)
	case dir == protocol.ToServer && d.request.visit != nil:
		d.hasBody = true
		d.request.read(b)
	}
}

func (d *graphqlReader) Gap(dir protocol.Direction) {
	if dir == protocol.FromServer {
		d.response.state = scanLost
		return
	}
	d.request.state, d.isCut = scanLost, true
}

func (d *graphqlReader) Response(code int, signs Signs) {
	d.response.visit = (*graphqlResponse)(d)
	d.isReadable = signs&signJSON != 0 && signs&signCoded == 0
}

// Whole asks for requests that were not copied: many clients write head and body by one call in two pieces, of which only the head is.
func (d *graphqlReader) Whole() bool { return d.isCut && (!d.hasBody || d.isGraphQL()) }

func (d *graphqlReader) isGraphQL() bool {
	if d.batch != nil {
		return d.batch.isGraphQL(d)
	}
	return d.isRequest()
}

// isRequest reports whether the request being read, of a batch or alone, is of GraphQL.
func (d *graphqlReader) isRequest() bool {
	return d.document.isDocument() || d.isPersisted && isName(&d.named)
}

func (d *graphqlReader) View(bool) *protocol.View {
	if !d.isGraphQL() {
		return nil
	}
	v := &protocol.View{Protocol: graphql}
	if d.hasErrors {
		v.Failure = graphqlErrors
	}
	if d.batch != nil {
		v.Operation, v.Target = d.batch.describe(d.isOver)
	} else {
		v.Operation, v.Target = d.describe(d.isOver)
	}
	return v
}

// describe returns type and name of the operation that is asked for, "" where they are not known.
func (d *graphqlReader) describe(isOver bool) (kind, operation string) {
	ops := d.document.operations
	switch {
	case d.named.n > 0:
		for i := range ops {
			if ops[i].name.equals(&d.named) {
				kind = ops[i].kind
			}
		}
		if isName(&d.named) {
			operation = d.named.String()
		}
	case len(ops) == 1 && isOver: // without operationName there can be only one
		kind, operation = ops[0].kind, ops[0].name.String()
	}
	return kind, operation
}

// isName checks against the grammar: a client may send anything.
func isName(n *name) bool {
	for i, c := range n.b[:min(int(n.n), len(n.b))] {
		if c != '_' && !isLetter(c) && (!isDigit(c) || i == 0) {
			return false
		}
	}
	return n.n > 0
}

// graphqlRequest visits the body of a request.
type graphqlRequest graphqlReader

func (d *graphqlRequest) open(s *scanner, kind byte) bool {
	path := [3]string{}
	at := path[:0]
	switch {
	case s.depth == 0 && kind == '[':
		d.batch = &batch{}
		return false
	case d.batch != nil && s.depth == 1:
		d.batch.next((*graphqlReader)(d), kind == '{')
		return false
	case d.batch != nil:
		at = append(at, "")
	}
	switch {
	case kind == '"' && s.at(append(at, "query")...):
		d.target = visitedDocument
	case kind == '"' && s.at(append(at, "operationName")...):
		d.target, d.named = visitedName, name{}
	case kind == '{' && s.at(append(at, "extensions", "persistedQuery")...):
		d.isPersisted = true
		return false
	default:
		return false
	}
	return true
}

func (d *graphqlRequest) text(b []byte) {
	if d.target == visitedDocument {
		d.document.read(b)
	} else {
		d.named.addAll(b)
	}
}

func (d *graphqlRequest) shut() {}
func (d *graphqlRequest) end() {
	d.isOver = true
	if d.batch != nil {
		d.batch.take((*graphqlReader)(d))
	}
}

// graphqlResponse visits the body of a response.
type graphqlResponse graphqlReader

func (d *graphqlResponse) open(s *scanner, kind byte) bool {
	d.hasErrors = d.hasErrors || kind == '{' && (s.at("errors", "") || d.batch != nil && s.at("", "errors", ""))
	return false
}

func (d *graphqlResponse) text([]byte) {}
func (d *graphqlResponse) shut()       {}
func (d *graphqlResponse) end()        {}
