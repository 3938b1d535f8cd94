package cassandra

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/klauspost/compress/snappy"

	"github.com/sonde-dev/sonde/agent/protocol"
	. "github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// fields makes a body: byte, u16, int32, string (u16 length), long (a long string), []byte as it is.
func fields(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case byte:
			b = append(b, p)
		case u16:
			b = binary.BigEndian.AppendUint16(b, uint16(p))
		case int:
			b = binary.BigEndian.AppendUint32(b, uint32(p))
		case string:
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(p))), p...)
		case long:
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
		case []byte:
			b = append(b, p...)
		default:
			panic(p)
		}
	}
	return b
}

type (
	u16  uint16
	long string
)

func wire(version, flags byte, stream int16, opcode byte, parts ...any) []byte {
	body := fields(parts...)
	b := []byte{version, flags, byte(stream >> 8), byte(stream), opcode}
	return append(binary.BigEndian.AppendUint32(b, uint32(len(body))), body...)
}

func ask(stream int16, opcode byte, parts ...any) []byte { return wire(4, 0, stream, opcode, parts...) }
func say(stream int16, opcode byte, parts ...any) []byte {
	return wire(4|isResponse, 0, stream, opcode, parts...)
}

const (
	id1 = "0123456789abcdef"
	id2 = "fedcba9876543210"
)

var (
	parameters = fields(u16(1), byte(0)) // consistency, flags
	startup    = fields(u16(2), "CQL_VERSION", "3.0.0", "COMPRESSION", "lz4")
	insert     = long("INSERT INTO ks.users (id, name) VALUES (1, 'secret')")
	// Two rows of three columns: int, list<text>, a user-defined type.
	rowsBody = fields(resultRows, 1, 3, "ks", "users", "id", u16(9), "tags", u16(0x20), u16(13),
		"address", u16(0x30), "ks", "address", u16(1), "zip", u16(13), 2, []byte("the rows themselves"))
)

