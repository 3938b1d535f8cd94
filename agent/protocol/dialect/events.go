package dialect

import "bytes"

// events reads a stream of server-sent events (WHATWG HTML §9.2) whose data are JSON on one line, as the APIs of language models send
// them. Each goes to a scanner as a new value.
type events struct {
	scanner *scanner
	state   eventState
	name    [4]byte // of the field
	n       int     // bytes of the name, or of mark
	isDone  bool    // the data [DONE] came
}

type eventState uint8

const (
	eventName eventState = iota
	eventData
	eventOther // to the end of the line
)

// doneMark is what OpenAI's API sends last.
const doneMark = "[DONE]"

func (e *events) read(b []byte) {
	for len(b) > 0 {
		if e.state == eventName {
			e.nameByte(b[0])
			b = b[1:]
			continue
		}
		end := bytes.IndexByte(b, '\n')
		part := b[:max(end, 0)]
		if end < 0 {
			part = b
		}
		if e.state == eventData {
			e.scanner.read(part)
			e.match(part)
		}
		if end < 0 {
			return
		}
		e.state, e.n = eventName, 0
		b = b[end+1:]
	}
}

// nameByte reads the name of a field up to its colon.
func (e *events) nameByte(c byte) {
	switch {
	case c == '\n':
		e.n = 0
	case c == ':':
		e.state = eventOther
		if e.n == len(e.name) && string(e.name[:]) == "data" {
			e.state, e.n = eventData, 0
			e.scanner.reset()
		}
	case e.n < len(e.name):
		e.name[e.n] = c
		e.n++
	default: // longer than any that matters
		e.state = eventOther
	}
}

// match compares data with doneMark; n is how much of it was found, -1 when it is something else.
func (e *events) match(b []byte) {
	for _, c := range b {
		switch {
		case e.n < 0:
			return
		case e.n == 0 && c == ' ', e.n == len(doneMark) && c == '\r':
		case e.n < len(doneMark) && c == doneMark[e.n]:
			e.n++
			e.isDone = e.isDone || e.n == len(doneMark)
		default:
			e.n = -1
		}
	}
}
