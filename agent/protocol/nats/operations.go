package nats

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// connect reads nothing but whether the client wants each line answered, which is so unless it says otherwise (nats-server:
// defaultOpts).
func (p *parser) connect(b []byte) {
	p.isWhole = p.isWhole || p.nextID == 0
	p.isVerbose = !isFalse(b, `"verbose"`)
	p.verbose(connect, protocol.Request{Operation: "connect"})
}

// isFalse reports whether a field of a JSON object is false.
func isFalse(b []byte, key string) bool {
	i := bytes.Index(b, []byte(key))
	if i < 0 {
		return false
	}
	return bytes.HasPrefix(bytes.TrimLeft(b[i+len(key):], " \t:"), []byte("false"))
}

// verbose tells a request that is answered only to a verbose client.
func (p *parser) verbose(v verb, r protocol.Request) {
	r.NoResponse = !p.isVerbose || len(p.waiting) >= maxWaiting
	id := p.begin(protocol.ToServer, r)
	if !r.NoResponse {
		p.waiting = append(p.waiting, waiting{id: id, verb: v})
	} else if p.isVerbose {
		p.giveUp()
	}
}

// giveUp ends what waits for +OK: from here on nobody can tell which is whose.
func (p *parser) giveUp() {
	for _, w := range p.waiting {
		if w.id != 0 {
			p.sink.ResponseEnd(w.id, protocol.End{Partial: true})
		}
	}
	p.waiting, p.isVerbose = nil, false
	p.sink.Lost(signal.ParserGaveUp, 1)
}

// publish begins a message to the server, or a request.
func (p *parser) publish(l *line) {
	subject, reply := l.fields[0], l.reply()
	r := protocol.Request{Operation: "publish", Target: p.names.String(subject)}
	switch {
	case bytes.HasPrefix(subject, []byte(jsAck)):
		r.Operation = "ack"
	case bytes.HasPrefix(subject, []byte(jsPull)):
		r.Operation = "pull"
	case bytes.HasPrefix(subject, []byte(inbox)):
		r.Operation = "reply"
	case reply != nil && p.isInbox(reply):
		r.Operation = "request"
		p.request(r, reply)
		return
	}
	p.verbose(l.verb, r)
}

// request begins a message whose answer comes back on this connection.
func (p *parser) request(r protocol.Request, reply []byte) {
	r.NoResponse = len(p.requests) >= maxRequests
	id := p.begin(protocol.ToServer, r)
	switch {
	case !p.isVerbose:
	case len(p.waiting) < maxWaiting:
		p.waiting = append(p.waiting, waiting{verb: pub})
	default:
		p.giveUp()
	}
	if r.NoResponse {
		return
	}
	key := hash(reply)
	if old, ok := p.requests[key]; ok { // an inbox of several requests: whose the answers are, nobody says
		p.sink.ResponseEnd(old, protocol.End{Partial: true})
		p.sink.Lost(signal.ParserGaveUp, 1)
	}
	p.requests[key] = id
}

// isInbox reports whether messages to a subject come back on this connection.
func (p *parser) isInbox(reply []byte) bool {
	if bytes.HasPrefix(reply, []byte(inbox)) {
		return true
	}
	i := bytes.LastIndexByte(reply, '.')
	for _, s := range p.inboxes {
		if i >= 0 && string(reply[:i+1]) == s {
			return true
		}
	}
	return false
}

// hash is FNV-1a.
func hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

func (p *parser) subscribe(l *line) {
	r := protocol.Request{Operation: "unsubscribe"}
	if l.verb == sub {
		r.Operation, r.Target = "subscribe", p.names.String(l.fields[0])
		if prefix, isWild := strings.CutSuffix(r.Target, "*"); isWild && len(p.inboxes) < maxInboxes && strings.HasSuffix(prefix, ".") {
			p.inboxes = append(p.inboxes, prefix)
		}
	}
	p.verbose(l.verb, r)
}

func (p *parser) ping() {
	isPlain := !p.isWhole || len(p.pings) >= maxPings
	p.isWhole = p.isWhole && !isPlain
	id := p.begin(protocol.ToServer, protocol.Request{Operation: "ping", NoResponse: isPlain})
	if !isPlain {
		p.pings = append(p.pings, id)
	}
}

func (p *parser) pong() {
	if len(p.pings) == 0 {
		if p.isWhole {
			p.sink.Lost(signal.OrphanResponse, 1)
		}
		return
	}
	p.respond(protocol.FromServer, p.pings[0], protocol.Response{Status: "ok"})
	p.pings = p.pings[:copy(p.pings, p.pings[1:])]
}

func (p *parser) ok() {
	if len(p.waiting) == 0 {
		if p.isVerbose {
			p.sink.Lost(signal.OrphanResponse, 1)
		}
		return
	}
	w := p.waiting[0]
	p.waiting = p.waiting[:copy(p.waiting, p.waiting[1:])]
	if w.id != 0 {
		p.respond(protocol.FromServer, w.id, protocol.Response{Status: "ok"})
	}
}

// deliver is a message from the server: the answer to a request, or one for a subscription.
func (p *parser) deliver(l *line, headers []byte, isCut bool) {
	subject := l.fields[0]
	if len(p.requests) > 0 {
		key := hash(subject)
		if id, ok := p.requests[key]; ok {
			delete(p.requests, key)
			p.respond(protocol.FromServer, id, responseOf(headers))
			p.reading[protocol.FromServer].isPartial = isCut
			return
		}
	}
	if !p.isWhole && bytes.HasPrefix(subject, []byte(inbox)) { // the answer to a request that was missed, or a second one
		p.sink.Lost(signal.OrphanResponse, 1)
		return
	}
	p.begin(protocol.FromServer, protocol.Request{Operation: "deliver", Target: p.names.String(subject), NoResponse: true})
}

// endRequests ends all that wait for a message.
func (p *parser) endRequests(e protocol.End) {
	for _, id := range slices.Sorted(maps.Values(p.requests)) {
		p.sink.ResponseEnd(id, e)
	}
	clear(p.requests)
}
