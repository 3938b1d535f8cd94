package truth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

// Secrets that the client sends and the server answers; none may be found in anything that Sonde keeps or says. Visible stands in the same bodies, so
// that a search which finds nothing at all fails.
const (
	secretBearer   = "bEaReR-7f3c91d2e4"
	secretPassword = "hunter2-correct\"horse"
	secretQuery    = "qUeRy-token-55aa77"
	secretCookie   = "cOoKiE-99ffee11"
	secretAnswer   = "aNsWeR-session-31337"
	secretCard     = "4111 1111 1111 1111"
	visible        = "gift-wrapped-in-blue"
	slowAnswer     = 700 * time.Millisecond // the threshold is 500 ms
)

// serveContent answers /orders/… at once, /reports/… slowly, and refuses /login with an error that tells too much.
func serveContent(ctx context.Context, a Args) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/orders/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") })
	mux.HandleFunc("/reports/", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(slowAnswer)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"rows":17}`)
	})
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: secretCookie})
		body := fmt.Sprintf(`{"error":"no room for %s","session":{"id":%q}}`, visible, secretAnswer)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(http.StatusInternalServerError)
		http.NewResponseController(w).Flush() // many servers send the head by a call of its own
		fmt.Fprint(w, body)
	})
	srv := &http.Server{Addr: a.Addr, Handler: mux, Protocols: contentProtocols(a)}
	context.AfterFunc(ctx, func() { srv.Close() })
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// contentProtocols is HTTP/1 or, by the plan "http2", HTTP/2 without TLS.
func contentProtocols(a Args) *http.Protocols {
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(a.Plan == "http2")
	p.SetHTTP1(a.Plan != "http2")
	return p
}

// askContent makes some fine requests, a slow one and a failing one.
func askContent(a Args) error {
	c := &http.Client{Transport: &http.Transport{Protocols: contentProtocols(a)}}
	for i := range 20 {
		if err := say(c, http.MethodGet, fmt.Sprintf("http://%s/orders/%d", a.Addr, 8100+i), ""); err != nil {
			return err
		}
	}
	if err := say(c, http.MethodGet, "http://"+a.Addr+"/reports/4711?access_token="+url.QueryEscape(secretQuery)+"&year=2026", ""); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"user": "bob", "password": secretPassword, "note": visible, "paid_with": secretCard})
	if err != nil {
		return err
	}
	return say(c, http.MethodPost, "http://"+a.Addr+"/login", string(body))
}

func say(c *http.Client, method, address, body string) error {
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+secretBearer)
	req.Header.Set("Content-Type", "application/json")
	req.AddCookie(&http.Cookie{Name: "sid", Value: secretCookie})
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// contentSample is what is read of a sample, by the names of the documented API.
type contentSample struct {
	Service, Side, Peer, Protocol, Operation, Target, Status, Error, Request, Response string
	Duration                                                                           float64
	Slow, Failed                                                                       bool
}

type contentReply struct {
	Enabled bool
	Samples []contentSample
}

func samplesOf(t *testing.T, x *sut.Sonde, service string) (r contentReply) {
	t.Helper()
	if err := x.Get("/api/samples?service="+url.QueryEscape(service), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// Slow and failed requests are kept and say the right things; no secret in them is anywhere in what Sonde keeps or says, also not after it was killed.
func TestContent(t *testing.T) {
	for _, plan := range []string{"http1", "http2"} {
		t.Run(plan, func(t *testing.T) { testContent(t, plan) })
	}
}

func testContent(t *testing.T, plan string) {
	data := t.TempDir()
	x := startSonde(t, sut.Options{Data: data})
	id := fmt.Sprintf("c%d-%s", os.Getpid(), plan)
	client, service := id+"-client", id+"-server"
	a := Args{Addr: fmt.Sprintf("127.0.0.1:%d", freePort(t)), Plan: plan}
	s := startRole(t, service, "content-server", a)
	s.waitPort(t, "tcp", a.Addr)
	finished(t, startRole(t, client, "content-client", a))

	deadline := time.Now().Add(settleTimeout)
	for len(samplesOf(t, x, service).Samples) < 2 || len(samplesOf(t, x, client).Samples) < 2 {
		if time.Now().After(deadline) {
			t.Fatalf("samples of the server %+v, of the client %+v", samplesOf(t, x, service), samplesOf(t, x, client))
		}
		time.Sleep(200 * time.Millisecond)
	}
	for name, side := range map[string]string{service: "server", client: "client"} {
		checkSamples(t, samplesOf(t, x, name).Samples, plan, name, side, map[string]string{"server": client, "client": service}[side])
	}
	requireNoSecret(t, data, x)

	x.Kill()
	x = startSonde(t, sut.Options{Data: data, Args: []string{"--content=false"}})
	if r := samplesOf(t, x, service); r.Enabled || len(r.Samples) != 0 {
		t.Errorf("content is turned off, and yet %+v", r)
	}
	finished(t, startRole(t, client, "content-client", a))
	time.Sleep(3 * time.Second)
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
	x = startSonde(t, sut.Options{Data: data})
	if r := samplesOf(t, x, service); !r.Enabled || len(r.Samples) != 2 {
		t.Errorf("%d samples after a kill and a run without content, want the same two", len(r.Samples))
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
	requireNoSecret(t, data, x)
}

// checkSamples holds the two samples of one end against what the client did.
func checkSamples(t *testing.T, samples []contentSample, plan, service, side, peer string) {
	t.Helper()
	if len(samples) != 2 {
		t.Errorf("%s: %d samples, want one slow and one failed: %+v", service, len(samples), samples)
		return
	}
	failed, slow := samples[0], samples[1] // newest first
	version, fields, answer := "HTTP/1.1", []string{"Authorization: [redacted]", "Cookie: [redacted]"}, "Set-Cookie: [redacted]"
	if plan == "http2" { // of whose fields only the host is kept
		version, fields, answer = "HTTP/2", []string{"host: 127.0.0.1"}, "HTTP/2 500\n"
	}
	for _, s := range samples {
		if s.Service != service || s.Side != side || s.Peer != peer || s.Protocol != "http" {
			t.Errorf("%s: ends are wrong: %+v", service, s)
		}
		for _, want := range fields {
			if !strings.Contains(s.Request, want) {
				t.Errorf("%s: request lacks %q:\n%s", service, want, s.Request)
			}
		}
	}
	if !slow.Slow || slow.Failed || slow.Operation != "GET" || slow.Target != "/reports/{id}" || slow.Status != "200" || slow.Duration < slowAnswer.Seconds() ||
		slow.Duration > slowAnswer.Seconds()+1 || !strings.HasPrefix(slow.Request, "GET /reports/4711?access_token=[redacted]&year=2026 "+version+"\n") ||
		!strings.Contains(slow.Response, `{"rows":17}`) {
		t.Errorf("%s: slow one = %+v", service, slow)
	}
	if failed.Slow || !failed.Failed || failed.Operation != "POST" || failed.Target != "/login" || failed.Status != "500" || failed.Error != "500" ||
		!strings.Contains(failed.Request, `"user":"bob"`) || !strings.Contains(failed.Request, `"password":"[redacted]"`) || !strings.Contains(failed.Request, visible) ||
		!strings.Contains(failed.Response, visible) || !strings.Contains(failed.Response, `"session":[redacted]`) || !strings.Contains(failed.Response, answer) {
		t.Errorf("%s: failed one = %+v", service, failed)
	}
}

// requireNoSecret looks through every byte of the data directory, and at what Sonde wrote and answers.
func requireNoSecret(t *testing.T, data string, x *sut.Sonde) {
	t.Helper()
	places := map[string][]byte{"the output of Sonde": []byte(x.Output())}
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		places[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if x.Alive() {
		for _, path := range []string{"/metrics", "/api/samples", "/api/status", "/api/services"} {
			resp, err := http.Get(x.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			places[path], err = io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	found := false
	for where, b := range places {
		found = found || strings.HasPrefix(where, data) && bytes.Contains(b, []byte(visible))
		for _, secret := range []string{secretBearer, "hunter2", "correct", secretQuery, secretCookie, secretAnswer, secretCard} {
			if i := bytes.Index(b, []byte(secret)); i >= 0 {
				t.Errorf("%s holds %q: …%q…", where, secret, b[max(0, i-60):min(len(b), i+60)])
			}
		}
	}
	if !found {
		t.Errorf("%q is in no file under %s: this search would find no secret either", visible, data)
	}
}

// The body of an error is kept, in whatever calls and buffers its server sends it: the truth is what curl was told.
func TestErrorBodies(t *testing.T) {
	x := startSonde(t, sut.Options{})
	id := fmt.Sprintf("c%d-error", os.Getpid())
	for _, kind := range append(serverKinds(), "nginx", "http2") {
		t.Run(kind, func(t *testing.T) {
			service, client := id+"-"+kind, id+"-"+kind+"-client"
			var addr string
			version := "--http1.1"
			switch kind {
			case "nginx":
				s, _ := startNginx(t, service, "")
				addr = s.addr
			case "http2":
				addr, version = startHTTP2(t, service, "http2-server", Args{}).addr, "--http2-prior-knowledge"
			default:
				addr = startServer(t, kind, service).addr
			}
			p := start(t, client, nil, program(t, "curl"), "-s", version, "http://"+addr+"/fail")
			<-p.done
			body := strings.TrimSpace(p.stdout.String())
			if p.err != nil || body == "" {
				t.Fatalf("curl: %v: %q", p.err, p.stdout.String())
			}
			for _, service := range []string{service, client} {
				if said := firstSample(t, x, service).Response; !strings.Contains(strings.ReplaceAll(said, "\r\n", "\n"), strings.ReplaceAll(body, "\r\n", "\n")) {
					t.Errorf("%s: curl was told %q, Sonde has %q", service, body, said)
				}
			}
		})
	}
	t.Run("grpc", func(t *testing.T) {
		service, client := id+"-grpc", id+"-grpc-client"
		s := startHTTP2(t, service, "grpc-server", Args{})
		finished(t, startRole(t, client, "grpc-client", Args{Addr: s.addr, Requests: 1, Connections: 1}))
		firstSample(t, x, client)
		for _, got := range samplesOf(t, x, client).Samples {
			if got.Status == "NOT_FOUND" {
				if !strings.Contains(got.Response, "grpc-message: none") {
					t.Errorf("the server said %q, Sonde has %q", "none", got.Response)
				}
				return
			}
		}
		t.Error("no call that failed with NOT_FOUND is kept")
	})
	t.Run("request", func(t *testing.T) { // Python sends head and body by two calls
		const body = `{"order":"4711"}`
		service, client := id+"-asked", id+"-asking"
		host, port, _ := strings.Cut(startServer(t, "go", service).addr, ":")
		p := start(t, client, nil, program(t, "/usr/bin/python3", "python3"), "-c", fmt.Sprintf(
			"import http.client; c = http.client.HTTPConnection(%q, %s); c.request('POST', '/fail', body=b'%s', headers={'Content-Type': 'application/json'}); c.getresponse().read()", host, port, body))
		if <-p.done; p.err != nil {
			t.Fatalf("python: %v: %s", p.err, p.stderr.String())
		}
		for _, service := range []string{service, client} {
			if said := firstSample(t, x, service).Request; !strings.HasSuffix(said, body) {
				t.Errorf("%s: the request ends with %q, Sonde has %q", service, body, said)
			}
		}
	})
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
}

// firstSample waits for what is kept of a service. It is empty when nothing is.
func firstSample(t *testing.T, x *sut.Sonde, service string) contentSample {
	t.Helper()
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); pause() {
		if r := samplesOf(t, x, service); len(r.Samples) > 0 {
			return r.Samples[0]
		}
	}
	return contentSample{}
}
