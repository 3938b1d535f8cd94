package http1

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dialect"
)

// What follows tells the sink what an exchange is in the words of a dialect, where one is spoken and the sink listens.

// askWhole asks for all bytes of the connection if the dialect needs them.
func (p *parser) askWhole(d dialect.Reader, sink protocol.Sink) {
	if d == nil || p.isWhole || !d.Whole() {
		return
	}
	p.isWhole = true
	if v, ok := sink.(protocol.Viewer); ok {
		v.Whole()
	}
}

// loseBody says that bytes of the message are missing.
func (s *stream) loseBody(dir protocol.Direction) {
	if s.dialect != nil {
		s.dialect.Gap(dir)
	}
}

// readBody lets the dialect see bytes of the body.
func (s *stream) readBody(dir protocol.Direction, b []byte) {
	if s.dialect != nil {
		s.dialect.Body(dir, b)
	}
}

// endDialect takes the dialect off a message that ended, nil for none.
func (s *stream) endDialect(dir protocol.Direction, isPartial bool) dialect.Reader {
	d := s.dialect
	s.dialect = nil
	if d != nil && isPartial {
		d.Gap(dir)
	}
	return d
}

// tellRequestView is called when a request ends: it may get no response.
func (p *parser) tellRequestView(isPartial bool, sink protocol.Sink) {
	s := &p.req
	d := s.endDialect(protocol.ToServer, isPartial)
	if d == nil {
		return
	}
	p.askWhole(d, sink)
	if v, ok := sink.(protocol.Viewer); ok {
		if view := d.View(false); view != nil {
			v.View(s.id, view)
		}
	}
}

// tellView is called when a response ends.
func (s *stream) tellView(isPartial bool, sink protocol.Sink) {
	d := s.endDialect(protocol.FromServer, isPartial)
	if d == nil {
		return
	}
	if v, ok := sink.(protocol.Viewer); ok {
		v.View(s.id, d.View(true))
	}
}
