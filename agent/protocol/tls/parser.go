package tls

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// parser follows one handshake. When it is over, however, it ends the protocol: what comes then is encrypted.
//
//	client                          server
//	ClientHello ──────────────────▶            the request
//	            ◀─────────────────── ServerHello … the response
//	TLS 1.3: Finished ────────────▶            its end: the first encrypted record of the client
//	TLS 1.2: ChangeCipherSpec, Finished in both directions, in either order: the later one
type parser struct {
	isLost   bool
	isOver   bool
	hasBegun bool // the exchange

	sides [2]side
	hello serverHello
	asked clientHello
	sent  uint64 // bytes of the ClientHello's records
	got   uint64 // bytes of the server's handshake

	hasAsked, hasAnswer bool
}

// side is one direction.
type side struct {
	buf      []byte // a record that is not complete
	message  []byte // a handshake message that is not
	isSealed bool   // ChangeCipherSpec was seen: records are encrypted
	finished bool   // and one came
}

// maxMessage bounds a ClientHello or ServerHello: with post-quantum keys they take 2 KiB.
const maxMessage = 64 << 10

// only is the id of the only exchange.
const only = 1

func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if p.isOver {
		return
	}
	if p.isLost || !p.hasBegun && (dir == protocol.FromServer || len(b) > 0 && b[0] != typeHandshake) {
		p.end(sink) // the handshake was before
		return
	}
	s := &p.sides[dir]
	s.buf = append(s.buf, b...)
	if dir == protocol.ToServer && !p.hasBegun {
		p.hasBegun = true
		sink.RequestBegin(only)
	}
	for !p.isOver {
		if len(s.buf) < headerBytes {
			break
		}
		h, ok := parseHeader(s.buf)
		if !ok {
			p.end(sink)
			return
		}
		if len(s.buf) < headerBytes+h.n {
			break
		}
		p.record(dir, h, s.buf[headerBytes:headerBytes+h.n], sink)
		if !p.isOver {
			s.buf = s.buf[headerBytes+h.n:]
		}
	}
	if p.isOver {
		*p = parser{isOver: true}
	}
}

// Gap ends the reading of a handshake whose start is missing. Bytes inside the server's certificates are not needed.
func (p *parser) Gap(dir protocol.Direction, n uint32, _ []byte, sink protocol.Sink) {
	if p.isOver {
		return
	}
	p.end(sink)
}

func (p *parser) Close(sink protocol.Sink) {}

// end gives up. A handshake that was asked for is counted, as partial.
func (p *parser) end(sink protocol.Sink) {
	switch {
	case p.hasAsked:
		sink.Lost(signal.ParserGaveUp, 1)
		p.respond(sink, "", true)
	case p.hasBegun:
		sink.Lost(signal.ParserGaveUp, 1)
		sink.RequestEnd(only, protocol.End{Partial: true})
	}
	*p = parser{isOver: true}
	sink.Opaque()
}

// record takes a whole record.
func (p *parser) record(dir protocol.Direction, h header, b []byte, sink protocol.Sink) {
	s := &p.sides[dir]
	size := uint64(headerBytes + h.n)
	switch {
	case dir == protocol.FromServer:
		p.answer(size, sink)
	case !p.hasAnswer:
		p.sent += size
	}
	switch h.kind {
	case typeChangeCipherSpec:
		// TLS 1.3 has them for the sake of middleboxes only, RFC 8446 §D.4.
		s.isSealed = p.hello.version != 0 && p.hello.version < version13
	case typeAlert:
		p.alert(s, b, sink)
	case typeHandshake:
		if s.isSealed {
			s.finished = true
			p.finish(sink, "")
			return
		}
		p.handshake(dir, b, sink)
	case typeData:
		p.sealed(dir, h, sink)
	}
}

// answer notes the first bytes of the server.
func (p *parser) answer(size uint64, sink protocol.Sink) {
	if !p.hasAnswer && p.hasAsked {
		p.hasAnswer = true
		sink.ResponseBegin(only)
	}
	p.got += size
}

// handshake collects messages in the clear; those after the hellos are not looked at.
func (p *parser) handshake(dir protocol.Direction, b []byte, sink protocol.Sink) {
	s := &p.sides[dir]
	s.message = append(s.message, b...)
	for len(s.message) >= 4 {
		n := int(s.message[1])<<16 | int(s.message[2])<<8 | int(s.message[3])
		if n > maxMessage {
			p.end(sink)
			return
		}
		if len(s.message) < 4+n {
			return
		}
		p.message(dir, s.message[0], s.message[4:4+n], sink)
		if p.isOver {
			return
		}
		s.message = s.message[4+n:]
	}
}

func (p *parser) message(dir protocol.Direction, kind byte, b []byte, sink protocol.Sink) {
	switch {
	case dir == protocol.ToServer && kind == msgClientHello && !p.hasAsked:
		hello, ok := parseClientHello(b)
		if !ok {
			p.end(sink)
			return
		}
		p.hasAsked, p.asked = true, hello
		sink.RequestHead(only, protocol.Request{Operation: handshake, Target: hello.name, Attributes: hello.attributes()})
		sink.RequestEnd(only, protocol.End{BodyBytes: p.sent})
	case dir == protocol.FromServer && kind == msgServerHello:
		hello, ok := parseServerHello(b)
		if !ok {
			p.end(sink)
			return
		}
		if !hello.isRetry {
			p.hello = hello
		}
	}
}

// sealedAlert is the length of a TLS 1.3 record with an alert: level, description, inner type, tag.
const sealedAlert = 2 + 1 + 16

// sealed takes an encrypted record of TLS 1.3: the client's first after the ServerHello ends the handshake. (After early data it may be
// a little too soon: RFC 8446 §2.3 lets the client go on with it.)
func (p *parser) sealed(dir protocol.Direction, h header, sink protocol.Sink) {
	if dir != protocol.ToServer || p.hello.version < version13 {
		return
	}
	p.sides[0].finished, p.sides[1].finished = true, true
	reason := ""
	if h.n == sealedAlert {
		reason = "alert"
	}
	p.finish(sink, reason)
}

// alert ends the handshake, unless it is only a warning (RFC 5246 §7.2).
func (p *parser) alert(s *side, b []byte, sink protocol.Sink) {
	const fatal = 2
	switch {
	case s.isSealed:
		p.fail(sink, "alert")
	case len(b) == 2 && (b[0] == fatal || b[1] == 0):
		p.fail(sink, alertName(b[1]))
	}
}

// fail ends a handshake that came to nothing.
func (p *parser) fail(sink protocol.Sink, reason string) {
	p.sides[0].finished, p.sides[1].finished = true, true
	p.finish(sink, reason)
}

// finish ends the exchange when both sides have.
func (p *parser) finish(sink protocol.Sink, reason string) {
	if !p.sides[0].finished || !p.sides[1].finished {
		return
	}
	if p.hasAsked {
		p.respond(sink, reason, false)
	}
	p.isOver = true
	sink.Opaque()
}

func (p *parser) respond(sink protocol.Sink, reason string, isPartial bool) {
	if !p.hasAnswer {
		sink.ResponseBegin(only)
	}
	sink.ResponseHead(only, protocol.Response{
		Status: versionName(p.hello.version), ServerError: reason, ClientError: reason, Attributes: p.hello.attributes(),
	})
	sink.ResponseEnd(only, protocol.End{BodyBytes: p.got, Partial: isPartial})
}
