package truth

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// A dialectServer behaves like the APIs that are spoken inside HTTP, as far as their documentation says what is on the wire, and writes down what
// it was asked by what it does: that is the oracle. In a row, Method is "dialect operation", Route the target; the sums are
// tokens in and out.
type dialectServer struct {
	mu  sync.Mutex
	log wire.Log
}

func (s *dialectServer) did(what, target string, status int, in, out int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.AddRow(wire.Row{
		Key: wire.Key{Method: what, Route: target, Status: strconv.Itoa(status)},
		Sum: wire.Sum{N: 1, RequestBytes: in, ResponseBytes: out},
	})
}

// firstToken is how long a model takes to begin: the fastest need more.
const firstToken = 200 * time.Millisecond

func serveDialects(ctx context.Context, a Args) (*wire.Log, error) {
	l, err := net.Listen("tcp", a.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &dialectServer{}
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request, []byte){
		"POST /{index}/_search":     s.search,
		"PUT /orders/_doc/{id}":     s.index,
		"GET /orders/_doc/{id}":     s.get,
		"POST /_bulk":               s.bulk,
		"POST /graphql":             s.graphql,
		"POST /v1/chat/completions": s.chat,
		"POST /v1/embeddings":       s.embed,
		"POST /v1/messages":         s.messages,
		"POST /api/chat":            s.ollama,
		"PUT /photos/{key...}":      s.s3("PutObject", 200),
		"GET /photos/{key...}":      s.s3("GetObject", 404),
		"GET /photos/{$}":           s.s3("ListObjectsV2", 200),
		"GET /plain/{id}":           s.plain,
		"POST /users/search":        s.plain,
		"GET /api/v1/query":         s.plain,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			h(w, r, body)
		})
	}
	srv := &http.Server{Handler: mux, Protocols: &http.Protocols{}}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	context.AfterFunc(ctx, func() { srv.Close() })
	if a.TLS != "" {
		srv.ServeTLS(l, filepath.Join(a.TLS, "cert.pem"), filepath.Join(a.TLS, "key.pem"))
	} else {
		srv.Serve(l)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return &s.log, nil
}

func (s *dialectServer) elastic(w http.ResponseWriter, status int, body string) {
	w.Header().Set("X-elastic-product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/json")
	reply(w, status, []byte(body))
}

func (s *dialectServer) search(w http.ResponseWriter, r *http.Request, _ []byte) {
	index, _, _ := strings.Cut(r.PathValue("index"), "-")
	s.did("elasticsearch search", index+"-{date}", 200, 0, 0)
	s.elastic(w, 200, `{"took":1,"hits":{"total":0,"x":"`+strings.Repeat("h", rand.IntN(5000))+`"}}`)
}

func (s *dialectServer) index(w http.ResponseWriter, _ *http.Request, _ []byte) {
	s.did("elasticsearch index", "orders", 201, 0, 0)
	s.elastic(w, 201, `{"_index":"x","result":"created"}`)
}

func (s *dialectServer) get(w http.ResponseWriter, _ *http.Request, _ []byte) {
	s.did("elasticsearch get", "orders", 404, 0, 0)
	s.elastic(w, 404, `{"_index":"x","found":false}`)
}

func (s *dialectServer) bulk(w http.ResponseWriter, _ *http.Request, _ []byte) {
	s.did("elasticsearch bulk", "-", 200, 0, 0)
	s.elastic(w, 200, `{"errors":false,"took":3}`)
}

func (s *dialectServer) graphql(w http.ResponseWriter, _ *http.Request, body []byte) {
	var q struct{ Query, OperationName string }
	json.Unmarshal(body, &q)
	kind, _, _ := strings.Cut(q.Query, " ")
	s.did("graphql "+kind, q.OperationName, 200, 0, 0)
	w.Header().Set("Content-Type", "application/json")
	reply(w, 200, []byte(`{"data":{"x":"`+strings.Repeat("d", rand.IntN(3000))+`"}}`))
}

func (s *dialectServer) s3(operation string, status int) func(http.ResponseWriter, *http.Request, []byte) {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		s.did("s3 "+operation, "photos", status, 0, 0)
		w.Header().Set("Content-Type", "application/xml")
		reply(w, status, []byte("<x/>"))
	}
}

func (s *dialectServer) plain(w http.ResponseWriter, _ *http.Request, _ []byte) {
	w.Header().Set("Content-Type", "application/json")
	reply(w, 200, []byte(`{"took":1,"model":"x","usage":{"prompt_tokens":5}}`))
}

