package dialect

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol/internal/ascii"
)

// Signs are what header fields say to the dialects, a bit for each fact, so that no value of a field is kept anywhere.
type Signs uint64

// The signs.
const (
	signTyped         Signs = 1 << iota // there is a Content-Type
	signJSON                            // it is JSON
	signLines                           // it is JSON line by line
	signEvents                          // it is text/event-stream
	signCoded                           // the body is compressed: nobody reads it
	signElastic                         // only clients of Elasticsearch send this
	signElasticServer                   // only Elasticsearch sends this
	signOpenSearch                      // only OpenSearch sends this
	signAnthropic                       // only clients of Anthropic's API send this
)

// field is a header field that says something.
type field struct {
	name string // lower case
	sign func(value []byte) Signs
}

// fields are all of them, by their first letters.
var fields = [...]field{
	{"accept", func(v []byte) Signs { return signsOfType(v) & signElastic }},
	{"authorization", signsOfAuthorization},
	{"anthropic-version", func([]byte) Signs { return signAnthropic }},
	{"content-type", signsOfType},
	{"content-encoding", signsOfCoding},
	{"x-amz-copy-source", func([]byte) Signs { return signCopy }},
	{"x-elastic-client-meta", func([]byte) Signs { return signElastic }},
	{"x-elastic-product", func(v []byte) Signs { return when(string(v) == "Elasticsearch", signElasticServer) }},
	{"x-opensearch-version", func([]byte) Signs { return signOpenSearch }},
}

// The positions behind the last field whose first letter is a, and c. The others begin with x.
const lastA, lastC = 3, 5

// FieldNames returns the names of the fields that say something, in lower case. The order is that of SignsOf.
func FieldNames() []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.name
	}
	return out
}

// SignsOf returns what the value of the field with an index in FieldNames says.
func SignsOf(i int, value []byte) Signs { return fields[i].sign(value) }

// SignsOfHead returns what the fields of a head of HTTP/1 say. The first line is none.
func SignsOfHead(head []byte) (s Signs) {
	for {
		i := bytes.IndexByte(head, '\n')
		if i < 0 {
			return s
		}
		head = head[i+1:]
		if len(head) > 0 {
			line, _, _ := bytes.Cut(head, []byte("\n"))
			s |= signsOfLine(line)
		}
	}
}

// signsOfLine returns what a field says, given as a line "name: value" with or without its CR. The byte behind the name is looked at
// first: it alone dismisses most.
func signsOfLine(line []byte) Signs {
	if len(line) == 0 {
		return 0
	}
	var some []field
	switch line[0] | 0x20 {
	case 'a':
		some = fields[:lastA]
	case 'c':
		some = fields[lastA:lastC]
	case 'x':
		some = fields[lastC:]
	}
	for i := range some {
		f := &some[i]
		if n := len(f.name); len(line) > n && line[n] == ':' && ascii.EqualFold(line[:n], f.name) {
			return f.sign(bytes.Trim(line[n+1:], " \t\r"))
		}
	}
	return 0
}

// SignsOfTarget returns what the query of a request target says, for who does not keep it until Begin.
func SignsOfTarget(target []byte) Signs {
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		return signsOfQuery(target[i+1:])
	}
	return 0
}

// signsOfType sorts a media type (RFC 9110 §8.3). Of a list, as in Accept, the first counts.
func signsOfType(v []byte) Signs {
	if i := bytes.IndexAny(v, ";,"); i >= 0 {
		v = bytes.TrimRight(v[:i], " \t")
	}
	switch s := signTyped; {
	case len(v) == 0:
		return 0
	case ascii.EqualFold(v, "application/json"), ascii.EqualFold(v, "application/graphql-response+json"), ascii.EqualFold(v, "application/graphql+json"):
		return s | signJSON
	case ascii.EqualFold(v, "application/vnd.elasticsearch+json"):
		return s | signJSON | signElastic
	case ascii.EqualFold(v, "application/vnd.elasticsearch+x-ndjson"):
		return s | signLines | signElastic
	case ascii.EqualFold(v, "application/x-ndjson"):
		return s | signLines
	case ascii.EqualFold(v, "text/event-stream"):
		return s | signEvents
	default:
		return s
	}
}

func signsOfCoding(v []byte) Signs {
	return when(len(v) > 0 && !ascii.EqualFold(v, "identity"), signCoded)
}

func when(is bool, s Signs) Signs {
	if is {
		return s
	}
	return 0
}
