package thrift

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/byid"
	"github.com/sonde-dev/sonde/agent/protocol/internal/names"
	"github.com/sonde-dev/sonde/agent/protocol/internal/piecewise"
	"github.com/sonde-dev/sonde/signal"
)

// parser follows one connection. Its two directions are the types toServer and fromServer.
type parser struct {
	req, res piecewise.Reader
	nextID   uint64
	waiting  byid.Pending[int32] // by sequence id
	// isPipelined: a request came while another waited. Otherwise a request says that the response before it was received.
	isPipelined bool
	// isReordering: a response came after that to a later request. Otherwise a request that is overtaken gets none: some libraries
	// (that for Go) send one-way calls as if they were others.
	isReordering bool
	calls        methods
	silent       []string // methods that are not answered
	names        names.Cache
	target       []byte // of the last request

	reqID   uint64 // of the request being read; 0 for none
	resID   uint64 // of the request whose response is being read
	resKind byte
	in, out walker
}

func newParser(joined bool) *parser {
	p := &parser{}
	if joined {
		p.req.Lose()
		p.res.Lose()
	}
	return p
}

// Data implements protocol.Parser.
func (p *parser) Data(dir protocol.Direction, b []byte, sink protocol.Sink) {
	if dir == protocol.ToServer {
		p.req.Data(b, (*toServer)(p), sink)
	} else {
		p.res.Data(b, (*fromServer)(p), sink)
	}
}

// Gap implements protocol.Parser.
func (p *parser) Gap(dir protocol.Direction, n uint32, _ []byte, sink protocol.Sink) {
	if dir == protocol.ToServer {
		p.req.Gap(n, (*toServer)(p), sink)
	} else {
		p.res.Gap(n, (*fromServer)(p), sink)
	}
}

// Close implements protocol.Parser.
func (p *parser) Close(sink protocol.Sink) {
	_, _, sent := p.req.Open()
	_, _, received := p.res.Open()
	if p.reqID != 0 {
		sink.RequestEnd(p.reqID, protocol.End{BodyBytes: sent, Cut: true, Before: true})
	}
	if p.resID != 0 {
		sink.ResponseEnd(p.resID, protocol.End{BodyBytes: received, Cut: true, Before: true})
	}
	p.reqID, p.resID = 0, 0
	p.req.Lose()
	p.res.Lose()
}

// readHead reads the start of a message, with the length of the frame around it where there is one.
func readHead(b []byte, isCut bool) (m message, size uint64, n int) {
	frameHead := 0
	size = piecewise.Unknown
	if b[0] != compactID && b[0] != binaryStart[0] {
		frameHead = 4
		if len(b) < frameHead {
			if isCut {
				return m, 0, 0
			}
			return m, 0, frameHead
		}
		length := binary.BigEndian.Uint32(b)
		if length > maxFrame {
			return m, 0, 0
		}
		size = 4 + uint64(length)
	}
	m, n, want := parseMessage(b[frameHead:min(uint64(len(b)), size)])
	switch {
	case n > 0:
		return m, size, frameHead + n
	case want > 0 && !isCut && uint64(frameHead+want) <= size:
		return m, 0, frameHead + want
	}
	return m, 0, 0
}

// request translates the start of a request.
func (p *parser) request(m *message) protocol.Request {
	service, method, isMultiplexed := bytes.Cut(m.name, []byte{':'}) // TMultiplexedProtocol
	p.target = append(p.target[:0], service...)
	if isMultiplexed {
		p.target = append(append(p.target, '/'), method...)
	}
	return protocol.Request{Operation: "call", Target: p.names.String(p.target), NoResponse: m.kind == kindOneway}
}

// failures are the kinds of TApplicationException, and whether the server is to blame.
var failures = [...]struct {
	name     string
	isServer bool
}{
	{"UNKNOWN", true}, {"UNKNOWN_METHOD", false}, {"INVALID_MESSAGE_TYPE", false}, {"WRONG_METHOD_NAME", false},
	{"BAD_SEQUENCE_ID", false}, {"MISSING_RESULT", true}, {"INTERNAL_ERROR", true}, {"PROTOCOL_ERROR", false},
	{"INVALID_TRANSFORM", false}, {"INVALID_PROTOCOL", false}, {"UNSUPPORTED_CLIENT_TYPE", false},
}

// response translates what was read of a structure; false when that says nothing.
func response(kind byte, w *walker) (protocol.Response, bool) {
	if kind == kindException {
		if !w.done || w.broken {
			return protocol.Response{}, false
		}
		f := failures[0]
		if w.failure >= 0 && int(w.failure) < len(failures) {
			f = failures[w.failure]
		} else {
			f.name = strconv.Itoa(int(int8(w.failure))) // of low cardinality, whatever is sent
		}
		r := protocol.Response{Status: f.name, ClientError: f.name}
		if f.isServer {
			r.ServerError = f.name
		}
		return r, true
	}
	// The result is field 0; an exception that the interface declares has a higher number; a void result is empty.
	switch {
	case w.isEmpty && (!w.done || w.broken):
		return protocol.Response{}, false
	case w.isEmpty || w.first == 0:
		return protocol.Response{Status: "OK"}, true
	}
	return protocol.Response{Status: "EXCEPTION", ClientError: "EXCEPTION"}, true
}

// await remembers a request that is to be answered, and reports whether it is not: it has the type of a call, but its method is one
// that the server does not answer.
func (p *parser) await(seq int32, method string, sink protocol.Sink) (isSilent bool) {
	if !p.isPipelined {
		p.waiting.Clear()
		p.isPipelined = p.waiting.Len() > 0
	}
	if slices.Contains(p.silent, method) {
		p.waiting.Add(seq, 0, overtaken)
		return true
	}
	if id := p.waiting.Add(seq, p.reqID, p.calls.note(method)); id != 0 {
		giveUp(id, sink)
	}
	return false
}

// take returns the request that a response belongs to; 0 when it is not known.
func (p *parser) take(seq int32, sink protocol.Sink) uint64 {
	if !p.isReordering {
		p.waiting.Overtake(seq, func(id uint64, note uint32) uint32 {
			sink.ResponseEnd(id, protocol.End{Partial: true, Before: true})
			if method := p.calls.method(note); method != "" && len(p.silent) < maxSilent && !slices.Contains(p.silent, method) {
				p.silent = append(p.silent, method)
			}
			return overtaken
		})
	}
	id, note, found := p.waiting.Take(seq)
	switch {
	case !found:
		sink.Lost(signal.OrphanResponse, 1)
	case id == 0 && note == overtaken:
		p.isReordering, p.silent = true, nil
	case id == 0:
		// The response of one of them is lost, and which, nobody knows.
		if other, _, _ := p.waiting.Take(seq); other != 0 {
			giveUp(other, sink)
		}
	}
	return id
}

// giveUp ends a request whose response will not be told from others.
func giveUp(id uint64, sink protocol.Sink) {
	sink.Lost(signal.ParserGaveUp, 1)
	sink.ResponseEnd(id, protocol.End{Partial: true})
}