func TestRecognize(t *testing.T) {
	query := ask(1, opQuery, insert, parameters)
	seg := wrap(true, query5)
	for _, tt := range []struct {
		in   string
		want protocol.Verdict
	}{
		{"", protocol.Maybe},
		{string(ask(0, opStartup, startup)), protocol.IsRequest},
		{string(ask(0, opOptions)), protocol.IsRequest},
		{string(query), protocol.IsRequest},
		{string(query[:5]), protocol.Maybe},
		{string(query[:30]), protocol.IsRequest},
		{string(ask(1, opQuery, long("\x01\x02"), parameters)), protocol.No},
		{string(ask(-3, opQuery, insert)), protocol.No}, // no stream of a client's
		{string(wire(6, 0, 1, opQuery, insert)), protocol.No},
		{string(wire(4, 0x40, 1, opQuery, insert)), protocol.No},
		{string(ask(1, opResult, resultVoid)), protocol.No}, // from the client
		{string(say(1, opResult, resultVoid)), protocol.IsResponse},
		{string(say(1, opResult, rowsBody)), protocol.IsResponse},
		{string(say(1, opResult, 9)), protocol.No},
		{string(say(1, opError, 0x2200, "no such table")), protocol.IsResponse},
		{string(say(1, opError, 0x9999, "no such error")), protocol.No},
		{string(say(-1, opEvent, "STATUS_CHANGE", "UP")), protocol.IsResponse},
		{string(ask(1, opExecute, "short", parameters)), protocol.No},
		{string(ask(1, opExecute, id1, parameters, []byte("values and more"))), protocol.IsRequest},
		{string(seg), protocol.IsRequest},
		{string(wrapLZ4(true, query5)), protocol.IsRequest},
		{string(append([]byte{seg[0] ^ 1}, seg[1:]...)), protocol.No},
	} {
		if got := recognize([]byte(tt.in)); got != tt.want {
			t.Errorf("recognize(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
	NotForeign(t, Protocol{}, "cassandra")
	Random(t, Protocol{})
}

// wrap puts frames into a segment.
func wrap(isSelfContained bool, frames ...[]byte) []byte {
	payload := slices.Concat(frames...)
	bits := uint32(len(payload))
	if isSelfContained {
		bits |= 1 << 17
	}
	return seal([]byte{byte(bits), byte(bits >> 8), byte(bits >> 16)}, payload)
}

func seal(head, payload []byte) []byte {
	crc := crc24(head)
	b := append(head, byte(crc), byte(crc>>8), byte(crc>>16))
	return binary.LittleEndian.AppendUint32(append(b, payload...), payloadCRC(payload))
}

// wrapLZ4 does so with compression.
func wrapLZ4(isSelfContained bool, frames ...[]byte) []byte {
	plain := slices.Concat(frames...)
	payload := lz4(plain)
	bits := uint64(len(payload)) | uint64(len(plain))<<17
	if isSelfContained {
		bits |= 1 << 34
	}
	var head []byte
	for i := range 5 {
		head = append(head, byte(bits>>(8*i)))
	}
	return seal(head, payload)
}

// lz4 makes a block of literals and, where the text repeats a byte, one match.
func lz4(b []byte) []byte {
	length := func(n int) (nibble byte, more []byte) {
		if n < 15 {
			return byte(n), nil
		}
		for n -= 15; n >= 255; n -= 255 {
			more = append(more, 255)
		}
		return 15, append(more, byte(n))
	}
	n, more := length(len(b))
	return append(append([]byte{n << 4}, more...), b...)
}

func TestLZ4(t *testing.T) {
	for _, tt := range []struct{ block, want string }{
		{"\x50hello", "hello"},
		{"\x10a\x01\x00\x50bcdef", "aaaaabcdef"},                                 // match of 4 that overlaps itself
		{"\x4fabcd\x04\x00\x06\x10e", "abcd" + strings.Repeat("abcd", 6) + "ae"}, // match of 19+6
		{"\xf0\x05" + strings.Repeat("x", 20), strings.Repeat("x", 20)},
	} {
		got := string(unlz4(make([]byte, 0, len(tt.want)), []byte(tt.block)))
		if got != tt.want {
			t.Errorf("unlz4(%q) = %q, want %q", tt.block, got, tt.want)
		}
		for i := range tt.block { // what is cut gives a prefix
			if got := string(unlz4(make([]byte, 0, len(tt.want)), []byte(tt.block[:i]))); !strings.HasPrefix(tt.want, got) {
				t.Errorf("unlz4(%q) = %q, want a prefix of %q", tt.block[:i], got, tt.want)
			}
		}
	}
}

// The oracle is klauspost/compress.
func TestSnappy(t *testing.T) {
	for _, want := range []string{
		"hello", strings.Repeat("abcd", 30), strings.Repeat("word ", 30_000), strings.Repeat("x", 61) + "y", string(rowsBody),
		strings.Repeat(strings.Repeat("0123456789", 300)+"abc", 3), // copies from further back than 2 KiB
	} {
		block := snappy.Encode(nil, []byte(want))
		_, size := binary.Uvarint(block)
		block = block[size:]
		if got := string(unsnappy(make([]byte, 0, len(want)), block)); got != want {
			t.Errorf("unsnappy of %d bytes gives %d bytes, %.40q", len(want), len(got), got)
		}
		for i := 0; i < len(block); i += 1 + len(block)/100 { // what is cut gives a prefix, and so does less room
			if got := string(unsnappy(make([]byte, 0, len(want)), block[:i])); !strings.HasPrefix(want, got) {
				t.Errorf("the first %d bytes of %.40q give %.40q", i, want, got)
			}
			if got := string(unsnappy(make([]byte, 0, i), block)); !strings.HasPrefix(want, got) || len(got) != min(i, len(want)) {
				t.Errorf("the first %d bytes of %.40q read %.40q", i, want, got)
			}
		}
	}
}

// The oracle is the official driver's.
func TestCRC24(t *testing.T) {
	for i := range uint32(1000) {
		head := binary.LittleEndian.AppendUint32(nil, i*2654435761)[:3+i%2]
		if got, want := crc24(head), gocql.Crc24(head); got != want {
			t.Fatalf("crc24(%x) = %#x, want %#x", head, got, want)
		}
	}
}

var query5 = wire(5, 0, 3, opQuery, long("SELECT v FROM t WHERE k = 42"), parameters, u16(0))

var conversations = []Conversation{
	{Name: "version 4", Calls: []Call{
		Client(ask(0, opOptions)), Server(say(0, opSupported, u16(1), "CQL_VERSION", u16(1), "3.0.0")),
		Client(ask(0, opStartup, startup)), Server(say(0, opAuthenticate, "PasswordAuthenticator")),
		Client(ask(0, opAuthResponse, long("\x00user\x00secret"))), Server(say(0, opAuthSuccess, 0)),
		Client(ask(0, opRegister, u16(1), "STATUS_CHANGE")), Server(say(0, opReady)),
		Client(ask(1, opQuery, insert, parameters), ask(2, opQuery, long("SELECT * FROM ks.users"), parameters)),
		Client(ask(3, opPrepare, long("SELECT name FROM ks.users WHERE id = ?"))),
		Server(say(2, opResult, rowsBody), say(1, opResult, resultVoid), say(3, opResult, resultPrepared, id1, 0, 0, 0)),
		Client(ask(4, opExecute, id1, parameters, []byte("values"))), Server(wire(4|isResponse, flagWarning|flagTracing, 4, opResult, []byte("0123456789abcdef"), u16(1), "slow", rowsBody)),
		Client(ask(5, opBatch, byte(0), u16(2), byte(0), insert, u16(0), byte(1), id1, u16(0), u16(1), byte(0))), Server(say(5, opError, 0x1100, "timed out", u16(1), 1, 2, "BATCH")),
		Client(ask(6, opQuery, long("SELEKT 1"), parameters)), Server(say(6, opError, 0x2000, "line 1:0 no viable alternative")),
		Client(ask(7, opQuery, long("list ROLES OF somebody"), parameters)), Server(say(7, opResult, rowsBody)),
		Server(say(-1, opEvent, "STATUS_CHANGE", "DOWN", byte(4), []byte{127, 0, 0, 1}, 9042)),
	}, Want: []string{
		"OPTIONS - ok req=9 res=33", "STARTUP - ok req=49 res=32", "AUTH_RESPONSE - ok req=25 res=13", "REGISTER - ok req=26 res=9",
		"SELECT SELECT * FROM ks.users ok req=38 res=104 count0=2",
		"INSERT INSERT INTO ks.users (id, name) VALUES (?) ok req=68 res=13",
		"PREPARE SELECT name FROM ks.users WHERE id = ? ok req=51 res=43",
		"SELECT SELECT name FROM ks.users WHERE id = ? ok req=36 res=128 count0=2",
		"BATCH INSERT INTO ks.users (id, name) VALUES (?) 0x1100 req=95 res=41 servererror=0x1100 error=0x1100",
		"other SELEKT ? 0x2000 req=24 res=45 error=0x2000", "LIST list ROLES OF somebody ok req=38 res=104 count0=2",
		"EVENT - STATUS_CHANGE req=39 res=0 noresponse",
	}},
	{Name: "compressed frames", Calls: []Call{
		Client(ask(0, opStartup, startup)), Server(say(0, opReady)),
		Client(wire(4, flagCompressed, 1, opQuery, 64, lz4(fields(insert, parameters)))), Server(wire(4|isResponse, flagCompressed, 1, opResult, len(rowsBody), lz4(rowsBody))),
		Client(ask(0, opStartup, u16(1), "COMPRESSION", "snappy")), Server(say(0, opReady)),
		Client(wire(4, flagCompressed, 1, opQuery, snappy.Encode(nil, fields(insert, parameters)))), Server(wire(4|isResponse, flagCompressed, 1, opResult, snappy.Encode(nil, rowsBody))),
	}, Want: []string{
		"STARTUP - ok req=49 res=9", "INSERT INSERT INTO ks.users (id, name) VALUES (?) ok req=74 res=110 count0=2",
		"STARTUP - ok req=32 res=9", "INSERT INSERT INTO ks.users (id, name) VALUES (?) ok req=70 res=107 count0=2",
	}},
	{Name: "version 5", Calls: []Call{
		Client(wire(5, 0, 0, opStartup, u16(1), "CQL_VERSION", "3.0.0")), Server(wire(5|isResponse, 0, 0, opReady)),
		Client(wrap(true, query5, wire(5, 0, 4, opPrepare, long("DELETE FROM t WHERE k = ?"), 0))),
		Server(wrap(true, wire(5|isResponse, 0, 4, opResult, resultPrepared, id2, id2, 0, 0)), wrap(true, wire(5|isResponse, 0, 3, opResult, rowsBody))),
		Client(wrap(false, wire(5, 0, 5, opExecute, id2, id2, parameters, make([]byte, 300))[:200]), wrap(false, wire(5, 0, 5, opExecute, id2, id2, parameters, make([]byte, 300))[200:])),
		Server(wrap(true, wire(5|isResponse, 0, 5, opResult, resultVoid))),
	}, Want: []string{
		"STARTUP - ok req=31 res=9", "PREPARE DELETE FROM t WHERE k = ? ok req=42 res=57", "SELECT SELECT v FROM t WHERE k = ? ok req=46 res=104 count0=2",
		"DELETE DELETE FROM t WHERE k = ? ok req=348 res=13",
	}},
	{Name: "version 5 with LZ4", Calls: []Call{
		Client(wire(5, 0, 0, opStartup, startup)), Server(wire(5|isResponse, 0, 0, opAuthenticate, "PasswordAuthenticator")),
		Client(wrapLZ4(true, wire(5, 0, 0, opAuthResponse, long("\x00user\x00secret")))), Server(wrapLZ4(true, wire(5|isResponse, 0, 0, opAuthSuccess, 0))),
		Client(wrapLZ4(true, query5)), Server(wrapLZ4(true, wire(5|isResponse, 0, 3, opResult, rowsBody))),
	}, Want: []string{
		"STARTUP - ok req=49 res=32", "AUTH_RESPONSE - ok req=25 res=13", "SELECT SELECT v FROM t WHERE k = ? ok req=46 res=104 count0=2",
	}},
}

// same compares the operation, where it is known, and the sizes and, where it is known, the status, which stand at the end.
func same(got, want string) bool {
	tail := func(s string) (status, sizes string) {
		f := strings.Fields(s)
		i := slices.IndexFunc(f, func(w string) bool { return strings.HasPrefix(w, "req=") })
		return f[i-1], f[i]
	}
	gotStatus, gotSizes := tail(got)
	status, sizes := tail(want)
	isSame := strings.Fields(got)[0] == strings.Fields(want)[0] || slices.Contains([]string{"other", "EXECUTE", "QUERY"}, strings.Fields(got)[0])
	return isSame && gotSizes == sizes && (gotStatus == "-" || gotStatus == status)
}

func TestConversations(t *testing.T) {
	Each(t, Protocol{}, conversations, func(t *testing.T, c Conversation) {
		AnyLoss(t, Protocol{}, c.Calls, same)
		for _, line := range Play(t, Protocol{}, false, c.Calls).Lines {
			if strings.Contains(line, "secret") {
				t.Errorf("%q shows a value", line)
			}
		}
	})
}

func TestJoined(t *testing.T) {
	Expect(t, Protocol{}, true, []Call{
		Client([]byte("the end of a value")), Server(say(7, opResult, resultVoid)),
		Client(ask(8, opQuery, insert, parameters)), Server(say(8, opResult, resultVoid)),
	}, "INSERT INSERT INTO ks.users (id, name) VALUES (?) ok req=68 res=13", "loss orphan_response 1")
	for _, w := range []func(bool, ...[]byte) []byte{wrap, wrapLZ4} {
		Expect(t, Protocol{}, true, []Call{
			Client([]byte("the end of a segment")), Client(w(true, query5)), Server(w(true, wire(5|isResponse, 0, 3, opResult, rowsBody))),
		}, "SELECT SELECT v FROM t WHERE k = ? ok req=46 res=104 count0=2")
	}
}

// Where STARTUP was not seen, compression is known by the frames, and rows are counted of results longer than what is kept of them.
func TestJoinedCompressed(t *testing.T) {
	big := slices.Concat(rowsBody, []byte(strings.Repeat("a b c d e f g h i j ", 30_000)))
	for _, way := range []struct {
		name     string
		compress func([]byte) []byte
	}{
		{"snappy", func(b []byte) []byte { return snappy.Encode(nil, b) }},
		{"lz4", func(b []byte) []byte { return fields(len(b), lz4(b)) }},
	} {
		request, response := way.compress(fields(insert, parameters)), way.compress(rowsBody)
		bigResponse, failure := way.compress(big), way.compress(fields(0x2200, "no such table, whatever its name is"))
		Expect(t, Protocol{}, true, []Call{
			Client([]byte("the end of a value")), Client(wire(4, flagCompressed, 1, opQuery, request)), Server(wire(4|isResponse, flagCompressed, 1, opResult, response)),
			Client(wire(4, flagCompressed, 2, opQuery, request)), Server(wire(4|isResponse, flagCompressed, 2, opResult, bigResponse)),
			Client(wire(4, flagCompressed, 3, opQuery, request)), Server(wire(4|isResponse, flagCompressed, 3, opError, failure)),
		}, fmt.Sprintf("INSERT INSERT INTO ks.users (id, name) VALUES (?) ok req=%d res=%d count0=2", 9+len(request), 9+len(response)),
			fmt.Sprintf("INSERT INSERT INTO ks.users (id, name) VALUES (?) ok req=%d res=%d count0=2", 9+len(request), 9+len(bigResponse)),
			fmt.Sprintf("INSERT INSERT INTO ks.users (id, name) VALUES (?) 0x2200 req=%d res=%d error=0x2200", 9+len(request), 9+len(failure)))
	}
}

// Bodies are skipped to the byte, those of segments too.
func TestGaps(t *testing.T) {
	big := say(1, opResult, rowsBody, make([]byte, 300_000))
	Expect(t, Protocol{}, false, []Call{
		Client(ask(1, opQuery, insert, parameters)), {Dir: protocol.FromServer, Data: big[:20_000], Skip: uint32(len(big)) - 20_000},
		Client(ask(2, opQuery, insert, parameters)), Server(say(2, opResult, resultVoid)),
	}, fmt.Sprintf("INSERT INSERT INTO ks.users (id, name) VALUES (?) ok req=68 res=%d count0=2", len(big)),
		"INSERT INSERT INTO ks.users (id, name) VALUES (?) ok req=68 res=13")

	start := []Call{Client(wire(5, 0, 0, opStartup, startup)), Server(wire(5|isResponse, 0, 0, opReady))}
	frame := wire(5|isResponse, 0, 3, opResult, rowsBody, make([]byte, 100_000))
	segment := wrapLZ4(true, frame)
	Expect(t, Protocol{}, false, append(start,
		Client(wrapLZ4(true, query5)), Call{Dir: protocol.FromServer, Data: segment[:3000], Skip: uint32(len(segment)) - 3000},
		Client(wrapLZ4(true, query5)), Server(wrapLZ4(true, wire(5|isResponse, 0, 3, opResult, rowsBody))),
	), "STARTUP - ok req=49 res=9", fmt.Sprintf("SELECT SELECT v FROM t WHERE k = ? ok req=46 res=%d count0=2", len(frame)),
		"SELECT SELECT v FROM t WHERE k = ? ok req=46 res=104 count0=2")
}

func TestBounded(t *testing.T) {
	var calls []Call
	for i := range int16(3000) {
		calls = append(calls, Client(ask(i, opQuery, insert, parameters)))
	}
	for i := range int16(3000) {
		calls = append(calls, Server(say(i, opResult, resultVoid)))
	}
	r := Play(t, Protocol{}, false, calls)
	if r.Open() != 0 || len(r.Lines) != 3000 || len(r.Losses) > 0 {
		t.Errorf("%d wait, %d ended, losses %v, want none, 3000 and none", r.Open(), len(r.Lines), r.Losses)
	}
	for i := range 3 * maxPrepared {
		preparedTexts.put([]byte(fmt.Sprintf("%016d", i)), statement{})
	}
	if n := len(preparedTexts.texts); n > maxPrepared {
		t.Errorf("%d prepared statements, want at most %d", n, maxPrepared)
	}
}

func FuzzParse(f *testing.F) { Fuzz(f, Protocol{}, conversations) }

func BenchmarkParse(b *testing.B) {
	for _, bench := range []struct {
		name              string
		start             [2][]byte
		request, response []byte
	}{
		{"version 4", [2][]byte{ask(0, opStartup, startup), say(0, opReady)}, ask(3, opQuery, insert, parameters), say(3, opResult, rowsBody)},
		{"version 5", [2][]byte{wire(5, 0, 0, opStartup, u16(1), "CQL_VERSION", "3.0.0"), wire(5|isResponse, 0, 0, opReady)}, wrap(true, query5), wrap(true, wire(5|isResponse, 0, 3, opResult, rowsBody))},
		{"version 5 LZ4", [2][]byte{wire(5, 0, 0, opStartup, startup), wire(5|isResponse, 0, 0, opReady)}, wrapLZ4(true, query5), wrapLZ4(true, wire(5|isResponse, 0, 3, opResult, rowsBody))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			p, sink := newParser(), Discard{}
			p.Data(protocol.ToServer, bench.start[0], sink)
			p.Data(protocol.FromServer, bench.start[1], sink)
			b.ReportAllocs()
			for b.Loop() {
				p.Data(protocol.ToServer, bench.request, sink)
				p.Data(protocol.FromServer, bench.response, sink)
			}
		})
	}
}
