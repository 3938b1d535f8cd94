package all_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/all"
	"github.com/sonde-dev/sonde/agent/replay"
)

type keepAll struct{}

func (keepAll) Keep(*exchange.Exchange) bool { return true }

// contents runs a whole conversation and renders what was handed over of each exchange.
func contents(conv *replay.Conversation, calls []replay.Call, visit func(*exchange.Exchange)) (told []string) {
	e := exchange.New(exchange.DefaultConfig, all.Protocols(), func(x *exchange.Exchange) {
		if visit != nil {
			visit(x)
		}
		told = append(told, fmt.Sprintf("%s %s %q %v %q %v", x.Protocol.Name(), x.Operation, x.Content.Request.Bytes, x.Content.Request.IsCut, x.Content.Response.Bytes, x.Content.Response.IsCut))
	}, nil)
	e.KeepContent(keepAll{})
	role := event.RoleUnknown
	if conv.Seen {
		role = event.RoleClient
	}
	e.Handle(&event.Event{Kind: event.Open, Time: 1e9, Conn: 1, PID: 1, Open: event.OpenInfo{Role: role, Seen: conv.Seen, HasPositions: true}})
	var next [2]uint32
	for i, k := range calls {
		dir := event.Ingress
		if k.FromClient {
			dir = event.Egress
		}
		e.Handle(&event.Event{Kind: event.Data, Time: 1e9 + uint64(i+1)*1e6, Conn: 1, PID: 1, Direction: dir, Seq: next[dir], Len: k.Len, Payload: k.Payload})
		next[dir] += k.Len
	}
	e.Handle(&event.Event{Kind: event.Close, Time: 1e9 + uint64(len(calls)+1)*1e6, Conn: 1, Close: event.CloseInfo{HasPositions: true, NextIngress: next[event.Ingress], NextEgress: next[event.Egress]}})
	slices.Sort(told)
	return told
}

// However the bytes are cut into calls, each exchange has the same content; what is handed over as a statement or a line is text.
func TestContentOfCaptures(t *testing.T) {
	forms := map[string]int{}
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range captures(t) {
		for i, conv := range c.conversations {
			if !isWhole(conv) {
				continue
			}
			want := contents(conv, conv.Calls, func(x *exchange.Exchange) {
				for dir, s := range []exchange.Snippet{x.Content.Request, x.Content.Response} {
					if s.Form == protocol.FormNone {
						continue
					}
					forms[fmt.Sprintf("%s %d %d", x.Protocol.Name(), dir, s.Form)]++
					if s.Form != protocol.FormHTTP && (!utf8.Valid(s.Bytes) || strings.ContainsRune(string(s.Bytes), 0)) {
						t.Errorf("%s: %s handed over %q", c.path, x.Protocol.Name(), s.Bytes)
					}
				}
			})
			for _, most := range []int{1, 7, 100} {
				if d := cmp.Diff(want, contents(conv, cut(r, conv.Seen, conv.Calls, most), nil)); d != "" {
					t.Errorf("%s, connection %d, calls of at most %d bytes (-whole +cut):\n%s", c.path, i, most, d)
				}
			}
		}
	}
	for _, want := range []struct {
		protocol string
		dir      protocol.Direction
		form     protocol.Form
	}{
		{"mysql", protocol.ToServer, protocol.FormSQL}, {"mysql", protocol.FromServer, protocol.FormSQL}, {"postgresql", protocol.ToServer, protocol.FormSQL},
	} {
		if forms[fmt.Sprintf("%s %d %d", want.protocol, want.dir, want.form)] == 0 {
			t.Errorf("no content of %+v in any capture: %v", want, forms)
		}
	}
	t.Log(forms)
}
