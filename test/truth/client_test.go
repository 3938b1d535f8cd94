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
	"strings"
	"sync"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// A want is one request of the matrix that every server answers.
type want struct {
	method, path string
	body         int  // bytes
	chunked      bool // upload without a length
	expect       bool // ask before uploading
}

func matrix() []want {
	return []want{
		{method: "GET", path: "/hello"},
		{method: "GET", path: "/items/1"},
		{method: "GET", path: "/items/4711"},
		{method: "PUT", path: "/items/3", body: 200},
		{method: "POST", path: "/echo", body: 1000},
		{method: "POST", path: "/echo", body: 70000},
		{method: "POST", path: "/echo", body: 5000, chunked: true},
		{method: "POST", path: "/echo", body: 3000, expect: true},
		{method: "POST", path: "/echo"},
		{method: "GET", path: "/missing"},
		{method: "GET", path: "/fail"},
		{method: "DELETE", path: "/items/9"},
		{method: "GET", path: "/cached"},
		{method: "HEAD", path: "/hello"},
		{method: "GET", path: "/chunked"},
		{method: "GET", path: "/big"},
	}
}

// browse makes every request of the matrix, a.Requests times over, on a.Connections kept-alive connections at once; and
// once more with a connection for each request.
func browse(a Args) (*wire.Log, error) {
	d := &dialer{network: a.Network, addr: a.Addr, tls: a.TLS != ""}
	kept := &http.Transport{DialContext: d.dial, MaxIdleConnsPerHost: a.Connections, DisableCompression: true, ExpectContinueTimeout: 5 * time.Second}
	fresh := &http.Transport{DialContext: d.dial, DisableKeepAlives: true, DisableCompression: true, ExpectContinueTimeout: 5 * time.Second}
	errs := make(chan error, a.Connections)
	var wg sync.WaitGroup
	for range a.Connections {
		wg.Go(func() {
			for range a.Requests {
				for _, w := range matrix() {
					if err := w.ask(kept); err != nil {
						errs <- err
						return
					}
				}
			}
			for _, w := range matrix() {
				if err := w.ask(fresh); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	kept.CloseIdleConnections()
	select {
	case err := <-errs:
		return nil, err
	default:
	}
	return d.log()
}

func (w want) ask(tr *http.Transport) error {
	var body io.Reader = bytes.NewReader(bytes.Repeat([]byte("b"), w.body))
	if w.chunked {
		body = io.MultiReader(body) // hides the length
	}
	req, err := http.NewRequest(w.method, "http://truth"+w.path, body)
	if err != nil {
		return err
	}
	if w.body == 0 {
		req.Body = nil
	}
	if w.expect {
		req.Header.Set("Expect", "100-continue")
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", w.method, w.path, err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("%s %s: body: %w", w.method, w.path, err)
	}
	return nil
}

// A dialer records all its connections.
type dialer struct {
	network, addr string
	tls           bool
	mu            sync.Mutex
	conns         []*wire.Conn
}

func (d *dialer) dial(context.Context, string, string) (net.Conn, error) {
	c, err := net.Dial(d.network, d.addr)
	if err != nil {
		return nil, err
	}
	if d.tls {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	}
	r := wire.Record(c)
	d.mu.Lock()
	d.conns = append(d.conns, r)
	d.mu.Unlock()
	return r, nil
}

func (d *dialer) log() (*wire.Log, error) {
	l := &wire.Log{}
	for _, c := range d.conns {
		xs, err := c.Exchanges()
		if err != nil {
			return nil, err
		}
		for _, x := range xs {
			l.Add(x)
		}
	}
	return l, nil
}

// oldConnections opens connections and uses each once, says so, waits for a line, and only then begins to keep account.
func oldConnections(a Args) (*wire.Log, error) {
	d := &dialer{network: a.Network, addr: a.Addr, tls: a.TLS != ""}
	tr := &http.Transport{DialContext: d.dial, MaxIdleConnsPerHost: a.Connections, DisableCompression: true, ExpectContinueTimeout: 5 * time.Second}
	round := func(ws []want) error {
		var wg sync.WaitGroup
		errs := make([]error, a.Connections)
		for i := range a.Connections {
			wg.Go(func() {
				for _, w := range ws {
					if err := w.ask(tr); err != nil {
						errs[i] = err
					}
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := round([]want{{method: "GET", path: "/delay/1"}}); err != nil { // slow, so that each takes its own connection
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return nil, fmt.Errorf("wait for the word: %w", err)
	}
	before := len(d.conns)
	for _, c := range d.conns {
		c.Forget()
	}
	for range a.Requests {
		if err := round(matrix()); err != nil {
			return nil, err
		}
	}
	if len(d.conns) != before {
		return nil, fmt.Errorf("%d connections were opened anew: the old ones are to be used", len(d.conns)-before)
	}
	tr.CloseIdleConnections()
	return d.log()
}

// rawPlan does by hand what an HTTP library hides.
func rawPlan(a Args) (*wire.Log, error) {
	d := &dialer{network: a.Network, addr: a.Addr, tls: a.TLS != ""}
	get := func(path, version string) string {
		return "GET " + path + " HTTP/" + version + "\r\nHost: truth\r\n\r\n"
	}
	var turns []string // each on a connection of its own, each is what is written at once
	switch a.Plan {
	case "pipeline": // many requests in one write, and one request in many writes
		turns = []string{
			strings.Repeat(get("/hello", "1.1"), 20),
			get("/hello", "1.1") + get("/missing", "1.1") + get("/items/5", "1.1") + "HEAD /hello HTTP/1.1\r\nHost: truth\r\n\r\n" +
				"DELETE /items/6 HTTP/1.1\r\nHost: truth\r\n\r\n" + get("/fail", "1.1"),
			"POST /echo HTTP/1.1\r\nHost: truth\r\nContent-Length: 5\r\n\r\nfirst" + get("/hello", "1.1") +
				"POST /echo HTTP/1.1\r\nHost: truth\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n" + get("/items/8", "1.1"),
		}
	case "http10": // the length is the end of the connection
		turns = []string{get("/hello", "1.0"), get("/missing", "1.0"), get("/items/1", "1.0")}
	case "forms": // absolute form, empty lines before a request line, a query that must not be in the route, odd white space
		turns = []string{
			"GET http://truth/hello HTTP/1.1\r\nHost: truth\r\n\r\n",
			"\r\n" + get("/hello", "1.1"),
			get("/items/12?secret=1&x=%20y", "1.1"),
			"POST /echo HTTP/1.1\r\nhOsT:truth\r\nCONTENT-LENGTH:   4   \r\n\r\nfour",
		}
	default:
		return nil, fmt.Errorf("no plan %q", a.Plan)
	}
	for range a.Requests {
		for _, turn := range turns {
			for _, piece := range []int{len(turn), 7} {
				if err := d.turn(turn, piece); err != nil {
					return nil, err
				}
			}
		}
	}
	return d.log()
}

// turn writes text in pieces and reads until all responses are there.
func (d *dialer) turn(text string, piece int) error {
	c, err := d.dial(context.Background(), "", "")
	if err != nil {
		return err
	}
	defer c.Close()
	for i := 0; i < len(text); i += piece {
		if _, err := io.WriteString(c, text[i:min(i+piece, len(text))]); err != nil {
			return err
		}
	}
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil && err != io.EOF {
			return fmt.Errorf("wait for responses to %.60q: %w", text, err)
		}
		if _, whole := c.(*wire.Conn).Exchanges(); whole == nil && (n == 0 || !strings.Contains(text, "HTTP/1.0")) {
			return nil
		}
		if n == 0 {
			return fmt.Errorf("connection closed before all responses to %.60q", text)
		}
	}
}
