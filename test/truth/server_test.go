package truth

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// serve plays the truth server on net/http until it is told to end, and returns its own account of what crossed its
// sockets; with Plan "timed", how long it took for each request. The servers in testdata answer alike.
func serve(ctx context.Context, a Args) (*wire.Log, error) {
	if a.Network == "unix" {
		os.Remove(a.Addr)
	}
	l, err := net.Listen(a.Network, a.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if a.TLS != "" {
		cert, err := tls.LoadX509KeyPair(filepath.Join(a.TLS, "cert.pem"), filepath.Join(a.TLS, "key.pem"))
		if err != nil {
			return nil, fmt.Errorf("load certificate: %w", err)
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
	}
	rec := &recordingListener{Listener: l, on: a.Plan == "record"}
	var times timer
	handler := answer
	if a.Plan == "timed" {
		handler = func(w http.ResponseWriter, r *http.Request) {
			begin := time.Now()
			answer(w, r)
			times.since(begin)
		}
	}
	srv := &http.Server{Handler: http.HandlerFunc(handler)}
	context.AfterFunc(ctx, func() { srv.Close() })
	srv.Serve(rec)
	log := &wire.Log{Durations: times.all()}
	for _, c := range rec.conns {
		xs, err := c.Served()
		if err != nil {
			return nil, err
		}
		for _, x := range xs {
			log.Add(x)
		}
	}
	return log, nil
}

// delayLeast is what every request of /delay takes.
const delayLeast = 20 * time.Millisecond

func answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch p := r.URL.Path; {
	case p == "/hello":
		reply(w, 200, []byte("hello world\n"))
	case strings.HasPrefix(p, "/items/") && r.Method == "DELETE":
		w.WriteHeader(http.StatusNoContent)
	case strings.HasPrefix(p, "/items/"):
		reply(w, 200, []byte(`{"ok": true}`))
	case p == "/echo":
		reply(w, 200, body)
	case p == "/fail":
		reply(w, 500, []byte("broken"))
	case p == "/cached":
		w.WriteHeader(http.StatusNotModified)
	case p == "/big":
		reply(w, 200, bytes.Repeat([]byte("x"), 300000))
	case p == "/chunked":
		for range 5 {
			w.Write(bytes.Repeat([]byte("y"), 1000))
			http.NewResponseController(w).Flush()
		}
	case strings.HasPrefix(p, "/delay"):
		// From delayLeast on to 60 ms, and now and then 150 to 250: the tail that p99 is about.
		ms := float64(delayLeast.Milliseconds()) + 40*rand.Float64()*rand.Float64()
		if rand.IntN(20) == 0 {
			ms = 150 + 100*rand.Float64()
		}
		time.Sleep(time.Duration(ms * float64(time.Millisecond)))
		reply(w, 200, []byte("at last"))
	case strings.HasPrefix(p, "/word/"):
		reply(w, 200, []byte("ok"))
	default:
		reply(w, 404, []byte("nope"))
	}
}

func reply(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

// A recordingListener records every connection it accepts.
type recordingListener struct {
	net.Listener
	on    bool
	mu    sync.Mutex
	conns []*wire.Conn
}

func (l *recordingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil || !l.on {
		return c, err
	}
	r := wire.Record(c)
	l.mu.Lock()
	l.conns = append(l.conns, r)
	l.mu.Unlock()
	return r, nil
}
