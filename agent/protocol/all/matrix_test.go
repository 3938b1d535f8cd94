package all_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/all"
	"github.com/sonde-dev/sonde/agent/replay"
	"github.com/sonde-dev/sonde/signal"
)

// These tests hold the registry as a whole against all captures there are: those of agent/replay and those of each protocol. They
// know no protocol but by its folder, so that a new one is tested as soon as it is in the registry.

// owners says which protocols a folder of captures may be claimed by, where they are not of the folder's name.
var owners = map[string][]string{
	"http": {"http", "grpc"}, "http1": {"http"}, "http2": {"http", "grpc"}, "postgre": {"postgresql"}, "postgres": {"postgresql"},
	"mongo": {"mongodb"}, "web": {"http", "grpc", "websocket"},
}

func isOwner(p protocol.Protocol, folder string) bool {
	if names, ok := owners[folder]; ok {
		return slices.Contains(names, p.Name())
	}
	return p.Name() == folder
}

// capture is one file.
type capture struct {
	folder, path  string
	conversations []*replay.Conversation
}

func captures(t *testing.T) (all []capture) {
	t.Helper()
	var paths []string
	for _, glob := range []string{"../../replay/testdata/captures/*/*.pcap*", "../*/testdata/*.pcap*"} {
		found, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) < 25 {
		t.Fatalf("%d captures", len(paths))
	}
	for _, path := range paths {
		folder := filepath.Base(filepath.Dir(path))
		if folder == "testdata" {
			folder = filepath.Base(filepath.Dir(filepath.Dir(path)))
		}
		cs, err := replay.Conversations(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		all = append(all, capture{folder, path, cs})
	}
	return all
}

// recognize asks a protocol about a call.
func recognize(p protocol.Protocol, b []byte, isDatagram bool) protocol.Verdict {
	if !isDatagram {
		return p.Recognize(b)
	}
	if d, ok := p.(protocol.DatagramRecognizer); ok {
		return d.RecognizeDatagram(b)
	}
	return protocol.No
}

// No protocol claims any call of a connection that speaks another, however much of it was copied.
func TestNoProtocolClaimsAnothersCalls(t *testing.T) {
	for _, c := range captures(t) {
		for _, p := range all.Protocols() {
			if isOwner(p, c.folder) {
				continue
			}
			for _, conv := range c.conversations {
				for i, k := range conv.Calls {
					for _, n := range []int{len(k.Payload), 256, 64} {
						if n > len(k.Payload) {
							continue
						}
						if v := recognize(p, k.Payload[:n], conv.Datagrams); v == protocol.IsRequest || v == protocol.IsResponse {
							t.Errorf("%s: %s claims the first %d bytes of call %d: %q", c.path, p.Name(), n, i, k.Payload[:min(n, 40)])
						} else if v == protocol.Maybe && n > longestStart {
							t.Errorf("%s: %s cannot tell %d bytes of call %d: %q", c.path, p.Name(), n, i, k.Payload[:40])
						}
					}
				}
			}
		}
	}
}

// By what a new connection is recognised may come in pieces: no beginning of it is refused.
func TestNoBeginningIsRefused(t *testing.T) {
	found := map[string]int{}
	for _, c := range captures(t) {
		for _, p := range all.Protocols() {
			for _, conv := range c.conversations {
				if !isOwner(p, c.folder) || conv.Datagrams || !conv.Seen {
					continue
				}
				first := slices.IndexFunc(conv.Calls, func(k replay.Call) bool {
					v := p.Recognize(k.Payload)
					return v == protocol.IsRequest || v == protocol.IsResponse
				})
				if first < 0 {
					continue
				}
				found[p.Name()]++
				b := conv.Calls[first].Payload
				for n := 1; n < min(len(b), longestStart); n++ {
					if p.Recognize(b[:n]) == protocol.No {
						t.Errorf("%s: %s refuses the first %d bytes of call %d: %q", c.path, p.Name(), n, first, b[:n])
						break
					}
				}
			}
		}
	}
	if len(found) < 9 {
		t.Errorf("new connections of %v only", found)
	}
}

// longestStart is how many bytes a protocol may ask for before it knows.
const longestStart = 256

// What the engine makes of a capture is of its own protocol; and of each protocol that is in the registry, something is found.
func TestCapturesSpeakTheirOwnProtocol(t *testing.T) {
	found := map[string]int{}
	for _, c := range captures(t) {
		for i, conv := range c.conversations {
			told, _ := play(conv, whole(conv), func(x *exchange.Exchange) {
				if !isOwner(x.Protocol, c.folder) {
					t.Errorf("%s: connection %d: %s %s %s %s", c.path, i, x.Protocol.Name(), x.Operation, x.Target, x.Status)
				}
			})
			found[c.folder] += len(told)
		}
	}
	for _, c := range captures(t) {
		if found[c.folder] == 0 && slices.ContainsFunc(all.Protocols(), func(p protocol.Protocol) bool { return isOwner(p, c.folder) }) {
			t.Errorf("%s: nothing is found in the captures of %s", c.path, c.folder)
		}
	}
}

// scene is a connection, or what is left of one.
type scene struct {
	calls    []replay.Call
	isSeen   bool            // from its first byte on
	isOpen   bool            // its end is not reported
	forgot   bool            // whole calls are missing
	missing  map[bool]uint32 // bytes lost at the end, by FromClient
	whatever string
}

func whole(conv *replay.Conversation) scene { return scene{calls: conv.Calls, isSeen: conv.Seen} }

// play runs the calls of a connection as its client saw them, and renders what came out, in any order.
func play(conv *replay.Conversation, s scene, out func(*exchange.Exchange)) ([]string, signal.Losses) {
	var told []string
	e := exchange.New(exchange.DefaultConfig, all.Protocols(), func(x *exchange.Exchange) {
		if out != nil {
			out(x)
		}
		line := fmt.Sprintf("%s %s %s %q %q %d %d %v", x.Protocol.Name(), x.Operation, x.Target, x.Status, x.Error, x.RequestBytes, x.ResponseBytes, x.Counts)
		if x.Partial {
			line += " partial"
		}
		told = append(told, line)
	}, nil)
	role := event.RoleUnknown
	if s.isSeen {
		role = event.RoleClient
	}
	now := uint64(1e9)
	e.Handle(&event.Event{Kind: event.Open, Time: now, Conn: 1, PID: 1, Open: event.OpenInfo{
		Role: role, Seen: s.isSeen || conv.Datagrams, Datagrams: conv.Datagrams, HasPositions: true,
	}})
	var next [2]uint32
	for _, k := range s.calls {
		now += 1e6
		dir := event.Ingress
		if k.FromClient {
			dir = event.Egress
		}
		next[dir] += k.Missing
		if k.Len > 0 {
			e.Handle(&event.Event{Kind: event.Data, Time: now, Conn: 1, PID: 1, Direction: dir, Seq: next[dir], Len: k.Len, Payload: k.Payload})
		}
		next[dir] += k.Len
	}
	if s.isOpen {
		slices.Sort(told)
		return told, e.Losses()
	}
	next[event.Egress] += s.missing[true]
	next[event.Ingress] += s.missing[false]
	now += 1e6
	e.Handle(&event.Event{Kind: event.Close, Time: now, Conn: 1, Close: event.CloseInfo{
		HasPositions: true, NextIngress: next[event.Ingress], NextEgress: next[event.Egress],
	}})
	slices.Sort(told)
	return told, e.Losses()
}

// isWhole reports whether a capture lacks nothing of a connection, so that its bytes may be cut anew.
func isWhole(conv *replay.Conversation) bool {
	return !conv.Datagrams && !slices.ContainsFunc(conv.Calls, func(k replay.Call) bool { return k.Missing > 0 || int(k.Len) != len(k.Payload) })
}

// cut divides calls at random into pieces of at most most bytes. The first calls of a connection that was joined stay: by their beginnings
// its protocol is recognised. So do they in pieces of one byte, of which the engine keeps too few for that.
func cut(r *rand.Rand, isSeen bool, calls []replay.Call, most int) (out []replay.Call) {
	keepsFirst := !isSeen || most == 1
	isFirst := [2]bool{keepsFirst, keepsFirst}
	for _, k := range calls {
		dir := 0
		if k.FromClient {
			dir = 1
		}
		if isFirst[dir] {
			isFirst[dir] = false
			out = append(out, k)
			continue
		}
		for b := k.Payload; len(b) > 0; {
			n := min(len(b), 1+r.IntN(most))
			piece := k
			piece.Payload, piece.Len = b[:n], uint32(n)
			out = append(out, piece)
			b = b[n:]
		}
	}
	return out
}

// join makes one call of those that follow each other in one direction.
func join(calls []replay.Call) (out []replay.Call) {
	for _, k := range calls {
		if n := len(out); n > 0 && out[n-1].FromClient == k.FromClient {
			out[n-1].Payload = append(slices.Clip(out[n-1].Payload), k.Payload...)
			out[n-1].Len += k.Len
			continue
		}
		out = append(out, k)
	}
	return out
}

// Any cut of the bytes gives the same exchanges.
func TestAnySegmentation(t *testing.T) {
	n := 0
	for _, c := range captures(t) {
		for i, conv := range c.conversations {
			want, lost := play(conv, whole(conv), nil)
			if !isWhole(conv) || len(want) == 0 || len(lost) > 0 {
				continue
			}
			n++
			t.Run(fmt.Sprintf("%s/%s/%d", c.folder, filepath.Base(c.path), i), func(t *testing.T) {
				same := func(name string, calls []replay.Call) {
					t.Helper()
					if got, _ := play(conv, scene{calls: calls, isSeen: conv.Seen}, nil); !slices.Equal(want, got) {
						t.Fatalf("%s: -want +got:\n%s", name, cmp.Diff(want, got))
					}
				}
				same("joined", join(conv.Calls))
				for seed := range uint64(20) {
					r := rand.New(rand.NewPCG(seed, 11))
					for _, most := range []int{1, 3, 20, 500} {
						same(fmt.Sprintf("seed %d, at most %d bytes", seed, most), cut(r, conv.Seen, conv.Calls, most))
					}
				}
			})
		}
	}
	if n < 10 {
		t.Errorf("%d connections tested", n)
	}
}

// Whatever is missing, nothing panics, and what is told without "partial" was there.
func TestAnyLoss(t *testing.T) {
	for _, c := range captures(t) {
		for i, conv := range c.conversations {
			truth, lost := play(conv, whole(conv), nil)
			if !isWhole(conv) || len(truth) == 0 || len(lost) > 0 {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s/%d", c.folder, filepath.Base(c.path), i), func(t *testing.T) {
				for seed := range uint64(60) {
					s := damage(rand.New(rand.NewPCG(seed, 13)), whole(conv))
					got, lost := play(conv, s, nil)
					if wrong := untrue(truth, got, s.forgot); len(wrong) > 0 {
						t.Fatalf("seed %d: %s: told %q, which is not true of %q; lost %v", seed, s.whatever, wrong, truth, lost)
					}
				}
			})
		}
	}
}

