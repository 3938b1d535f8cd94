package clickhouse

import (
	"encoding/binary"
	"strconv"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
	"github.com/sonde-dev/sonde/signal"
)

// packet is called with the number of a packet, the first byte of it. It returns false for one that makes no sense here.
func (p *parser) packet(dir protocol.Direction, kind byte, sink protocol.Sink) bool {
	if dir == protocol.ToServer {
		return p.clientPacket(kind, sink)
	}
	if p.rev == 0 && kind != serverHello && kind != serverException && kind != serverPong {
		return false
	}
	steps, ok := serverSteps(kind, p.rev)
	if !ok || kind == serverHello && p.hasCall && p.call.kind != clientHello {
		return false
	}
	if p.hasCall && !p.call.isBegun {
		p.call.isBegun = true
		sink.ResponseBegin(p.call.id)
	}
	if kind == serverData && p.call.isInsert { // how rows are to look
		p.call.isOpen = true
	}
	p.out.add(opPacket, uint64(kind), nil)
	p.out.push(steps)
	return true
}

func (p *parser) clientPacket(kind byte, sink protocol.Sink) bool {
	switch {
	case kind == clientHello:
		p.begin(kind, sink)
		p.announce("HELLO", "", sink)
		p.in.push(helloSteps())
	case p.rev == 0 && kind != clientPing:
		return false
	case kind == clientQuery:
		p.begin(kind, sink)
		p.in.push(querySteps(p.rev))
	case kind == clientData:
		p.in.push("sB")
	case kind == clientPing:
		p.begin(kind, sink)
		p.announce("PING", "", sink)
	case kind != clientCancel:
		return false
	}
	return true
}

// number takes a number that matters.
func (p *parser) number(d *decoder, code byte, v uint64) bool {
	switch code {
	case 'R':
		p.client = int(min(v, 1<<20))
		return p.client >= minRevision
	case 'r':
		p.rev = int(min(v, uint64(p.client)))
		if p.client == 0 {
			p.rev = int(min(v, 1<<20))
		}
		if p.rev < minRevision || p.rev > maxRevision {
			p.isAlien = true
			return false
		}
		d.push(serverHelloSteps(p.rev))
	case 'p':
		p.call.rows = v
	case 'c': // the stage of a query, or whether a column is serialized in its own way
		return v <= 7 && (d == &p.in && len(d.ops) > 0 && d.top().code == 'C' || v == 0)
	case 'C':
		p.call.isCompressed = v == 1
		return v <= 1
	case 'N':
		d.add(opStrings, 2*min(v, 1<<16), nil)
		return v < 1<<16
	case 'U':
		d.add(opSkip, 16*min(v, 1<<24), nil)
		return v < 1<<24
	}
	return true
}

// clientInfo takes bytes of the client information that decide what follows.
func (p *parser) clientInfo(d *decoder, code, c byte) bool {
	switch code {
	case 'k': // 0: none, 1: of a client, 2: of a server that passes it on
		if c > 2 {
			return false
		}
		if c != 0 {
			d.push(clientSteps(p.rev))
		}
	case 'i': // 1: TCP, 2: HTTP, others are passed on as without details
		switch c {
		case 1:
			d.push(tcpSteps(p.rev))
		case 2:
			d.push(httpSteps(p.rev))
		default:
			return false
		}
	case 't':
		if c > 1 {
			return false
		}
		if c == 1 { // trace and span id, state, flags
			d.push("888s1")
		}
	}
	return true
}

// textSettings are those of servers before 54429 that are strings; nearly all others are numbers.
var textSettings = map[string]bool{
	"load_balancing": true, "distributed_product_mode": true, "totals_mode": true, "join_default_strictness": true, "date_time_input_format": true, "format_schema": true,
	"count_distinct_implementation": true, "send_logs_level": true, "default_table_engine": true, "network_compression_method": true, "stream_flush_interval_ms": false,
}

// setting takes the name of a setting, an empty one being the end.
func (p *parser) setting(d *decoder, code byte) bool {
	name, length := d.buf, d.length
	for _, c := range name {
		if c < ' ' || c > '~' {
			return false
		}
	}
	isText := textSettings[string(name)]
	d.clean()
	switch {
	case length == 0:
		d.pop()
	case code != 'o': // flags, value
		d.push("vs")
	case isText:
		d.push("s")
	default:
		d.push("v")
	}
	return true
}

// query takes the statement, or the beginning of it.
func (p *parser) query(text []byte, isCut bool, sink protocol.Sink) {
	if !p.hasCall || p.call.isAnnounced {
		return
	}
	st := p.cache.Describe(sqltext.MySQL, text, isCut) // quotes of both kinds and backslashes: no literal is left
	p.announce(st.Operation, st.Template, sink)
}

// exception takes its code, or whether there is another inside it.
func (p *parser) exception(d *decoder, code byte) bool {
	if code == 'E' {
		c := int32(binary.LittleEndian.Uint32(d.buf))
		d.pop()
		if !p.call.hasFailed {
			p.call.hasFailed, p.call.code = true, c
		}
		d.add(opNested, 0, nil)
		d.push("sss") // name, message, stack
		return true
	}
	hasNested := d.buf[0]
	d.pop()
	if hasNested == 1 {
		d.add('E', 0, nil)
	}
	return hasNested <= 1
}

// greeted is called at the end of the server's greeting.
func (p *parser) greeted(sink protocol.Sink) {
	if p.rev >= withAddendum {
		p.in.push("s") // a quota key, without the number of a packet
	}
}

// finish acts on a whole packet of the server.
func (p *parser) finish(kind byte, sink protocol.Sink) {
	switch kind {
	case serverHello, serverPong, serverEndOfStream, serverException:
	default:
		return
	}
	isOther := p.hasCall && (kind == serverHello && p.call.kind != clientHello || kind == serverPong && p.call.kind != clientPing ||
		kind == serverEndOfStream && p.call.kind != clientQuery)
	if !p.hasCall || isOther {
		sink.Lost(signal.OrphanResponse, 1)
		return
	}
	if !p.call.isAnnounced {
		p.call.isAnnounced = true
		sink.RequestHead(p.call.id, protocol.Request{Operation: sqltext.Other})
		p.call.isPartial = true
	}
	if kind == serverEndOfStream && p.call.isOpen { // what is missing of the client's shows no earlier
		p.call.isPartial = true
	}
	p.end(protocol.End{}, sink)
}

// statusOf names the result: OK, or the code of the exception.
func statusOf(c *call) string {
	const known = 2000 // src/Common/ErrorCodes.cpp; a few beyond
	switch {
	case !c.hasFailed:
		return "OK"
	case c.code > 0 && c.code < known:
		return strconv.Itoa(int(c.code))
	}
	return "other"
}
