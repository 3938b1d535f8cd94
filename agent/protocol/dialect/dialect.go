// Package dialect reads what is spoken inside HTTP: Elasticsearch and OpenSearch, GraphQL, S3, the APIs of language models.
//
// In: heads and bodies of HTTP messages, as the parsers of HTTP/1 and HTTP/2 come upon them. Out: the same exchange in the words of the
// dialect, a protocol.View. It must not know how HTTP is framed, nor connections.
//
// A dialect is one file that offers a begin function, and its line in dialects. It must claim nothing that a plain REST service may say:
// paths alone are not enough unless their grammar is peculiar, and what the request suggests, the response may refute.
package dialect

import (
	"bytes"
	"strings"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Request is what the head of a request says.
type Request struct {
	Method, Path, Host string
	// Query is without its question mark and valid during Begin only. It may be missing where Signs has what it says.
	Query []byte
	Signs Signs
}

// Reader follows one exchange. It keeps no content: names, numbers and what it must compare, all bounded.
type Reader interface {
	// Body takes the next bytes of a body, transfer coding removed.
	Body(dir protocol.Direction, b []byte)
	// Gap says that bytes of a body are missing here, or that it may be another's.
	Gap(dir protocol.Direction)
	// Response takes the head of the final response.
	Response(code int, signs Signs)
	// View returns what the exchange is as far as it is known, a new value each time; nil while or when it is nothing of this dialect. isOver: there will
	// be no more of the response.
	View(isOver bool) *protocol.View
	// Whole reports whether bodies matter so much that the connection should be copied whole.
	Whole() bool
}

// begin looks at the head of a request. It returns nil, the rule, when the dialect is not spoken.
type begin func(r Request) Reader

// dialects are asked in this order: those with the strongest evidence first.
var dialects = [...]begin{
	beginS3,
	beginAnthropic,
	beginOpenAI,
	beginOllama,
	beginGraphQL,
	beginElastic,
}

// Protocols returns the dialects for the registry. They recognise no connection.
func Protocols() []protocol.Protocol {
	return []protocol.Protocol{elasticsearch, opensearch, graphql, openai, anthropic, ollama, s3}
}

// MayBegin reports whether a request of HTTP/1 is worth being looked at by Begin: most are not, and this costs less.
func MayBegin(method, path string, head []byte) bool {
	return method == "POST" || strings.Contains(path, "/_") || isGraphQLPath(path) ||
		bytes.Contains(head, elasticWord) || bytes.Contains(head, signatureWord)
}

var (
	elasticWord   = []byte("lastic")           // in the names of clients' fields and media types
	signatureWord = []byte("AWS4-HMAC-SHA256") // of S3, in a field or in the query
)

// Begin returns the reader for an exchange, nil when it is plain HTTP.
func Begin(r Request) Reader {
	for _, b := range dialects {
		if d := b(r); d != nil {
			return d
		}
	}
	return nil
}
