package redis

import (
	"bytes"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/internal/ascii"
)

// takeArg looks at an argument that matters.
func (p *parser) takeArg(arg []byte, sink protocol.Sink) {
	r := &p.req
	switch {
	case r.index == 0:
		r.cmd = r.named(arg)
		p.plan(sink)
	case r.isWord:
		p.takeWord(arg)
	case r.index == 1 && r.cmd.isContainer:
		if c, ok := lookup([]byte(r.cmd.name), arg); ok {
			r.cmd = c
		}
		p.plan(sink)
	case r.cmd.kind == replySwitch && r.index == 2:
		n := copy(r.reply[:], bytes.ToUpper(arg))
		clear(r.reply[n:])
		p.announce(sink)
	case r.cmd.counts != 0 && r.index == int64(r.cmd.counts):
		if len(arg) == 1 && arg[0] == '0' {
			p.announce(sink)
		}
	case r.index == int64(r.key):
		if r.cmd.name == "REPLCONF" {
			p.takeReplconf(arg, sink)
			return
		}
		r.target = r.intern(arg)
		p.announce(sink)
	}
}

// takeReplconf looks at what a replica tells: ACK has no reply and belongs to a stream of replication that was joined.
func (p *parser) takeReplconf(arg []byte, sink protocol.Sink) {
	if ascii.EqualFold(arg, "ack") {
		p.ignore(sink)
		return
	}
	p.announce(sink)
}

// ignore gives up the connection without telling: what it carries from here on, or carried all the time, are commands that nobody
// answers, a master's to its replica. Were it given back, they would be taken for a conversation.
func (p *parser) ignore(sink protocol.Sink) {
	p.isIgnored = true
	if p.req.id != 0 {
		p.queue.Remove(p.req.id)
		sink.RequestEnd(p.req.id, protocol.End{Partial: true})
		p.req.id = 0
	}
	p.queue.GiveUp(sink)
}

// plan decides what else matters once the command is known.
func (p *parser) plan(sink protocol.Sink) {
	r := &p.req
	r.key = r.cmd.key
	r.isWord = r.cmd.kind == streams
	switch {
	case r.cmd.isContainer && r.index == 0 && r.args > 1, r.isWord, r.cmd.kind == replySwitch:
	case r.key == 0:
		p.announce(sink)
	}
}

// takeWord looks for BLOCK and STREAMS among the options of XREAD and XREADGROUP.
func (p *parser) takeWord(arg []byte) {
	r := &p.req
	switch {
	case ascii.EqualFold(arg, "block"):
		r.waits = true
	case ascii.EqualFold(arg, "streams"):
		r.isWord = false
		if r.index < 250 {
			r.key = uint8(r.index + 1)
		}
	}
}

// named returns the command with a name. It is often that of the command before.
func (r *requests) named(name []byte) *command {
	if r.lastCmd == nil || string(name) != string(r.lastName) {
		r.lastCmd, _ = lookup(name, nil)
		r.lastName = append(r.lastName[:0], name...)
	}
	return r.lastCmd
}

func (r *requests) intern(key []byte) string {
	if string(key) != r.lastTarget {
		r.lastTarget = string(key)
	}
	return r.lastTarget
}

// announce reports the head of the command being read, once.
func (p *parser) announce(sink protocol.Sink) {
	r := &p.req
	if r.isAnnounced || r.id == 0 {
		return
	}
	r.isAnnounced = true
	if r.cmd == nil {
		r.cmd = &other
	}
	isSilent := p.follow()
	sink.RequestHead(r.id, protocol.Request{
		Operation: r.cmd.name, Target: r.target, NoResponse: isSilent,
		Waits: (r.cmd.kind == waits || r.waits) && !p.inMulti,
	})
	if isSilent {
		p.queue.Remove(r.id)
		return
	}
	e := p.queue.Find(r.id)
	if e == nil {
		return
	}
	e.Data.kind = r.cmd.kind
	if e.Data.kind == subscribes || e.Data.kind == unsubscribes {
		e.Data.confirms = uint32(max(1, min(r.args-1, maxArgs)))
	}
}

// follow keeps what a command changes for those after it, and reports whether it gets no reply.
func (p *parser) follow() (isSilent bool) {
	isSilent = p.noReply || p.skipNext || p.req.cmd.kind == silent
	p.skipNext = false
	switch p.req.cmd.kind {
	case begins:
		p.inMulti = true
	case executes, discards:
		p.inMulti = false
	case resets:
		p.inMulti, p.noReply, p.isSubscribed = false, false, false
		return false
	case replySwitch:
		switch string(bytes.TrimRight(p.req.reply[:], "\x00")) {
		case "ON":
			p.noReply = false
			return false
		case "OFF":
			p.noReply = true
			return true
		case "SKIP":
			p.skipNext = !p.noReply
			return true
		}
	}
	return isSilent
}

// readInline reads some of a command without lengths: words up to a line feed.
func (p *parser) readInline(b []byte, sink protocol.Sink) int {
	r := &p.req
	n := bytes.IndexByte(b, '\n') + 1
	isEnd := n > 0
	if !isEnd {
		n = len(b)
	}
	r.n += copy(r.buf[r.n:], b[:n])
	r.bytes += uint64(n)
	if r.bytes > 64<<10 { // PROTO_INLINE_MAX_SIZE of Redis
		p.loseRequest(sink)
		return len(b)
	}
	if !isEnd {
		return n
	}
	words := bytes.Fields(r.buf[:r.n])
	r.args = int64(len(words))
	for i, w := range words {
		r.index = int64(i)
		if r.matters() {
			p.takeArg(bytes.Trim(w, `"'`), sink)
		}
	}
	p.announce(sink)
	p.endRequest(protocol.End{}, sink)
	return n
}
