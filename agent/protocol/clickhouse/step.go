package clickhouse

import "github.com/sonde-dev/sonde/agent/protocol"

// step does as much of the current step as b allows and returns how much of b that took; false where it makes no sense.
func (p *parser) step(dir protocol.Direction, b []byte, sink protocol.Sink) (n int, ok bool) {
	d := p.decoder(dir)
	if len(d.ops) > maxOps {
		return 0, false
	}
	if len(d.ops) == 0 {
		if !p.packet(dir, b[0], sink) {
			return 0, false
		}
		p.count(dir, 1)
		return 1, p.settle(dir, sink)
	}
	if k := d.skipRun(uint64(len(b))); k > 0 {
		n = int(k)
	} else {
		var done bool
		if n, done, ok = p.read(dir, d, b); !ok {
			return 0, false
		}
		if done {
			p.count(dir, n)
			if !p.done(dir, sink) {
				return 0, false
			}
			return n, p.settle(dir, sink)
		}
	}
	p.count(dir, n)
	return n, p.settle(dir, sink)
}

// read reads bytes of the current step.
func (p *parser) read(dir protocol.Direction, d *decoder, b []byte) (n int, done, ok bool) {
	o := d.top()
	size := 0
	switch o.code {
	case 's', opStrings:
		return d.text(b, 0)
	case opTypeName:
		return d.text(b, maxTypeName)
	case 'Q':
		return d.text(b, maxText)
	case 'O', 'o', 'P': // the name of a setting
		return d.text(b, 64)
	case 'v', 'R', 'r', 'p', 'c', 'C', 'N', 'U', opInfo, opColumns:
		n, v, done, ok := d.number(b)
		if done {
			d.length = v
		}
		return n, done, ok
	case '1', 'k', 'i', 't', opNested:
		size = 1
	case '2', '4', '8':
		size = int(o.code - '0')
	case 'E':
		size = 4
	case opLast, opKeys:
		size = 8
	case opLowCard:
		size = 16
	case opFrame, opPeek:
		size = frameHeader
	default:
		return 0, false, false
	}
	n, done = d.fixed(b, size)
	return n, done, true
}

// settle does the steps that need no bytes.
func (p *parser) settle(dir protocol.Direction, sink protocol.Sink) bool {
	d := p.decoder(dir)
	for len(d.ops) > 0 && len(d.ops) <= maxOps {
		o := d.top()
		switch {
		case o.code == 'B' || o.code == 'b':
			isCompressed := o.code == 'B' && p.call.isCompressed
			d.pop()
			if isCompressed {
				d.add(opFrame, 0, nil)
			} else {
				d.add(opColumns, 0, nil)
				d.add(opInfo, 0, nil)
			}
		case o.code == opRows:
			n, t := o.n, o.t
			d.pop()
			if !d.rows(n, t) {
				return false
			}
		case (o.code == opSkip || o.code == opStrings) && o.n == 0:
			d.pop()
		case o.code == opColumn:
			p.column(d)
		case o.code == opPacket:
			kind := byte(o.n)
			d.pop()
			p.finish(kind, sink)
		case o.code == 'a':
			d.pop()
			p.greeted(sink)
		default:
			return true
		}
	}
	return len(d.ops) <= maxOps
}

// rows enters the steps for n rows of a type.
func (d *decoder) rows(n uint64, t *column) bool {
	const most = 1 << 34 // of bytes in one column of one block
	if n == 0 {
		return true
	}
	switch t.shape {
	case fixedSize:
		if n > most/t.size {
			return false
		}
		d.add(opSkip, n*t.size, nil)
	case stringOf:
		d.add(opStrings, n, nil)
	case nullable:
		d.add(opRows, n, t.of[0])
		d.add(opSkip, n, nil)
	case arrayOf:
		if n > most/8 {
			return false
		}
		d.add(opLast, n*8, t.of[0])
	case tupleOf:
		for i := len(t.of) - 1; i >= 0; i-- {
			d.add(opRows, n, t.of[i])
		}
	case lowCard:
		d.add(opLowCard, n, t)
	}
	return true
}

// column goes on to the next column of a block.
func (p *parser) column(d *decoder) {
	o := d.top()
	if o.n == 0 {
		d.pop()
		return
	}
	o.n--
	d.add(opTypeName, p.rows, nil)
	d.add('s', 0, nil)
}

// done is called when the bytes of the current step are complete.
func (p *parser) done(dir protocol.Direction, sink protocol.Sink) bool {
	d := p.decoder(dir)
	o := *d.top()
	v, length := d.length, d.length
	switch o.code {
	case 's', 'v', '1', '2', '4', '8':
		d.pop()
	case opStrings:
		d.inText, d.buf = false, d.buf[:0]
		d.top().n--
	case 'R', 'r', 'p', 'c', 'C', 'N', 'U':
		d.pop()
		return p.number(d, o.code, v)
	case 'k', 'i', 't':
		c := d.buf[0]
		d.pop()
		return p.clientInfo(d, o.code, c)
	case 'O', 'o', 'P':
		return p.setting(d, o.code)
	case 'Q':
		isCut := length > uint64(len(d.buf))
		p.query(d.buf, isCut, sink)
		d.pop()
	case 'E', opNested:
		return p.exception(d, o.code)
	case opInfo, opColumns, opTypeName, opLast, opLowCard, opKeys:
		return p.blockPart(d, o)
	case opFrame, opPeek:
		return p.frame(dir, d, o.code, sink)
	}
	return true
}
