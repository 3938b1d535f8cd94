package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol/all"
	"github.com/sonde-dev/sonde/agent/replay"
	"github.com/sonde-dev/sonde/signal"
)

// told runs a capture and returns the lines written.
func told(t testing.TB, capture []byte, cfg Config) ([]line, signal.Losses, error) {
	t.Helper()
	source, err := replay.New(bytes.NewReader(capture))
	if err != nil {
		return nil, nil, err
	}
	var out bytes.Buffer
	write := Lines(&out)
	lost, err := Run(context.Background(), source, all.Protocols(), cfg, func(x *exchange.Exchange) {
		if err := write(x); err != nil {
			t.Error(err)
		}
	})
	var lines []line
	for d := json.NewDecoder(&out); ; {
		var l line
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines, lost, err
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// packet is one of a capture.
type packet struct {
	ci   gopacket.CaptureInfo
	data []byte
	tcp  *layers.TCP
}

func packets(t testing.TB, path string) (ps []packet) {
	t.Helper()
	r, err := pcapgo.NewReader(bytes.NewReader(read(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return ps
		} else if err != nil {
			t.Fatal(err)
		}
		tcp, _ := gopacket.NewPacket(b, r.LinkType(), gopacket.Lazy).TransportLayer().(*layers.TCP)
		ps = append(ps, packet{ci, b, tcp})
	}
}

func write(t testing.TB, ps []packet) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriterNanos(&out)
	if err := w.WriteFileHeader(1<<18, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		if err := w.WritePacket(p.ci, p.data); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// within renders what does not depend on time, connection by connection.
func within(lines []line) []string {
	var out []string
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%s %s %s %s %q %q %d %d %v", l.Client, l.Operation, l.Target, l.Template, l.Status, l.Error,
			l.RequestBytes, l.ResponseBytes, l.Partial))
	}
	slices.SortStableFunc(out, func(a, b string) int {
		return strings.Compare(a[:strings.IndexByte(a, ' ')], b[:strings.IndexByte(b, ' ')])
	})
	return out
}

var servers = Config{Server: true}

// What tshark says of the same capture is in testdata/http.txt.
func TestHTTPIsAsTsharkSays(t *testing.T) {
	got, lost, err := told(t, read(t, "testdata/http.pcap"), servers)
	if err != nil || len(lost) > 0 {
		t.Fatalf("lost %v, %v", lost, err)
	}
	slices.SortStableFunc(got, func(a, b line) int { return a.Client.Compare(b.Client) }) // ports were given in order
	n := 0
	for l := range strings.Lines(string(read(t, "testdata/http.txt"))) {
		f := strings.Split(strings.TrimRight(l, "\n"), " ")
		if f[0] == "#" {
			continue
		}
		if n == len(got) {
			t.Fatalf("%d requests, tshark has more", n)
		}
		g := got[n]
		n++
		method, uri, status, seconds, request, response := f[1], f[2], f[3], f[4], f[5], f[6]
		path, _, _ := strings.Cut(uri, "?")
		if g.Operation != method || g.Target != path || g.Status != strings.Trim(status, "-") || g.Partial {
			t.Errorf("got %+v, want %s", g, l)
		}
		if request != strconv.FormatUint(g.RequestBytes, 10) || response != "-" && response != strconv.FormatUint(g.ResponseBytes, 10) {
			t.Errorf("%d and %d bytes, want %s", g.RequestBytes, g.ResponseBytes, l)
		}
		// tshark counts from the end of a request.
		if d, err := strconv.ParseFloat(seconds, 64); err == nil && request == "0" {
			if diff := time.Duration(d*1e9) - time.Duration(g.Duration); diff.Abs() > 3*time.Microsecond {
				t.Errorf("took %v, want %s", time.Duration(g.Duration), l)
			}
		}
	}
	if n != len(got) {
		t.Errorf("%d requests, tshark has %d", len(got), n)
	}
	if last := got[len(got)-1]; last.Error != exchange.ErrorReset || last.Status != "" {
		t.Errorf("the request before the reset ended as %+v", last)
	}
}

// The same traffic recorded at the same time on all interfaces, in the other format and with the other first header.
func TestCookedCaptureIsTheSame(t *testing.T) {
	a, _, _ := told(t, read(t, "testdata/http.pcap"), servers)
	b, _, err := told(t, read(t, "testdata/http-any.pcapng"), servers)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(within(a), within(b)); diff != "" {
		t.Errorf("-lo +any:\n%s", diff)
	}
}

func TestSides(t *testing.T) {
	capture := read(t, "testdata/http.pcap")
	server, _, _ := told(t, capture, servers)
	client, _, _ := told(t, capture, Config{Client: true})
	both, _, _ := told(t, capture, Config{Client: true, Server: true})
	none, _, _ := told(t, capture, Config{Client: true, Only: []string{"smtp"}})
	if len(server) != 30 || len(client) != 30 || len(both) != 60 || len(none) != 0 {
		t.Fatalf("%d, %d, %d, %d lines", len(server), len(client), len(both), len(none))
	}
	for i, c := range client {
		s := server[i]
		if c.Status == "404" && c.Error == "404" && s.Error == "" {
			c.Error = ""
		}
		if c.Side, s.Side = "", ""; !cmp.Equal(c.Attributes, s.Attributes) || fmt.Sprint(c) != fmt.Sprint(s) {
			t.Errorf("client %+v\nserver %+v", c, s)
		}
	}
}

// Packets that come late or twice change nothing.
func TestDisorder(t *testing.T) {
	original := packets(t, "testdata/http.pcap")
	want, _, _ := told(t, write(t, original), servers)
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		ps := slices.Clone(original)
		mayMove := func(i int) bool { return !ps[i].tcp.SYN }
		for range 1 + r.IntN(80) {
			i := r.IntN(len(ps) - 6)
			j := i + 1 + r.IntN(5)
			switch {
			case r.IntN(3) == 0:
				ps = slices.Insert(ps, j, ps[i]) // a retransmission
			case !slices.ContainsFunc([]int{i, i + 1, i + 2, i + 3, i + 4, i + 5}, func(i int) bool { return !mayMove(i) }):
				p := ps[i]
				ps = slices.Insert(slices.Delete(ps, i, i+1), j, p)
			}
		}
		for i := range ps {
			ps[i].ci.Timestamp = original[0].ci.Timestamp.Add(time.Duration(i) * 100 * time.Microsecond)
		}
		got, lost, err := told(t, write(t, ps), servers)
		if err != nil || len(lost) > 0 {
			t.Errorf("seed %d: lost %v, %v", seed, lost, err)
		}
		if diff := cmp.Diff(within(want), within(got)); diff != "" {
			t.Fatalf("seed %d: -want +got:\n%s", seed, diff)
		}
	}
}

