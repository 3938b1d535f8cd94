package truth

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/sonde-dev/sonde/test/wire"
)

// A dialectRequest is one request of those that dialectServer answers. %d is a number.
type dialectRequest struct {
	method, path, fields, body string // fields: "Name: value" in lines
}

const (
	jsonBody    = "Content-Type: application/json"
	signedForS3 = "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/x/s3/aws4_request, SignedHeaders=host, Signature=fe5f"
)

func dialectRequests() []dialectRequest {
	prompt := strings.Repeat("words and ", 300)
	return []dialectRequest{
		{"POST", "/orders-2026.11.%d/_search?size=1", jsonBody, `{"query":{"match_all":{}}}`},
		{"PUT", "/orders/_doc/%d", jsonBody, `{"a":1}`},
		{"GET", "/orders/_doc/%d", "", ""},
		{"POST", "/_bulk", "Content-Type: application/x-ndjson", "{\"index\":{\"_index\":\"a\"}}\n{\"b\":1}\n"},
		{"POST", "/graphql", jsonBody, `{"operationName":"GetCart","variables":{"n":%d},"query":"query GetCart($n: Int) { cart(n: $n) { id } }"}`},
		{"POST", "/graphql", jsonBody, `{"query":"mutation Pay { pay { id } }","operationName":"Pay"}`},
		{"PUT", "/photos/a/%d.jpg", signedForS3, strings.Repeat("x", 20000)},
		{"GET", "/photos/a/%d.jpg", signedForS3, ""},
		{"GET", "/photos/?list-type=2&prefix=a", signedForS3, ""},
		{"GET", "/plain/%d", "", ""},
		{"POST", "/users/search", jsonBody, `{"query":"name","model":"x","messages":[]}`},
		{"GET", "/api/v1/query?query=%%7Bjob%%3D%%22x%%22%%7D", "", ""},
		{"POST", "/v1/chat/completions", jsonBody, `{"model":"gpt-a","messages":[{"role":"user","content":"` + prompt + `"}]}`},
		{"POST", "/v1/chat/completions", jsonBody, `{"messages":[{"role":"user","content":"` + prompt + `"}],"stream":true,"stream_options":{"include_usage":true},"model":"gpt-b"}`},
		{"POST", "/v1/chat/completions", jsonBody, `{"model":"gpt-b","messages":[],"stream":true}`},
		{"POST", "/v1/chat/completions", jsonBody + "\nAccept-Encoding: gzip", `{"model":"gpt-a","messages":[]}`},
		{"POST", "/v1/embeddings", jsonBody, `{"model":"emb","input":["a","b"]}`},
		{"POST", "/v1/messages", jsonBody + "\nanthropic-version: 2023-06-01", `{"model":"claude-x","stream":true,"messages":[]}`},
		{"POST", "/api/chat", jsonBody, `{"model":"llama:8b","messages":[]}`},
	}
}

// speakDialects makes every request a.Requests times over on a.Connections connections at once, over HTTP/2 where the plan says so. The account has
// only how many there were.
func speakDialects(a Args) (*wire.Log, error) {
	errs := make(chan error, a.Connections)
	log := &wire.Log{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range a.Connections {
		wg.Go(func() {
			tr := &http.Transport{Protocols: &http.Protocols{}, DisableCompression: true} // one connection each
			defer tr.CloseIdleConnections()
			tr.Protocols.SetHTTP1(a.Plan != "http2")
			tr.Protocols.SetUnencryptedHTTP2(a.Plan == "http2")
			for i := range a.Requests {
				for _, q := range dialectRequests() {
					if err := q.ask(tr, a.Addr, i); err != nil {
						errs <- err
						return
					}
					mu.Lock()
					log.AddRow(wire.Row{Key: wire.Key{Method: q.method}, Sum: wire.Sum{N: 1}})
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return nil, err
	default:
		return log, nil
	}
}

func (q dialectRequest) ask(tr *http.Transport, addr string, i int) error {
	fill := func(s string) string {
		if strings.Contains(s, "%") {
			s = strings.ReplaceAll(strings.ReplaceAll(s, "%d", fmt.Sprintf("%02d", 10+i)), "%%", "%")
		}
		return s
	}
	req, err := http.NewRequest(q.method, "http://"+addr+fill(q.path), strings.NewReader(fill(q.body)))
	if err != nil {
		return err
	}
	if q.body == "" {
		req.Body = nil
	}
	for l := range strings.Lines(q.fields) {
		k, v, _ := strings.Cut(strings.TrimSpace(l), ": ")
		req.Header.Set(k, v)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", q.method, q.path, err)
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("%s %s: body: %w", q.method, q.path, err)
	}
	return nil
}
