package http2

import (
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/dialect"
	"github.com/sonde-dev/sonde/signal"
)

const (
	// maxStreams bounds the requests under way on one connection; servers allow 100 to 250, the streams of a request that is over
	// on one side only counted in.
	maxStreams = 1024
	// maxEarly bounds the responses that wait for a request reported after them.
	maxEarly = 64
	maxSpare = 128
)

// stream is a request and its response. A response that was reported before its request waits with the id 0.
type stream struct {
	number uint32 // on the wire
	id     uint64

	hasHead, requestEnded, isRequestPartial bool
	isGRPC, isConnect                       bool
	requestBody                             uint64
	undecided                               *undecided // nil when the request was told

	hasFinal, responseEnded, isPartial bool
	hasUnknown                         bool // fields of the response are not known
	code                               int  // HTTP status of the final response, 0 when not known
	grpcStatus                         string
	failure                            string // why the response ended early, as a value of error.type
	responseBody                       uint64
	isTelling                          [2]bool        // by protocol.Direction: the body is handed on
	dialect                            dialect.Reader // nil for plain HTTP
	signs                              dialect.Signs  // of the final response
}

func (p *parser) newStream(number uint32, sink protocol.Sink) *stream {
	if len(p.streams) >= maxStreams {
		s := p.inOrder()[0]
		sink.Lost(signal.ParserGaveUp, 1)
		if s.id != 0 {
			p.giveUp(s, sink)
		} else {
			p.dropEarly(s, sink)
		}
	}
	var s *stream
	if n := len(p.spare); n > 0 {
		s, p.spare = p.spare[n-1], p.spare[:n-1]
	} else {
		s = &stream{}
	}
	s.number = number
	p.streams[number] = s
	return s
}

func (p *parser) remove(s *stream) {
	delete(p.streams, s.number)
	*s = stream{}
	if len(p.spare) < maxSpare {
		p.spare = append(p.spare, s)
	}
}

// settle removes a stream that is over in both directions.
func (p *parser) settle(s *stream) {
	if s.requestEnded && s.responseEnded {
		p.remove(s)
	}
}

// isUpgraded reports whether a stream is that of the request that upgraded the connection (RFC 7540 §3.2): there is none for it here,
// HTTP/1 told it.
func (p *parser) isUpgraded(number uint32) bool { return number == 1 && p.hasPreface && p.first != 1 }

// dropEarly gives up a response whose request will not come.
func (p *parser) dropEarly(s *stream, sink protocol.Sink) {
	if s.id != 0 {
		return
	}
	if !p.isUpgraded(s.number) {
		sink.Lost(signal.OrphanResponse, 1)
	}
	p.early--
	p.remove(s)
}

// beginHeaders acts on the header of a HEADERS frame: the first byte of a request, of its trailers, or of a response.
func (p *parser) beginHeaders(dir protocol.Direction, number uint32, sink protocol.Sink) {
	if number&1 == 0 { // pushed
		return
	}
	s := p.streams[number]
	switch {
	case dir == protocol.FromServer && s != nil && s.id != 0 && !s.hasFinal && !s.responseEnded:
		sink.ResponseBegin(s.id)
	case dir == protocol.ToServer && number > p.last:
		p.beginRequest(number, sink)
	}
}

func (p *parser) beginRequest(number uint32, sink protocol.Sink) {
	p.seen.begin(p.last, number)
	p.last = number
	if p.first == 0 {
		p.first = number
	}
	if p.early > 0 { // streams are opened in the order of their numbers: no request will come for those before
		for _, s := range p.inOrder() {
			if s.number < number {
				p.dropEarly(s, sink)
			}
		}
	}
	s := p.streams[number]
	if s == nil {
		s = p.newStream(number, sink)
	} else {
		p.early--
	}
	p.nextID++
	s.id = p.nextID
	sink.RequestBegin(s.id)
	p.halves[protocol.ToServer].since.Date(s.id, sink)
}

