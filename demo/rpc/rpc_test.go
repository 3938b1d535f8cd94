package rpc

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const method = "shop.Fraud/Check"

func answer(m, message string) (string, Code) {
	switch {
	case m != method:
		return "", Unimplemented
	case message == "fail":
		return "", Unavailable
	}
	return strings.ToUpper(message), OK
}

func serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: Handler(answer), Protocols: Protocols(), ReadHeaderTimeout: time.Second}
	t.Cleanup(func() { srv.Close() })
	go srv.Serve(l)
	return l.Addr().String()
}

// TestServerAnswersGRPCGo has the usual Go client as its judge.
func TestServerAnswersGRPCGo(t *testing.T) {
	c, err := grpc.NewClient(serve(t), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		got := &wrapperspb.StringValue{}
		if err := c.Invoke(t.Context(), "/"+method, wrapperspb.String("hello"), got); err != nil || got.Value != "HELLO" {
			t.Errorf("Check = %q, %v", got.Value, err)
		}
		if err := c.Invoke(t.Context(), "/"+method, wrapperspb.String(""), got); err != nil || got.Value != "" {
			t.Errorf("Check of nothing = %q, %v", got.Value, err)
		}
		if err := c.Invoke(t.Context(), "/"+method, wrapperspb.String("fail"), got); status.Code(err) != codes.Unavailable {
			t.Errorf("Check: %v, want Unavailable", err)
		}
		if err := c.Invoke(t.Context(), "/shop.Fraud/None", wrapperspb.String(""), got); status.Code(err) != codes.Unimplemented {
			t.Errorf("None: %v, want Unimplemented", err)
		}
	}
}

func TestClient(t *testing.T) {
	addr := serve(t)
	c := NewClient()
	for _, tt := range []struct {
		method, message, answer string
		code                    Code
	}{{method, "hello", "HELLO", OK}, {method, "", "", OK}, {method, "fail", "", Unavailable}, {"shop.Fraud/None", "", "", Unimplemented}} {
		if got, code, err := c.Call(t.Context(), addr, tt.method, tt.message); got != tt.answer || code != tt.code || err != nil {
			t.Errorf("Call(%s, %q) = %q, %v, %v, want %q, %v", tt.method, tt.message, got, code, err, tt.answer, tt.code)
		}
	}
	if _, _, err := c.Call(t.Context(), "127.0.0.1:1", method, ""); err == nil {
		t.Error("Call to nobody: no error")
	}
}

func TestHandlerRefusesOthers(t *testing.T) {
	w := httptest.NewRecorder()
	Handler(answer).ServeHTTP(w, httptest.NewRequest("GET", "/"+method, nil))
	if w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("GET = %d, want 415", w.Code)
	}
	for _, b := range []string{"", "\x01\x00\x00\x00\x00", "\x00\x00\x00\x00\x05a", "\x00\x00\x00\x00\x02\x08\x01", "\x00\x00\x00\x00\x02\x0a\x09"} {
		if text, err := unframe([]byte(b)); err == nil {
			t.Errorf("unframe(%q) = %q, want an error", b, text)
		}
	}
}