// damage takes something away from a connection.
func damage(r *rand.Rand, s scene) scene {
	calls := slices.Clone(s.calls)
	switch r.IntN(4) {
	case 0:
		n := r.IntN(len(calls))
		return scene{calls: calls[n:], forgot: true, whatever: fmt.Sprintf("joined after %d calls", n)}
	case 1: // not closed: what a close cuts off has the size that came of it
		n := r.IntN(len(calls))
		return scene{calls: calls[:n], isSeen: s.isSeen, isOpen: true, whatever: fmt.Sprintf("only the first %d calls", n)}
	case 2:
		left, missing := lose(r, calls)
		return scene{calls: left, isSeen: s.isSeen, forgot: true, missing: missing, whatever: fmt.Sprintf("%d calls lost", len(calls)-len(left))}
	}
	limit := 8 + r.IntN(300)
	for i := range calls {
		calls[i].Payload = calls[i].Payload[:min(len(calls[i].Payload), limit)]
	}
	return scene{calls: calls, isSeen: s.isSeen, whatever: fmt.Sprintf("first %d bytes of each call", limit)}
}

// lose takes some calls out. holes are those at the end.
func lose(r *rand.Rand, calls []replay.Call) (left []replay.Call, holes map[bool]uint32) {
	holes = map[bool]uint32{}
	for _, k := range calls {
		if r.IntN(8) == 0 {
			holes[k.FromClient] += k.Len
			continue
		}
		k.Missing += holes[k.FromClient]
		holes[k.FromClient] = 0
		left = append(left, k)
	}
	return left, holes
}

