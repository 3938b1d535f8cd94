package exchange_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/all"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
	"github.com/sonde-dev/sonde/signal"
)

// A conversation is a list of lines; each runs a millisecond after the one before:
//
//	client> TEXT              a call of the client, fully captured; Go escapes
//	server< TEXT              a call of the server
//	skip SIDE N [tail="TEXT"] a call of N bytes without payload
//	cut SIDE N TEXT           a call of which only the first N bytes are captured
//	lost SIDE N               N bytes of which no event came
//	late client> TEXT         a call that is reported after the next one
//	joined                    the connection was there before the agent
//	wait DURATION
//	close | reset
//	tcp                       only where positions of both directions are known; without them too is the rule
//	only client|server        run from one side; both is the rule
//	= METHOD TARGET STATUS req=N res=N [partial] [error=E] [view=DIALECT:OPERATION:TARGET]
//	= loss CAUSE N
//
// error= is given only where it does not follow from the status.

// player turns lines into events as the process on one side causes them.
type player struct {
	side   event.Role
	engine *exchange.Engine
	now    uint64
	seq    map[string]uint32
	late   *event.Event
	got    []string
	seen   bool
	opened bool
	isUnix bool // events do not tell the position of the other direction
}

func newPlayer(side event.Role) *player {
	// The positions start just below the wrap.
	p := &player{side: side, now: 1e9, seq: map[string]uint32{"client": 0xffffff00, "server": 0xfffffff0}, seen: true}
	p.engine = exchange.New(scriptConfig(), all.Protocols(), func(x *exchange.Exchange) {
		p.got = append(p.got, describe(x))
	}, nil)
	return p
}

// scriptConfig has the waiting times that conversations are written for.
func scriptConfig() exchange.Config {
	c := exchange.DefaultConfig
	c.ReorderWindow, c.HoldResponse = 50*time.Millisecond, 200*time.Millisecond
	return c
}

// describe renders an exchange as a conversation expects it. The error that follows from the status is checked here.
func describe(x *exchange.Exchange) string {
	s := fmt.Sprintf("%s %s %s req=%d res=%d", orDash(x.Operation), orDash(x.Target), orDash(x.Status), x.RequestBytes, x.ResponseBytes)
	if x.Partial {
		s += " partial"
	}
	if x.Error != "" && x.Error != x.Status {
		s += " error=" + x.Error
	}
	if x.Protocol.Name() == "http" && x.Error == "" && (x.Status >= "500" || x.Side == exchange.Client && x.Status >= "400") {
		s += " without error"
	}
	if v := x.View; v != nil {
		s += fmt.Sprintf(" view=%s:%s:%s", v.Protocol.Name(), v.Operation, v.Target)
		if v.Failure != "" {
			s += ":" + v.Failure
		}
		if v.Counts != [protocol.MaxCounts]uint64{} {
			s += fmt.Sprint(":", v.Counts)
		}
	}
	if x.RequestEnd < x.RequestStart || x.ResponseEnd < x.ResponseStart || x.RequestStart == 0 || x.ResponseEnd == 0 {
		s += fmt.Sprintf(" times=%d,%d,%d,%d", x.RequestStart, x.RequestEnd, x.ResponseStart, x.ResponseEnd)
	}
	return s
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (p *player) open() {
	if !p.opened {
		p.opened = true
		in, out := p.positions()
		p.engine.Handle(&event.Event{Kind: event.Open, Time: p.now, Conn: 1, PID: 42, Open: event.OpenInfo{
			Role: p.side, Seen: p.seen, HasPositions: true, NextIngress: in, NextEgress: out,
		}})
	}
}

func (p *player) positions() (ingress, egress uint32) {
	if p.side == event.RoleServer {
		return p.seq["client"], p.seq["server"]
	}
	return p.seq["server"], p.seq["client"]
}

func (p *player) event(from string, n uint32, payload, tail []byte) *event.Event {
	dir := event.Egress
	if (from == "client") == (p.side == event.RoleServer) {
		dir = event.Ingress
	}
	ev := &event.Event{Kind: event.Data, Time: p.now, Conn: 1, PID: 42, TID: 43, Direction: dir, Seq: p.seq[from], Len: n, Payload: payload, Tail: tail}
	ev.Other, ev.HasOther = p.seq[map[string]string{"client": "server", "server": "client"}[from]], !p.isUnix
	p.seq[from] += n
	return ev
}

func (p *player) call(from string, b []byte) {
	p.open()
	p.deliver(p.event(from, uint32(len(b)), b, nil))
}

func (p *player) deliver(ev *event.Event) {
	p.now += 1e6
	p.engine.Handle(ev)
	if p.late != nil {
		ev := p.late
		p.late = nil
		p.deliver(ev)
	}
}

func (p *player) wait(d time.Duration) {
	for end := p.now + uint64(d); p.now < end; {
		p.now = min(end, p.now+uint64(d)/10+1)
		p.engine.Tick(p.now)
	}
}

func (p *player) close(reset bool) {
	p.open()
	p.now += 1e6
	in, out := p.positions()
	p.engine.Handle(&event.Event{Kind: event.Close, Time: p.now, Conn: 1, Close: event.CloseInfo{
		Reset: reset, HasPositions: true, NextIngress: in, NextEgress: out,
	}})
}

func unescape(s string) ([]byte, error) {
	u, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	return []byte(u), err
}

// line runs one line.
func (p *player) line(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "client>", "server<":
		b, err := unescape(rest)
		if err != nil {
			return err
		}
		p.call(word[:6], b)
	case "late":
		b, err := unescape(strings.TrimPrefix(rest, "client> "))
		if err != nil {
			return err
		}
		p.open()
		p.late = p.event("client", uint32(len(b)), b, nil)
	case "cut":
		from, rest, _ := strings.Cut(rest, " ")
		size, text, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(size)
		if err != nil {
			return err
		}
		b, err := unescape(text)
		if err != nil {
			return err
		}
		p.open()
		p.deliver(p.event(from, uint32(len(b)), b[:n], nil))
	case "skip", "lost":
		from, rest, _ := strings.Cut(rest, " ")
		size, tail, _ := strings.Cut(rest, " tail=")
		n, err := strconv.Atoi(size)
		if err != nil {
			return err
		}
		t, err := unescape(strings.Trim(tail, `"`))
		if err != nil {
			return err
		}
		p.open()
		if ev := p.event(from, uint32(n), nil, t); word == "skip" {
			p.deliver(ev)
		}
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			return err
		}
		p.wait(d)
	case "tcp":
	case "joined":
		p.seen = false
	case "close", "reset":
		p.close(word == "reset")
	default:
		return fmt.Errorf("unknown word %q", word)
	}
	return nil
}

