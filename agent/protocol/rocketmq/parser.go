package rocketmq

import (
	"strconv"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/byid"
	"github.com/sonde-dev/sonde/agent/protocol/internal/names"
	"github.com/sonde-dev/sonde/agent/protocol/internal/piecewise"
	"github.com/sonde-dev/sonde/signal"
)

// Names of OpenTelemetry's attribute registry, and one of ours: it has none for lag.
const (
	attrGroup = "messaging.consumer.group.name"
	attrLag   = "messaging.rocketmq.consumer.lag"
)

// parser follows one connection. Either side may send requests.
type parser struct {
	req, res piecewise.Reader
	nextID   uint64
	waiting  byid.Pending[int32] // by opaque; the note is the request code
	names    names.Cache
	in, out  message // being read: to the server, from it

	lastGroup string
	lastAttrs []protocol.Attribute // shared by the requests that got it; never changed
}

// message is a frame being read.
type message struct {
	id       uint64 // 0 for none
	of       int32  // the request code, also of a response
	isAnswer bool
	request  protocol.Request
	response protocol.Response
	counts   bool // its body is messages
	body     messages
	size     uint64 // of the body
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
	if _, hasHead, size := p.req.Open(); hasHead {
		p.end(&p.in, protocol.End{BodyBytes: size, Cut: true, Before: true}, sink)
	} else if p.in.id != 0 {
		sink.RequestEnd(p.in.id, protocol.End{Partial: true})
	}
	if _, hasHead, size := p.res.Open(); hasHead {
		p.end(&p.out, protocol.End{BodyBytes: size, Cut: true, Before: true}, sink)
	}
	p.req.Lose()
	p.res.Lose()
}

// head reads the start of a frame. Nothing is kept in m when it says nothing.
func (p *parser) head(m *message, h *head, b []byte, isCut bool, sink protocol.Sink) (size uint64, n int, ok bool) {
	if len(b) < frameHead {
		if isCut {
			return 0, 0, false
		}
		return 0, frameHead, false
	}
	size, length, kind, ok := sizes(b)
	if !ok {
		return 0, 0, false
	}
	used := frameHead + int(length)
	if length > maxHead || isCut && len(b) < used {
		sink.Lost(signal.ParserGaveUp, 1)
		return size, min(len(b), used), false
	}
	if len(b) < used {
		return 0, used, false
	}
	if !h.parse(kind, b[frameHead:used]) {
		sink.Lost(signal.ParserGaveUp, 1)
		return size, used, false
	}
	m.size = size - uint64(used)
	return size, used, true
}

// request begins to report one, in either direction.
func (p *parser) request(m *message, h *head, isPush bool) {
	topic, group := h.names()
	if !isName(topic) {
		topic = nil
	}
	m.of = h.code
	m.isAnswer = false
	m.request = protocol.Request{
		Operation: requestName(h.code), Target: p.names.String(topic), Waits: waits(h.code) && !isPush,
		NoResponse: isPush || h.flag&flagOneway != 0, Attributes: p.attributes(group),
	}
	m.counts = false
	switch h.code {
	case codeSend, codeSendV2, codeSendReply, codeSendReplyV2, codePushReply:
		if m.request.Counts[protocol.MessagesSent] = 1; h.isBatch {
			m.counts = true
		}
		m.request.Counts[protocol.MessageBytesSent] = m.size
	case codeSendBatch:
		m.counts = true
		m.request.Counts[protocol.MessageBytesSent] = m.size
	}
	if m.counts {
		m.body.start(m.size, false)
	}
}

// answer begins to report a response to a request with some code.
func (p *parser) answer(m *message, h *head, code int32) {
	m.isAnswer = true
	o := outcomeOf(h.code)
	m.response = protocol.Response{Status: o.name}
	switch o.blame {
	case server:
		m.response.ServerError = o.name
		fallthrough
	case client:
		m.response.ClientError = o.name
	}
	if m.counts = h.code == 0 && carriesMessages(code); m.counts {
		m.body.start(m.size, true)
		m.response.Counts[protocol.MessageBytesConsumed] = m.size
	}
	if h.hasMaxOffset && h.hasNextOffset && carriesMessages(code) {
		lag := max(0, h.maxOffset-h.nextOffset)
		m.response.Attributes = []protocol.Attribute{{Key: attrLag, Value: strconv.FormatInt(lag, 10)}}
	}
}

// end reports a frame as far as it came.
func (p *parser) end(m *message, e protocol.End, sink protocol.Sink) {
	id := m.id
	if id == 0 {
		return
	}
	m.id = 0
	var count uint64
	if m.counts {
		count = m.body.count
		e.Partial = e.Partial || !e.Cut && !m.body.isWhole()
	}
	if !m.isAnswer {
		if m.counts {
			m.request.Counts[protocol.MessagesSent] = count
		}
		sink.RequestHead(id, m.request)
		sink.RequestEnd(id, e)
		return
	}
	m.response.Counts[protocol.MessagesConsumed] = count
	sink.ResponseHead(id, m.response)
	sink.ResponseEnd(id, e)
}

// attributes names the group; a group without name is left out.
func (p *parser) attributes(group []byte) []protocol.Attribute {
	if len(group) == 0 || !isName(group) {
		return nil
	}
	if p.lastAttrs == nil || string(group) != p.lastGroup {
		p.lastGroup = string(group)
		p.lastAttrs = []protocol.Attribute{{Key: attrGroup, Value: p.lastGroup}}
	}
	return p.lastAttrs
}