// untrue returns what was told and not there. Without a response, nothing is claimed of it. What a request is about may have
// been said in another one that is missing: operation and target may then be more general ones.
func untrue(truth, got []string, forgot bool) (wrong []string) {
	left := slices.Clone(truth)
	if forgot {
		left, got = withoutNames(left), withoutNames(got)
	}
	for _, l := range got {
		if strings.HasSuffix(l, "partial") || strings.Contains(l, exchange.ErrorClosed) {
			continue
		}
		same := func(x string) bool { return x == l }
		if strings.Contains(l, ` "" "" `) { // no response, or that there is one was said before
			same = func(x string) bool { return request(x) == request(l) }
		}
		if i := slices.IndexFunc(left, same); i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		wrong = append(wrong, l)
	}
	return wrong
}

// request returns what a line says of the request.
func request(line string) string {
	parts := strings.Split(line, `"`) // before the status, status, between, error, sizes
	return parts[0] + strings.Fields(parts[len(parts)-1])[0]
}

// withoutNames leaves the protocol, and what follows from the status on.
func withoutNames(lines []string) (out []string) {
	for _, l := range lines {
		head, tail, _ := strings.Cut(l, ` "`)
		name, _, _ := strings.Cut(head, " ")
		out = append(out, name+` "`+tail)
	}
	return out
}