func TestConversations(t *testing.T) {
	for name, lines := range parsertest.Texts(t, "testdata/*.txt") {
		for _, side := range []struct {
			role event.Role
			name string
		}{{event.RoleClient, "client"}, {event.RoleServer, "server"}} {
			if strings.Contains(lines, "only ") && !strings.Contains(lines, "only "+side.name) {
				continue
			}
			t.Run(name+"/"+side.name, func(t *testing.T) { converse(t, side.role, false, lines) })
			if !strings.Contains(lines, "tcp\n") {
				t.Run(name+"/"+side.name+"/unix", func(t *testing.T) { converse(t, side.role, true, lines) })
			}
		}
	}
}

func converse(t *testing.T, side event.Role, isUnix bool, lines string) {
	p := newPlayer(side)
	p.isUnix = isUnix
	var want, wantLoss []string
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if loss, ok := strings.CutPrefix(line, "= loss "); ok {
			wantLoss = append(wantLoss, loss)
		} else if x, ok := strings.CutPrefix(line, "= "); ok {
			want = append(want, x)
		} else if line != "" && line[0] != '#' && !strings.HasPrefix(line, "only ") {
			if err := p.line(line); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
	}
	if diff := cmp.Diff(want, p.got); diff != "" {
		t.Errorf("exchanges (-want +got):\n%s", diff)
	}
	losses := p.engine.Losses()
	for _, l := range wantLoss {
		cause, n, _ := strings.Cut(l, " ")
		if got := lossNamed(losses, cause); strconv.FormatUint(got, 10) != n {
			t.Errorf("loss %s = %d, want %s", cause, got, n)
		}
	}
	if len(wantLoss) == 0 && len(losses) > 0 {
		t.Errorf("losses = %v, want none", losses)
	}
}

func lossNamed(l signal.Losses, name string) uint64 {
	for c, n := range l {
		if c.String() == name {
			return n
		}
	}
	return 0
}
