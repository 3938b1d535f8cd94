package http2

import "github.com/sonde-dev/sonde/agent/protocol"

// readBody hands bytes of a body to the dialect; b is nil when they are not known.
func (s *stream) readBody(dir protocol.Direction, b []byte, n uint32) {
	switch {
	case s.dialect == nil || n == 0:
	case b == nil:
		s.dialect.Gap(dir)
	default:
		s.dialect.Body(dir, b)
	}
}

// tellView tells what the exchange is in the words of a dialect, when the request ends and when the response does.
func (s *stream) tellView(isOver, isPartial bool, sink protocol.Sink) {
	v, ok := sink.(protocol.Viewer)
	if s.dialect == nil || !ok || s.id == 0 {
		return
	}
	if isPartial {
		dir := protocol.ToServer
		if isOver {
			dir = protocol.FromServer
		}
		s.dialect.Gap(dir)
	}
	v.View(s.id, s.dialect.View(isOver))
}