// Bytes that are of no protocol are claimed by none.
func TestNobodyClaimsNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 17))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	record := func(kind byte, n int) []byte {
		return append([]byte{kind, 3, byte(1 + r.IntN(3)), byte(n >> 8), byte(n)}, random(n)...)
	}
	text := func(alphabet string, n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return b
	}
	const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
	const small = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f "
	printable := make([]byte, 0, 95)
	for c := byte(' '); c < 0x7f; c++ {
		printable = append(printable, c)
	}
	kinds := map[string]func(n int) []byte{
		"random":           random,
		"TLS data":         func(n int) []byte { return record(23, n) },
		"TLS handshake":    func(n int) []byte { return record(22, n) },
		"TLS alert":        func(int) []byte { return record(21, 2) },
		"SSH":              func(n int) []byte { return append([]byte("SSH-2.0-OpenSSH_9.2p1\r\n"), random(n)...) },
		"QUIC":             func(n int) []byte { return append([]byte{0xc0 | byte(r.IntN(16)), 0, 0, 0, 1, 8}, random(n)...) },
		"WireGuard":        func(n int) []byte { return append([]byte{byte(1 + r.IntN(4)), 0, 0, 0}, random(n)...) },
		"length of 2":      func(n int) []byte { return append([]byte{byte(n >> 8), byte(n)}, random(n)...) },
		"length of 4":      func(n int) []byte { return append([]byte{0, 0, byte(n >> 8), byte(n)}, random(n)...) },
		"length of 4, LE":  func(n int) []byte { return append([]byte{byte(n), byte(n >> 8), 0, 0}, random(n)...) },
		"length of 3, LE":  func(n int) []byte { return append([]byte{byte(n), byte(n >> 8), 0, byte(r.IntN(3))}, random(n)...) },
		"own length of 4":  func(n int) []byte { return append([]byte{byte(n + 4), byte((n + 4) >> 8), 0, 0}, random(n)...) },
		"zeros":            func(n int) []byte { return make([]byte, n) },
		"the same again":   func(n int) []byte { return bytes.Repeat(random(1), n) },
		"small numbers":    func(n int) []byte { return text(small, n) },
		"base64":           func(n int) []byte { return text(base64, n) },
		"printable":        func(n int) []byte { return text(string(printable), n) },
		"lines":            func(n int) []byte { return append(text(string(printable), n), "\r\n"...) },
		"words":            func(n int) []byte { return text("abcdefghij klmnopqrst uvwxyz ABCDEFGHIJ KLMNOP QRSTUVWXYZ\r\n", n) },
		"JSON":             func(n int) []byte { return fmt.Appendf(nil, `{"time":%d,"msg":"%s"}`+"\n", n, text(base64, n)) },
		"statsd":           func(n int) []byte { return fmt.Appendf(nil, "app.requests.%d:%d|c|#env:prod", n, n) },
		"syslog":           func(n int) []byte { return fmt.Appendf(nil, "<%d>Oct 11 22:14:15 host su: %s", n%190, text(base64, n)) },
		"RTP":              func(n int) []byte { return append([]byte{0x80, byte(r.IntN(128))}, random(n)...) },
		"protocol buffers": func(n int) []byte { return append([]byte{0x0a, byte(n & 127)}, random(n)...) },
	}
	rounds := 6000 // each protocol has 300 000 of its own
	if testing.Short() {
		rounds = 1000
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		make := kinds[name]
		t.Run(name, func(t *testing.T) {
			*r = *rand.New(rand.NewPCG(17, uint64(len(name))))
			undecided := map[string]int{}
			for range rounds {
				b := make(1 + r.IntN(300))
				for _, p := range all.Protocols() {
					if name == "TLS data" && p.Name() == "tls" {
						continue // it is what it is
					}
					for _, isDatagram := range []bool{false, true} {
						switch v := recognize(p, b, isDatagram); {
						case strings.EqualFold(p.Name(), strings.Fields(name)[0]): // TLS is one
						case v == protocol.IsRequest || v == protocol.IsResponse:
							t.Fatalf("%s claims %q (%d, datagram %v)", p.Name(), b[:min(len(b), 60)], v, isDatagram)
						case v == protocol.Maybe && len(b) > longestStart:
							undecided[p.Name()]++
						}
					}
				}
			}
			for name, n := range undecided {
				if n > rounds/50 {
					t.Errorf("%s cannot tell %d of %d from its own", name, n, rounds)
				}
			}
		})
	}
}
