package truth

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/http2"
	//lint:ignore SA1019 net/http does not upgrade, and clients still ask for it
	"golang.org/x/net/http2/h2c"

	"github.com/sonde-dev/sonde/test/wire"
)

// serveHTTP2 answers the matrix over HTTP/2; with the plan "upgrade" it takes the way from HTTP/1 too.
func serveHTTP2(ctx context.Context, a Args) (*wire.Log, error) {
	l, err := net.Listen("tcp", a.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(answer), Protocols: &http.Protocols{}}
	srv.Protocols.SetUnencryptedHTTP2(true)
	srv.Protocols.SetHTTP2(true)
	if a.Plan == "upgrade" {
		srv.Protocols = nil
		//lint:ignore SA1019 see above
		srv.Handler = h2c.NewHandler(srv.Handler, &http2.Server{})
	}
	context.AfterFunc(ctx, func() { srv.Close() })
	if a.TLS != "" {
		srv.ServeTLS(l, filepath.Join(a.TLS, "cert.pem"), filepath.Join(a.TLS, "key.pem"))
	} else {
		srv.Serve(l)
	}
	return &wire.Log{}, nil
}

// browseHTTP2 makes the requests of the matrix, a.Connections of them at once on one connection, and counts what it got. With the
// plan "old" it counts only what it does after a line on its standard input.
func browseHTTP2(a Args) (*wire.Log, error) {
	tr := &http.Transport{Protocols: &http.Protocols{}, DisableCompression: true, ExpectContinueTimeout: 5 * time.Second}
	tr.Protocols.SetUnencryptedHTTP2(a.TLS == "")
	tr.Protocols.SetHTTP2(a.TLS != "")
	tr.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	defer tr.CloseIdleConnections()
	log := &wire.Log{}
	if a.Plan == "old" {
		if err := roundHTTP2(tr, a, &wire.Log{}); err != nil {
			return nil, err
		}
		fmt.Fprintln(os.Stderr, "ready")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return nil, fmt.Errorf("wait for the word: %w", err)
		}
	}
	// Of a turn 256 KiB are copied until user space has said what the connection speaks: on a busy machine that takes a while.
	begin := time.Now()
	row, err := want{method: "GET", path: "/hello"}.askHTTP2(tr, a)
	if err != nil {
		return nil, err
	}
	log.Durations = append(log.Durations, time.Since(begin).Seconds())
	log.AddRow(row)
	time.Sleep(300 * time.Millisecond)
	for range a.Requests {
		if err := roundHTTP2(tr, a, log); err != nil {
			return nil, err
		}
	}
	return log, nil
}

func roundHTTP2(tr *http.Transport, a Args, log *wire.Log) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var first error
	for range a.Connections {
		wg.Go(func() {
			for _, w := range append(matrix(), want{method: "GET", path: "/delay"}) {
				begin := time.Now()
				row, err := w.askHTTP2(tr, a)
				took := time.Since(begin).Seconds()
				mu.Lock()
				log.Durations = append(log.Durations, took)
				if err != nil && first == nil {
					first = err
				}
				log.AddRow(row)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return first
}

func (w want) askHTTP2(tr *http.Transport, a Args) (row wire.Row, err error) {
	var body io.Reader
	if w.body > 0 {
		body = io.MultiReader(bytes.NewReader(bytes.Repeat([]byte("b"), w.body)))
	}
	scheme := "http://"
	if a.TLS != "" {
		scheme = "https://"
	}
	req, err := http.NewRequest(w.method, scheme+a.Addr+w.path, body)
	if err != nil {
		return row, err
	}
	if w.expect {
		req.Header.Set("Expect", "100-continue")
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return row, fmt.Errorf("%s %s: %w", w.method, w.path, err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if resp.ProtoMajor != 2 {
		err = fmt.Errorf("%s %s came over %s", w.method, w.path, resp.Proto)
	}
	return wire.Row{
		Key: wire.Key{Method: w.method, Route: wire.Route(w.path), Status: strconv.Itoa(resp.StatusCode)},
		Sum: wire.Sum{N: 1, RequestBytes: int64(w.body), ResponseBytes: n},
	}, err
}
