package query_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/server/query"
)

// check validates a decoded JSON value against a schema of the document: an independent reading of OpenAPI's rules.
func check(doc map[string]any, schema map[string]any, v any, where string) error {
	if ref, ok := schema["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/components/schemas/")
		return check(doc, doc["components"].(map[string]any)["schemas"].(map[string]any)[name].(map[string]any), v, where)
	}
	if any, ok := schema["anyOf"].([]any); ok {
		var err error
		for _, s := range any {
			if err = check(doc, s.(map[string]interface{}), v, where); err == nil {
				return nil
			}
		}
		return err
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, v) {
		return fmt.Errorf("%s: %v is not one of %v", where, v, enum)
	}
	wrong := fmt.Errorf("%s: %T is not %v", where, v, schema["type"])
	switch schema["type"] {
	case "null":
		if v != nil {
			return wrong
		}
	case "string":
		if _, ok := v.(string); !ok {
			return wrong
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return wrong
		}
	case "number", "integer":
		if _, ok := v.(float64); !ok {
			return wrong
		}
	case "array":
		all, ok := v.([]any)
		if !ok {
			return wrong
		}
		for i, x := range all {
			if err := check(doc, schema["items"].(map[string]any), x, fmt.Sprintf("%s[%d]", where, i)); err != nil {
				return err
			}
		}
	case "object":
		m, ok := v.(map[string]any)
		if !ok {
			return wrong
		}
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, ok := m[name.(string)]; !ok {
				return fmt.Errorf("%s: %v is missing", where, name)
			}
		}
		properties, _ := schema["properties"].(map[string]any)
		for name, x := range m {
			s, ok := properties[name].(map[string]any)
			if !ok {
				if s, ok = schema["additionalProperties"].(map[string]any); !ok {
					return fmt.Errorf("%s: %s is not described", where, name)
				}
			}
			if err := check(doc, s, x, where+"."+name); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("%s: unknown schema %v", where, schema)
	}
	return nil
}

func TestRepliesAreAsDocumented(t *testing.T) {
	w := shop(t)
	var doc map[string]any
	w.get("/api/openapi.json", &doc)
	if doc["openapi"] != "3.1.0" {
		t.Errorf("document %v", doc["openapi"])
	}
	for path, url := range map[string]string{
		"/api/services": "/api/services?start=now-1h", "/api/services/{name}": "/api/services/cart?start=now-1h", "/api/topology": "/api/topology",
		"/api/interfaces": "/api/interfaces?kind=http", "/api/status": "/api/status", "/api/samples": "/api/samples",
	} {
		var reply any
		if code := w.get(url, &reply); code != http.StatusOK {
			t.Errorf("GET %s = %d", url, code)
		}
		get := doc["paths"].(map[string]any)[path].(map[string]any)["get"].(map[string]any)
		content := get["responses"].(map[string]any)["200"].(map[string]any)["content"].(map[string]any)
		schema := content["application/json"].(map[string]any)["schema"].(map[string]any)
		if err := check(doc, schema, reply, path); err != nil {
			t.Error(err)
		}
	}
}

func TestEmptyStoreAnswersEmptyLists(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/api/services", "/api/topology", "/api/interfaces?kind=http,db", "/api/samples"} {
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code != http.StatusOK || strings.Contains(rec.Body.String(), "null") {
			t.Errorf("GET %s on an empty store = %d %s, want empty lists", path, rec.Code, rec.Body)
		}
	}
}

func TestHeadersAndCompression(t *testing.T) {
	w := shop(t)
	req := httptest.NewRequest(http.MethodGet, "/api/topology", nil)
	plain := httptest.NewRecorder()
	w.handler.ServeHTTP(plain, req)
	req.Header.Set("Accept-Encoding", "br;q=1, gzip;q=0.8")
	zipped := httptest.NewRecorder()
	w.handler.ServeHTTP(zipped, req)
	r, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(b, plain.Body.Bytes()) {
		t.Errorf("the compressed reply differs from the plain one: %v", err)
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Type": "application/json; charset=utf-8", "Content-Encoding": "gzip",
		"Access-Control-Allow-Origin": "", "Vary": "Accept-Encoding",
	} {
		if got := zipped.Header().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if csp := zipped.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'self'") {
		t.Errorf("Content-Security-Policy = %q", csp)
	}
	req.Header.Set("Accept-Encoding", "gzip;q=0")
	refused := httptest.NewRecorder()
	w.handler.ServeHTTP(refused, req)
	if refused.Header().Get("Content-Encoding") != "" {
		t.Error("compressed for a client that refuses gzip")
	}
}

type agent struct{}

func (agent) Status() query.StatusReply { return query.StatusReply{Version: "test", Tier: "socket"} }

func TestRoutes(t *testing.T) {
	w := newWorld(t)
	say := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
	}
	w.handler = query.NewHandler(config(), query.Deps{
		Store: w.store, Status: agent{}, Page: say("page"), Metrics: say("metrics"),
		Usage: func() query.StatusStore { return query.StatusStore{Series: 12} },
	})
	for path, want := range map[string]string{
		"/": "page", "/service/cart": "page", "/metrics": "metrics", "/healthz": "ok\n", "/api/v1/labels": `{"status":"success","data":[]}`,
	} {
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Body.String() != want {
			t.Errorf("GET %s = %q, want %q", path, rec.Body, want)
		}
	}
	var s query.StatusReply
	w.get("/api/status", &s)
	if s.Version != "test" || s.Store.Series != 12 || s.Now == 0 || s.Probes == nil || s.Lost == nil {
		t.Errorf("status %+v", s)
	}
}

func TestServeStopsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	w := newWorld(t)
	go func() { ended <- query.Serve(ctx, l, w.handler, time.Second) }()
	resp, err := http.Get("http://" + l.Addr().String() + "/api/services")
	if err != nil {
		t.Fatal(err)
	}
	var reply query.ServicesReply
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		t.Error(err)
	}
	resp.Body.Close()
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	case <-time.After(8 * time.Second):
		t.Error("Serve goes on after its context")
	}
}