// asked is what the requests to models have in common.
type asked struct {
	Model   string
	Stream  bool
	Options struct {
		Usage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// tokens makes up how much an operation took.
func tokens() (in, out int64) { return 1 + rand.Int64N(100000), 1 + rand.Int64N(4000) }

func (s *dialectServer) chat(w http.ResponseWriter, r *http.Request, body []byte) {
	var q asked
	json.Unmarshal(body, &q)
	time.Sleep(firstToken)
	in, out := tokens()
	usage := fmt.Sprintf(`"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}`, in, out, in+out)
	switch {
	case q.Stream && !q.Options.Usage:
		s.did("openai unsaid", q.Model, 200, 0, 0)
		s.stream(w, `{"object":"chat.completion.chunk","choices":[{"delta":{"content":"word "}}]}`, "")
	case q.Stream:
		s.did("openai chat", q.Model, 200, in, out)
		s.stream(w, fmt.Sprintf(`{"object":"chat.completion.chunk","model":%q,"choices":[{"delta":{"content":"word "}}],"usage":null}`, q.Model),
			"data: {\"object\":\"chat.completion.chunk\",\"choices\":[],"+usage+"}\n\n")
	case r.Header.Get("Accept-Encoding") == "gzip":
		s.did("openai unseen", q.Model, 200, 0, 0)
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		fmt.Fprintf(z, `{"object":"chat.completion",%s}`, usage)
		z.Close()
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		reply(w, 200, b.Bytes())
	default:
		s.did("openai chat", q.Model, 200, in, out)
		w.Header().Set("Content-Type", "application/json")
		reply(w, 200, []byte(`{"object":"chat.completion","choices":[{"message":{"content":"`+strings.Repeat("word ", rand.IntN(5000))+`"}}],`+usage+`}`))
	}
}

// stream sends some events, each by itself, and the last ones.
func (s *dialectServer) stream(w http.ResponseWriter, event, last string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for range 20 + rand.IntN(20) {
		fmt.Fprintf(w, "data: %s\n\n", event)
		http.NewResponseController(w).Flush()
	}
	fmt.Fprintf(w, "%sdata: [DONE]\n\n", last)
}

func (s *dialectServer) embed(w http.ResponseWriter, _ *http.Request, body []byte) {
	var q asked
	json.Unmarshal(body, &q)
	time.Sleep(firstToken)
	in, _ := tokens()
	s.did("openai embeddings", q.Model, 200, in, 0)
	w.Header().Set("Content-Type", "application/json")
	numbers := strings.TrimSuffix(strings.Repeat("0.0123456,", 1536), ",")
	reply(w, 200, []byte(fmt.Sprintf(`{"object":"list","data":[{"embedding":[%s]}],"usage":{"prompt_tokens":%d,"total_tokens":%d}}`, numbers, in, in)))
}

func (s *dialectServer) messages(w http.ResponseWriter, _ *http.Request, body []byte) {
	var q asked
	json.Unmarshal(body, &q)
	time.Sleep(firstToken)
	in, out := tokens()
	s.did("anthropic chat", q.Model, 200, in+7, out)
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w).Flush
	fmt.Fprintf(w, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":%q,\"usage\":{\"input_tokens\":%d,\"cache_read_input_tokens\":7,\"output_tokens\":1}}}\n\n", q.Model, in)
	flush()
	for range 30 {
		fmt.Fprint(w, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"word\"}}\n\n")
		flush()
	}
	fmt.Fprintf(w, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":%d}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", out)
}

func (s *dialectServer) ollama(w http.ResponseWriter, _ *http.Request, body []byte) {
	var q asked
	json.Unmarshal(body, &q)
	time.Sleep(firstToken)
	in, out := tokens()
	s.did("ollama chat", q.Model, 200, in, out)
	w.Header().Set("Content-Type", "application/x-ndjson")
	for range 25 {
		fmt.Fprintf(w, "{\"model\":%q,\"created_at\":\"2026-11-21\",\"message\":{\"content\":\"word\"},\"done\":false}\n", q.Model)
		http.NewResponseController(w).Flush()
	}
	fmt.Fprintf(w, "{\"model\":%q,\"created_at\":\"2026-11-21\",\"done\":true,\"total_duration\":5,\"prompt_eval_count\":%d,\"eval_count\":%d}\n", q.Model, in, out)
}