// Whatever a capture lacks, what is not partial is true, and nothing is told that was not there.
func TestIncomplete(t *testing.T) {
	original := packets(t, "testdata/http.pcap")
	whole, _, _ := told(t, write(t, original), servers)
	truth := map[string]int{}
	for _, l := range within(whole) {
		truth[l]++
	}
	check := func(name string, ps []packet) (complete int) {
		t.Helper()
		got, lost, err := told(t, write(t, ps), servers)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		left := map[string]int{}
		for l, n := range truth {
			left[l] = n
		}
		for i, l := range within(got) {
			if strings.HasSuffix(l, "true") {
				continue
			}
			complete++
			if left[l]--; left[l] < 0 {
				t.Errorf("%s: told %s, which is not true; lost %v (%d)", name, l, lost, i)
			}
		}
		if len(got) > len(whole) {
			t.Errorf("%s: %d requests of %d", name, len(got), len(whole))
		}
		return complete
	}
	for n := range original {
		check(fmt.Sprintf("from packet %d on", n+1), original[n:])
		check(fmt.Sprintf("up to packet %d", n), original[:n])
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		var ps []packet
		for _, p := range original {
			if r.IntN(20) > 0 {
				ps = append(ps, p)
			}
		}
		check(fmt.Sprintf("seed %d", seed), ps)
	}
	for cut := 60; cut < 1500; cut += 40 { // snap lengths
		ps := slices.Clone(original)
		for i := range ps {
			ps[i].ci.CaptureLength = min(ps[i].ci.CaptureLength, cut)
			ps[i].data = ps[i].data[:ps[i].ci.CaptureLength]
		}
		if n := check(fmt.Sprintf("first %d bytes of each packet", cut), ps); n < 10 && cut > 300 {
			t.Errorf("first %d bytes of each packet: %d complete requests", cut, n)
		}
	}
}

func TestCutFileTellsWhatItHas(t *testing.T) {
	capture := read(t, "testdata/http.pcap")
	got, _, err := told(t, capture[:len(capture)/2+1], servers)
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(got) < 5 {
		t.Errorf("%d lines, %v", len(got), err)
	}
}

func TestSummary(t *testing.T) {
	source, err := replay.New(bytes.NewReader(read(t, "testdata/http.pcap")))
	if err != nil {
		t.Fatal(err)
	}
	s := NewSummary()
	if _, err := Run(context.Background(), source, all.Protocols(), servers, s.Add); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := s.Write(&out); err != nil {
		t.Fatal(err)
	}
	var got []string
	for l := range strings.Lines(out.String()) {
		f := strings.Fields(l)
		got = append(got, strings.Join(slices.Delete(f, 7, 10), " "))
	}
	slices.Sort(got)
	// Counted by hand in testdata/http.txt; chunked bodies as on the wire.
	for _, want := range []string{
		"http server GET /p/{id} 200 5 0 0 12328",
		"http server GET /broken 500 3 3 0 5557",
		"http server PUT /items/{id} 200 2 0 2460 3691",
		"http server DELETE /missing/x 404 1 0 0 3013",
		"http server GET /slow/never - 1 1 0 0",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no row %q in\n%s", want, out.String())
		}
	}
	for _, r := range s.rows() {
		if r.template == "/p/{id}" && (quantile(r.duration, 0.01) > 420*time.Microsecond || quantile(r.duration, 0.01) < 400*time.Microsecond) {
			t.Errorf("the shortest of /p/{id} took %v, want 412 µs", quantile(r.duration, 0.01))
		}
	}
}
