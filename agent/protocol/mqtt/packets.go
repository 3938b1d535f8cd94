package mqtt

import "github.com/sonde-dev/sonde/agent/protocol"

// connect begins a connection; whatever was before it is over. Nothing of it is kept but the version.
func (p *parser) connect(b []byte, size uint64) {
	p.forget()
	r := reader{b: b}
	r.text()
	p.version = r.byte()
	p.connecting = p.begin(protocol.ToServer, protocol.Request{Operation: "connect"}, size)
}

func (p *parser) connack(r *reader, size uint64) {
	if p.connecting == 0 {
		p.orphan(nil)
		return
	}
	r.byte() // session present
	code := r.byte()
	if p.version < 5 && int(code) < len(returns) {
		code = returns[code]
	}
	p.respond(p.connecting, answer(code), size)
	p.connecting = 0
}

// publish begins a message in either direction.
func (p *parser) publish(dir protocol.Direction, first byte, r *reader, size uint64, isCut bool) bool {
	n := int(r.uint16())
	q := protocol.Request{Operation: "publish"}
	if dir == protocol.FromServer {
		q.Operation = "deliver"
	}
	qos := first >> 1 & 3
	name := r.b[:min(n, len(r.b))]
	isShort := len(name) < n // longer than what is kept
	if isShort && (isCut || uint64(n) > size) || !isTopic(name) {
		return false
	}
	r.take(len(name))
	q.Target = p.names.String(name)
	if isShort && qos > 0 {
		qos = 0 // its packet id is not known
		p.flows[dir].untracked++
	}
	var packet uint16
	if qos > 0 {
		if packet = r.uint16(); packet == 0 {
			return false
		}
	}
	if !isShort {
		p.alias(dir, &q, r)
	}
	q.NoResponse = qos == 0 || p.flows[dir].isFull(packet)
	id := p.begin(dir, q, size)
	if !q.NoResponse {
		p.await(dir, packet, waiting{id: id, kind: puback + (qos-1)*(pubrec-puback)})
	}
	return true
}

// alias replaces an empty topic, or remembers what it will stand for (§3.3.2.3.4).
func (p *parser) alias(dir protocol.Direction, q *protocol.Request, r *reader) {
	if q.Target == "" {
		p.version = 5 // no topic is empty in version 3
	}
	if p.version < 5 {
		return
	}
	f := &p.flows[dir]
	switch alias := r.alias(); {
	case alias == 0:
	case q.Target == "":
		q.Target = f.aliases[alias]
	default:
		if f.aliases == nil {
			f.aliases = map[uint16]string{}
		}
		if _, known := f.aliases[alias]; known || len(f.aliases) < maxAliases {
			f.aliases[alias] = q.Target
		}
	}
}

// acknowledge is the answer to a message that came the other way.
func (p *parser) acknowledge(dir protocol.Direction, kind byte, r *reader, size uint64) {
	f := &p.flows[1-dir]
	packet := r.uint16()
	w, ok := f.waiting[packet]
	isExpected := ok && (w.kind == kind || w.kind == pubrec && kind == pubcomp)
	if !isExpected || kind == pubrec && w.began {
		if kind != pubrec { // PUBCOMP will come too
			p.orphan(f)
		}
		return
	}
	var code byte
	if len(r.b) > 0 {
		code = r.byte()
	}
	if !w.began {
		p.sink.ResponseBegin(w.id)
	}
	w.bytes += size
	if kind == pubrec && code < failure {
		w.began = true
		f.waiting[packet] = w
		return
	}
	delete(f.waiting, packet)
	res := answer(code)
	if dir == protocol.ToServer {
		res.ServerError = "" // the consumer refuses: no fault of the server's
	}
	p.sink.ResponseHead(w.id, res)
	p.sink.ResponseEnd(w.id, protocol.End{BodyBytes: w.bytes})
}

// subscribe begins a SUBSCRIBE or UNSUBSCRIBE; its target is the first of the filters.
func (p *parser) subscribe(kind byte, b []byte, size uint64) bool {
	q := protocol.Request{Operation: "subscribe"}
	if kind == unsubscribe {
		q.Operation = "unsubscribe"
	}
	version, topic := firstFilter(kind, b, p.version)
	if topic == nil { // perhaps a list longer than what is kept
		r := reader{b: b}
		r.uint16()
		if p.version == 5 {
			r.properties()
		}
		if topic = r.text(); !isText(topic) {
			topic = nil
		}
	} else if p.version == 0 {
		p.version = version
	}
	r := reader{b: b}
	packet := r.uint16()
	q.Target = p.names.String(topic)
	q.NoResponse = p.flows[protocol.ToServer].isFull(packet)
	id := p.begin(protocol.ToServer, q, size)
	if !q.NoResponse {
		p.await(protocol.ToServer, packet, waiting{id: id, kind: kind + 1})
	}
	return packet != 0
}

// suback answers SUBSCRIBE or UNSUBSCRIBE with a reason for each filter: the worst is the status.
func (p *parser) suback(kind byte, r *reader, size uint64) {
	f := &p.flows[protocol.ToServer]
	packet := r.uint16()
	w, ok := f.waiting[packet]
	if !ok || w.kind != kind {
		p.orphan(f)
		return
	}
	delete(f.waiting, packet)
	if p.version == 5 {
		r.properties()
	}
	var worst byte
	for _, c := range r.b {
		if !isReason(c) {
			p.respond(w.id, protocol.Response{}, size) // properties of an unknown version
			return
		}
		worst = max(worst, c)
	}
	p.respond(w.id, answer(worst), size)
}

func (p *parser) ping(size uint64) {
	isFull := len(p.pings) >= maxPings
	id := p.begin(protocol.ToServer, protocol.Request{Operation: "ping", NoResponse: isFull}, size)
	if !isFull {
		p.pings = append(p.pings, id)
	}
}

func (p *parser) pong(size uint64) {
	if len(p.pings) == 0 {
		p.orphan(nil)
		return
	}
	id := p.pings[0]
	p.pings = p.pings[:copy(p.pings, p.pings[1:])]
	p.respond(id, answer(0), size)
}

// disconnect is the last packet of either side; version 5 gives a reason.
func (p *parser) disconnect(dir protocol.Direction, r *reader, size uint64) {
	var code byte
	if len(r.b) > 0 {
		code = r.byte()
	}
	id := p.begin(dir, protocol.Request{Operation: "disconnect", NoResponse: true}, size)
	res := answer(code)
	if dir == protocol.ToServer {
		res.ServerError = ""
	}
	p.sink.ResponseHead(id, res)
}

// auth is part of the connect, or an authentication anew (§4.12).
func (p *parser) auth(dir protocol.Direction, r *reader, size uint64) {
	var code byte
	if len(r.b) > 0 {
		code = r.byte()
	}
	const again, anew = 0x18, 0x19 // continue authentication, re-authenticate
	switch {
	case p.connecting != 0:
	case dir == protocol.ToServer && p.authenticating == 0 && code == anew:
		p.authenticating = p.begin(dir, protocol.Request{Operation: "auth"}, size)
	case p.authenticating == 0:
		if dir == protocol.FromServer {
			p.orphan(nil)
		}
	case dir == protocol.FromServer && code != again:
		p.respond(p.authenticating, answer(code), size)
		p.authenticating = 0
	}
}
