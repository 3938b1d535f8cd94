package content

import (
	"strings"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/redact"
	"github.com/sonde-dev/sonde/signal"
)

// Bounds of a sample beside its texts.
const (
	maxField      = 512 // a template of a statement is no longer
	maxAttributes = 16
)

// sample makes an exchange readable.
func (k *Keeper) sample(p *pending) signal.Sample {
	x := &p.x
	s := signal.Sample{
		Time: k.wall(x.RequestStart), Duration: time.Duration(x.Duration()), IsSlow: k.isSlow(x), IsFailed: failure(x) != "",
		Service: p.self.Service, Instance: p.self.Instance, Side: x.Side.String(),
		Protocol: x.Protocol.Name(), Operation: k.field(x.Operation), Target: k.field(x.Protocol.Semantics().TemplateOf(x.Target)), Status: k.field(x.Status), Error: k.field(failure(x)),
		RequestBytes: x.RequestBytes, ResponseBytes: x.ResponseBytes, IsPartial: x.Partial,
	}
	if !s.IsSlow && !s.IsFailed { // the threshold was raised meanwhile
		s.IsSlow = true
	}
	if p.peer != nil {
		s.Peer = p.peer.Service
	}
	for i, a := range x.Attributes {
		if i == maxAttributes {
			break
		}
		if s.Attributes == nil {
			s.Attributes = make(map[string]string)
		}
		value := a.Value
		if k.redact.IsSecret(a.Key) {
			value = redact.Mark
		}
		s.Attributes[a.Key] = k.field(value)
	}
	s.Request, s.RequestTruncated = k.bounded(k.request(x), x.Content.Request.IsCut)
	s.Response, s.ResponseTruncated = k.bounded(k.response(x), x.Content.Response.IsCut)
	return s
}

// request returns what was asked: the message where the protocol hands it over, otherwise what is known of it.
func (k *Keeper) request(x *exchange.Exchange) string {
	c := &x.Content.Request
	switch {
	case c.Form == protocol.FormHTTP:
		return k.redact.HTTP(c.Bytes, c.IsCut)
	case c.Form == protocol.FormSQL && !k.redact.HidesLiterals():
		return k.text(c)
	case c.Form == protocol.FormText:
		return k.text(c)
	case x.Protocol.Semantics().KindOf() == protocol.KindDatabase && x.Target != "": // the parser tells templates only
		return k.redact.Text(x.Target, false)
	}
	return k.redact.Text(strings.TrimSpace(x.Operation+" "+readable(x.Target)), false)
}

// response returns what was answered, "" where nothing is known but the status.
func (k *Keeper) response(x *exchange.Exchange) string {
	c := &x.Content.Response
	switch c.Form {
	case protocol.FormHTTP:
		return k.redact.HTTP(c.Bytes, c.IsCut)
	case protocol.FormSQL, protocol.FormText:
		return k.redact.SQLMessage(readable(strings.TrimSpace(string(c.Bytes))), c.IsCut)
	}
	return ""
}

func (k *Keeper) text(c *exchange.Snippet) string {
	return k.redact.Text(readable(strings.TrimSpace(string(c.Bytes))), c.IsCut)
}

// bounded cuts a text to what is kept.
func (k *Keeper) bounded(s string, isCut bool) (string, bool) {
	if len(s) <= k.cfg.MaxText {
		return s, isCut
	}
	return strings.ToValidUTF8(s[:k.cfg.MaxText], ""), true
}

// field redacts a short text.
func (k *Keeper) field(s string) string {
	if len(s) > maxField {
		s = strings.ToValidUTF8(s[:maxField], "")
	}
	return k.redact.Text(readable(s), false)
}

// wall tells the time of day of a moment of CLOCK_MONOTONIC.
func (k *Keeper) wall(monotonic uint64) time.Time {
	now, wall := k.clock()
	return wall.Add(-time.Duration(now - min(now, monotonic)))
}

// readable returns a text without what cannot be shown.
func readable(s string) string { return redact.Printable([]byte(s)) }
