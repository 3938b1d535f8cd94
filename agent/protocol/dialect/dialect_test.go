package dialect_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// viewer is a sink that keeps the last view of each exchange.
type viewer struct {
	parsertest.Discard
	views map[uint64]*protocol.View
	ends  int
	whole bool
}

func (v *viewer) ResponseEnd(uint64, protocol.End)    { v.ends++ }
func (v *viewer) View(id uint64, view *protocol.View) { v.views[id] = view }
func (v *viewer) Whole()                              { v.whole = true }

func describe(v *protocol.View) string {
	if v == nil {
		return ""
	}
	s := fmt.Sprintf("%s %s %s", v.Protocol.Name(), orDash(v.Operation), orDash(v.Protocol.Semantics().TemplateOf(v.Target)))
	if v.Failure != "" {
		s += " " + v.Failure
	}
	if v.Counts != [protocol.MaxCounts]uint64{} {
		s += fmt.Sprint(" ", v.Counts)
	}
	return s
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// exchange is one request and its response over HTTP/1.
type exchange struct {
	name, request, fields, body string // "POST /graphql", further lines of its head
	response, reply             string // lines of the response's head after the first, its body; "" for no response at all
	status                      int    // 0 for 200
	want                        string
}

const (
	json = "Content-Type: application/json\r\n"
	es   = "X-elastic-product: Elasticsearch\r\nContent-Type: application/json\r\n"
)

// calls returns both messages as they are on the wire.
func (x *exchange) calls(isChunked bool) (request, response string) {
	head := x.request + " HTTP/1.1\r\nHost: localhost:9200\r\n" + x.fields
	request = head + framed(x.body, isChunked)
	if x.body == "" {
		request = head + "\r\n"
	}
	if x.response == "" {
		return request, ""
	}
	if x.status == 0 {
		x.status = 200
	}
	response = fmt.Sprintf("HTTP/1.1 %d X\r\n%s%s", x.status, x.response, framed(x.reply, isChunked))
	if strings.HasPrefix(x.request, "HEAD ") {
		response = fmt.Sprintf("HTTP/1.1 %d X\r\n%sContent-Length: 100\r\n\r\n", x.status, x.response)
	}
	return request, response
}

func framed(body string, isChunked bool) string {
	if !isChunked {
		return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	}
	var b strings.Builder
	b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
	for len(body) > 0 {
		n := min(len(body), 37)
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// play gives both messages to a parser in calls of at most n bytes.
func (x *exchange) play(n int, isChunked bool) *viewer {
	request, response := x.calls(isChunked)
	v := &viewer{views: map[uint64]*protocol.View{}}
	p := http1.Protocol{}.NewParser(protocol.Start{})
	for dir, text := range map[protocol.Direction]string{protocol.ToServer: request} {
		feed(p, dir, text, n, v)
	}
	feed(p, protocol.FromServer, response, n, v)
	return v
}

// playText gives a request to a parser.
func playText(request string) *viewer {
	v := &viewer{views: map[uint64]*protocol.View{}}
	feed(http1.Protocol{}.NewParser(protocol.Start{}), protocol.ToServer, request, len(request), v)
	return v
}

func feed(p protocol.Parser, dir protocol.Direction, text string, n int, v *viewer) {
	for len(text) > 0 {
		k := min(n, len(text))
		p.Data(dir, []byte(text[:k]), v)
		text = text[k:]
	}
}

func runTable(t *testing.T, table []exchange) {
	t.Helper()
	for _, x := range table {
		t.Run(x.name, func(t *testing.T) {
			for _, n := range []int{1 << 20, 1, 7, 100} {
				for _, isChunked := range []bool{false, true} {
					v := x.play(n, isChunked)
					if got := describe(v.views[1]); got != x.want {
						t.Fatalf("in calls of %d bytes, chunked %v: %s is %q, want %q", n, isChunked, x.request, got, x.want)
					}
					if x.response != "" && v.ends != 1 {
						t.Fatalf("in calls of %d bytes, chunked %v: %d responses ended", n, isChunked, v.ends)
					}
				}
			}
		})
	}
}

// Random requests of REST services are no dialect: words, ids and verbs as people name them, JSON of any kind.
func TestPlainServicesSpeakNoDialect(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"users", "orders", "v1", "v2", "api", "search", "_search1", "items", "42", "chat", "completions", "messages", "models", "images", "generate",
		"query", "reports", "_internal", "_health", "bulk", "count", "doc", "update", "logs-2026.11.21", "embeddings", "responses", "Patient", "s3", "bucket", "_config", "_next", "_all_docs", "graphql", "gql"}
	keys := []string{"query", "name", "model", "id", "messages", "prompt", "operation", "data", "text", "usage", "errors", "took", "input", "operationName"}
	values := []string{`"select 1"`, `"x"`, `17`, `true`, `null`, `{"a":[1,2,{"b":"c"}]}`, `[1,"2",{}]`, `"query things that matter"`, `"{\"a\":1}"`, `"{ job=\"x\" }"`}
	object := func() string {
		var ms []string
		for range r.IntN(5) {
			ms = append(ms, fmt.Sprintf("%q: %s", keys[r.IntN(len(keys))], values[r.IntN(len(values))]))
		}
		return "{" + strings.Join(ms, ", ") + "}"
	}
	types := []string{json, "Content-Type: application/x-www-form-urlencoded\r\n", "Content-Type: text/plain\r\n", "", "Content-Type: application/json; charset=utf-8\r\n"}
	for range 20000 {
		var path strings.Builder
		for range 1 + r.IntN(4) {
			path.WriteString("/" + words[r.IntN(len(words))])
		}
		method := []string{"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"}[r.IntN(6)]
		x := exchange{request: method + " " + path.String(), fields: types[r.IntN(len(types))], response: "Server: x\r\n" + types[r.IntN(len(types))], reply: object()}
		if r.IntN(2) == 0 {
			x.request += "?query=" + []string{"up", "%7Ba%3D%22b%22%7D", "{x=\"y\"}", "query+x", "a"}[r.IntN(5)]
		}
		if method == "POST" || method == "PUT" {
			x.body = object()
		}
		if got := describe(x.play(1<<20, false).views[1]); got != "" {
			t.Fatalf("%s with %s and %s is called %q", x.request, x.body, x.reply, got)
		}
	}
}