// headers acts on a field block. Trailers of a request say nothing of interest.
func (p *parser) headers(dir protocol.Direction, opened frame, f *fields, sink protocol.Sink) {
	isEnd := opened.has(flagEndStream)
	if dir == protocol.FromServer {
		p.responseHeaders(opened.stream, f, isEnd, sink)
		return
	}
	s := p.streams[opened.stream]
	if s == nil || s.id == 0 {
		return
	}
	if !s.hasHead {
		if f.method == "" && !f.hasUnknown { // trailers of a request that was not seen
			p.endRequest(s, protocol.End{Partial: true}, sink)
			p.remove(s)
			return
		}
		p.requestHead(s, f, sink)
	}
	if isEnd {
		p.endStream(dir, opened.stream, sink)
	}
}

// requestHead reports a request, and then the response if it is there already.
func (p *parser) requestHead(s *stream, f *fields, sink protocol.Sink) {
	s.hasHead = true
	s.isGRPC = f.content == mediaGRPC
	s.isConnect = f.method == "CONNECT"
	mayBeGRPC := f.hasUnknown && f.content == "" && (f.method == "" || f.method == "POST")
	s.isRequestPartial = f.hasUnknown && (f.method == "" || f.path == "" && !s.isConnect || mayBeGRPC)
	if mayBeGRPC && !s.hasFinal && !s.responseEnded {
		s.undecided = &undecided{fields: *f}
	} else {
		p.tellHead(s, f, sink)
	}
	switch {
	case s.hasFinal || s.responseEnded:
		p.replay(s, sink)
	case s.number > p.refused:
		p.refuse(s, sink)
	}
}

func (p *parser) tellHead(s *stream, f *fields, sink protocol.Sink) {
	r := protocol.Request{Operation: f.method, Target: f.path, Attributes: p.names.attributes(f.authority)}
	if s.isGRPC { // its HTTP method is always the same
		r.Protocol, r.Operation = GRPC{}, ""
		if r.Target != "" {
			r.Target = r.Target[1:]
		}
	} else if rpc := f.rpcAttributes(); rpc != nil {
		r.Attributes = append(rpc, r.Attributes...)
	}
	sink.RequestHead(s.id, r)
	p.tellRequest(s, f, sink)
	if !s.isGRPC && !f.hasUnknown && (f.signs != 0 || dialect.MayBegin(f.method, f.path, nil)) {
		s.dialect = dialect.Begin(dialect.Request{Method: f.method, Path: f.path, Host: f.authority, Signs: f.signs})
	}
}

// body counts payload of a DATA frame. b is nil when it is not known.
func (p *parser) body(dir protocol.Direction, b []byte, n uint32, isPadLost bool, sink protocol.Sink) {
	h := &p.halves[dir]
	s := p.streams[h.frame.stream]
	if s == nil {
		return
	}
	if dir == protocol.ToServer {
		s.requestBody += uint64(n)
		s.isRequestPartial = s.isRequestPartial || isPadLost
		s.readBody(dir, b, n)
		if u := s.undecided; u != nil && n > 0 {
			isStart := u.n == 0
			if b == nil || u.add(b) {
				s.isGRPC = b != nil && u.isMessage(s.requestBody+uint64(h.data))
				p.decide(s, sink)
				s.isTelling[dir] = s.isTelling[dir] && isStart // its start was not kept
			}
		}
	} else {
		s.responseBody += uint64(n)
		s.isPartial = s.isPartial || isPadLost
		s.readBody(dir, b, n)
	}
	s.tellBody(dir, b, sink)
}

// endStream acts on END_STREAM.
func (p *parser) endStream(dir protocol.Direction, number uint32, sink protocol.Sink) {
	s := p.streams[number]
	switch {
	case s == nil:
	case dir == protocol.FromServer:
		if !s.responseEnded {
			p.endResponse(s, sink)
		}
	case s.id != 0 && !s.requestEnded:
		p.endRequest(s, protocol.End{}, sink)
		p.settle(s)
	}
}

func (p *parser) endRequest(s *stream, e protocol.End, sink protocol.Sink) {
	p.decide(s, sink)
	s.requestEnded = true
	e.BodyBytes = s.requestBody
	e.Partial = e.Partial || s.isRequestPartial
	s.tellView(false, e.Partial, sink)
	sink.RequestEnd(s.id, e)
}
