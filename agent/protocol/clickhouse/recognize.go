package clickhouse

import (
	"strings"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/signal"
)

// minQuery is a length that no query with what is told of its client falls short of.
const minQuery = 32

// recognize judges the first bytes of a call.
func recognize(b []byte) protocol.Verdict {
	switch {
	case len(b) == 0:
		return protocol.Maybe
	case b[0] == clientHello:
		return recognizeHello(b)
	case b[0] == clientPing && len(b) == 1: // what clients send before a query
		return protocol.Maybe
	case b[0] == clientPing:
		b = b[1:]
	}
	if b[0] == clientQuery && len(b) >= minQuery && revisionOf(b) != 0 {
		return protocol.IsRequest
	}
	return protocol.No
}

// fields reads strings and numbers one after the other.
type fields struct {
	b   []byte
	bad bool
	cut bool
}

func (f *fields) number() uint64 {
	var d decoder
	n, v, done, ok := d.number(f.b)
	f.bad = f.bad || !ok
	f.cut = f.cut || !done
	f.b = f.b[n:]
	return v
}

func (f *fields) text(most uint64) string {
	l := f.number()
	if f.bad = f.bad || l > most; f.bad || f.cut {
		return ""
	}
	s := string(f.b[:min(uint64(len(f.b)), l)])
	f.cut = uint64(len(f.b)) < l
	f.b = f.b[len(s):]
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			f.bad = true
		}
	}
	return s
}

// recognizeHello wants a greeting: a name, versions, a revision; of a server its name is ClickHouse, of a client three strings
// follow.
func recognizeHello(b []byte) protocol.Verdict {
	const maxVersion = 100000
	f := fields{b: b[1:]}
	name := f.text(100)
	if f.bad || !f.cut && len(name) < 3 {
		return protocol.No
	}
	if len(b) < 8 {
		return protocol.Maybe
	}
	major, minor, revision := f.number(), f.number(), f.number()
	switch {
	case f.bad:
		return protocol.No
	case f.cut && len(b) < 128:
		return protocol.Maybe
	case f.cut || major > maxVersion || minor > maxVersion || revision < minRevision || revision > 60000:
		return protocol.No
	}
	rest := f
	database, user, password := f.text(256), f.text(256), f.text(4096)
	_, _, _ = database, user, password
	isServer := strings.HasPrefix(name, "ClickHouse") && !strings.Contains(name, "client")
	if isServer && (f.bad || f.cut || len(f.b) > 0) {
		if zone := rest.text(64); !rest.bad && !rest.cut && (strings.Contains(zone, "/") || zone == "UTC" || zone == "") {
			return protocol.IsResponse
		}
		return protocol.No
	}
	switch {
	case f.bad || !f.cut && len(f.b) > 0:
		return protocol.No
	case f.cut:
		return protocol.Maybe
	}
	return protocol.IsRequest
}

// revisions are the last of those that write a query alike.
var revisions = [...]int{54419, 54428, 54440, 54441, 54447, 54448, 54452, 54458, 54469, 54057, 54400}

// revisionOf finds a revision that makes sense of a query; 0 if none does.
func revisionOf(b []byte) int {
	found := 0
	for _, rev := range revisions {
		try := probe(rev)
		if !try.fits(b) {
			continue
		}
		own := min(rev, try.p.client) // the client tells its own, too; the server's is not known
		if again := probe(try.p.client); try.p.client <= maxRevision && again.fits(b) && again.isWhole() {
			return try.p.client
		}
		if try.isWhole() {
			return own
		}
		if found == 0 {
			found = own
		}
	}
	return found
}

// fits reports whether a call is a query of a revision, all of it to the statement, and whatever follows.
func fits(b []byte, rev int) bool { return probe(rev).fits(b) }

func (a *attempt) fits(b []byte) bool {
	return a.run(protocol.ToServer, b[:min(len(b), 8<<10)]) && a.verb != "" && a.verb != "other"
}

// attempt is a parser that is run on a copy of what came, to see whether it makes sense.
type attempt struct {
	p    *parser
	verb string
	n    int // queries and greetings
	bad  bool
}

func probe(rev int) *attempt {
	return &attempt{p: &parser{rev: rev, client: rev}}
}

func (a *attempt) run(dir protocol.Direction, b []byte) bool {
	for len(b) > 0 && !a.bad {
		n, ok := a.p.step(dir, b, a)
		if !ok {
			return false
		}
		b = b[n:]
	}
	return !a.bad
}

// isWhole reports whether what was run ended with a packet.
func (a *attempt) isWhole() bool { return len(a.p.in.ops) == 0 }

// The methods of protocol.Sink.
func (a *attempt) RequestBegin(uint64)                      { a.n++; a.bad = a.n > 1 }
func (a *attempt) RequestHead(_ uint64, r protocol.Request) { a.verb = r.Operation }
func (a *attempt) RequestEnd(uint64, protocol.End)          {}
func (a *attempt) ResponseBegin(uint64)                     {}
func (a *attempt) ResponseHead(uint64, protocol.Response)   {}
func (a *attempt) ResponseEnd(uint64, protocol.End)         {}
func (a *attempt) Opaque()                                  { a.bad = true }
func (a *attempt) Lost(signal.Cause, uint64)                {}
