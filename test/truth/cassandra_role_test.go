package truth

import (
	"bufio"
	"context"
	"crypto/md5"
	"fmt"
	"maps"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/sonde-dev/sonde/test/wire"
)

// cassandraStub answers drivers as a Cassandra of version 4 would, by the specification of the native protocol, versions 4 and 5, from no
// data: there is no server to be had. What it answers depends on the table: see run. Its account is of what it answered, rows under the
// operation "rows"; what was asked of the keyspace app has the route "app".
type cassandraStub struct {
	wantsPassword bool
	salt          string // so that ids of statements are this server's alone

	mu       sync.Mutex
	done     account
	prepared map[string]*cqlStatement // by id
	watchers map[*cqlConn]byte        // what registered, and its version
}

// A cqlStatement is one that was prepared.
type cqlStatement struct {
	text        string
	isBefore    bool // it was prepared before the account began anew
	isForgotten bool // executed once, and answered with UNPREPARED
}

// cqlConn is one connection. Requests are answered by goroutines of their own, in any order.
type cqlConn struct {
	*cqlWire
	out chan cqlFrame
}

func serveCassandra(ctx context.Context, a Args) (*wire.Log, error) {
	l, err := stubListener(a)
	if err != nil {
		return nil, err
	}
	s := &cassandraStub{wantsPassword: a.Plan == "auth", salt: a.Addr, prepared: map[string]*cqlStatement{}, watchers: map[*cqlConn]byte{}}
	go acceptEach(l, s.serve)
	go func() { // a line on its standard input begins the account anew
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			s.mu.Lock()
			s.done = account{}
			for _, p := range s.prepared {
				p.isBefore = true
			}
			s.mu.Unlock()
			fmt.Fprintln(os.Stderr, "anew")
		}
	}()
	<-ctx.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	return &s.done.log, nil
}

func (s *cassandraStub) serve(raw net.Conn) {
	c := &cqlConn{cqlWire: &cqlWire{Conn: raw, r: bufio.NewReader(raw)}, out: make(chan cqlFrame, 64)}
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.answerAll()
	}()
	var under sync.WaitGroup
	for {
		f, err := c.read()
		if err != nil {
			break
		}
		if f.version != 4 && f.version != 5 { // refused as Cassandra does, and in no account: Sonde reads versions 3 to 5
			r := cqlFrame{version: 5, opcode: cqlError, stream: f.stream}
			r.body.int(0x000A)
			r.body.text(fmt.Sprintf("Invalid or unsupported protocol version (%d); supported versions are (4/v4, 5/v5)", f.version))
			c.out <- r
			break
		}
		if f.opcode == cqlStartup { // nothing else is under way, and what follows is written otherwise
			s.startUp(c, &f)
			continue
		}
		under.Go(func() { s.handle(c, f) })
	}
	under.Wait()
	s.mu.Lock()
	delete(s.watchers, c)
	s.mu.Unlock()
	close(c.out)
	<-written
	raw.Close()
}

// answerAll writes what is there at once, as Cassandra does.
func (c *cqlConn) answerAll() {
	for f := range c.out {
		frames := []cqlFrame{f}
		for n := len(c.out); n > 0; n-- {
			frames = append(frames, <-c.out)
		}
		c.write(frames) // a connection that broke ends with the next read
	}
}

// startUp answers STARTUP, and from then on compresses and, in version 5, writes segments (§4.1.1).
func (s *cassandraStub) startUp(c *cqlConn, f *cqlFrame) {
	options := map[string]string{}
	for n := f.body.takeShort(); n > 0; n-- {
		key := f.body.takeText()
		options[key] = f.body.takeText()
	}
	r := cqlFrame{version: f.version, opcode: cqlReady, stream: f.stream}
	if s.wantsPassword {
		r.opcode = cqlAuthenticate
		r.body.text("org.apache.cassandra.auth.PasswordAuthenticator")
	}
	s.enter(cqlRequest{operation: "STARTUP", status: "ok"})
	c.write([]cqlFrame{r})
	c.compress(options["COMPRESSION"])
	c.inSegments = f.version == 5
}

// handle answers one request and enters it into the account.
func (s *cassandraStub) handle(c *cqlConn, f cqlFrame) {
	r := cqlFrame{version: f.version, stream: f.stream, opcode: cqlResult}
	q := cqlRequest{status: "ok"}
	var watchers map[*cqlConn]byte
	switch f.opcode {
	case cqlOptions:
		q.operation, r.opcode = "OPTIONS", cqlSupported
		r.body.short(2)
		r.body.texts("CQL_VERSION", "3.4.5")
		r.body.texts("COMPRESSION", "lz4", "snappy")
	case cqlAuthResponse:
		q.operation, r.opcode = "AUTH_RESPONSE", cqlAuthSuccess
		if strings.HasSuffix(f.body.takeLong(), "\x00right") {
			r.body.int(-1)
		} else {
			q.fail(&r, 0x0100)
		}
	case cqlRegister:
		q.operation, r.opcode = "REGISTER", cqlReady
		s.mu.Lock()
		s.watchers[c] = f.version
		s.mu.Unlock()
	case cqlPrepare:
		s.prepare(&f, &q, &r)
	case cqlQuery:
		q.text = f.body.takeLong()
		q.operation = verbOf(q.text)
		q.options(&f)
		q.run(&r)
	case cqlExecute:
		s.execute(&f, &q, &r)
	case cqlBatch:
		q.operation, q.text = "BATCH", "app.batch"
		r.body.int(1)
	default:
		q.operation = "unknown"
		q.fail(&r, 0x000A)
	}
	if q.operation == "CREATE" {
		s.mu.Lock()
		watchers = maps.Clone(s.watchers)
		s.mu.Unlock()
	}
	s.enter(q)
	c.out <- r
	for w, version := range watchers {
		s.enter(cqlRequest{operation: "EVENT", status: "SCHEMA_CHANGE"})
		e := cqlFrame{version: version, opcode: cqlEvent, stream: 0xffff}
		e.body.text("SCHEMA_CHANGE")
		schemaChange(&e.body)
		w.out <- e // whoever watches reads until the end of this test
	}
}

func (s *cassandraStub) enter(q cqlRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row := wire.Row{Key: wire.Key{Method: q.operation, Status: q.status}, Sum: wire.Sum{N: 1}}
	if strings.Contains(q.text, "app.") {
		row.Route = "app"
	}
	s.done.log.AddRow(row)
	if q.rows > 0 {
		s.done.log.AddRow(wire.Row{Key: wire.Key{Method: "rows"}, Sum: wire.Sum{N: int64(q.rows)}})
	}
}

// prepare gives a statement the id that it always has on this server, and says what its values and its rows are (§4.2.5.4).
func (s *cassandraStub) prepare(f *cqlFrame, q *cqlRequest, r *cqlFrame) {
	q.operation, q.text = "PREPARE", f.body.takeLong()
	if strings.Contains(q.text, "app.e2000") {
		q.fail(r, 0x2000)
		return
	}
	id := md5.Sum([]byte(s.salt + q.text))
	s.mu.Lock()
	if s.prepared[string(id[:])] == nil {
		s.prepared[string(id[:])] = &cqlStatement{text: q.text}
	}
	s.prepared[string(id[:])].isBefore = false
	s.mu.Unlock()
	r.body.int(4)
	r.body.text(string(id[:]))
	if f.version == 5 {
		r.body.text(string(id[:]))
	}
	values := strings.Count(q.text, "?")
	r.body.int(1)
	r.body.int(values)
	r.body.int(0) // no partition key
	if values > 0 {
		r.body.text("app")
		r.body.text("users")
	} else {
		r.body = append(r.body, 0, 0, 0, 0)
	}
	for i := range values {
		r.body.text(fmt.Sprint("v", i))
		r.body.short(cqlBlob)
	}
	rowsOfTable(q.text).describe(&r.body, 0, nil)
}

// execute runs a prepared statement, but for the first time those of the table forgotten.
func (s *cassandraStub) execute(f *cqlFrame, q *cqlRequest, r *cqlFrame) {
	id := f.body.takeText()
	if f.version == 5 {
		f.body.takeText()
	}
	s.mu.Lock()
	p := s.prepared[id]
	isForgotten := p == nil || strings.Contains(p.text, "app.forgotten") && !p.isForgotten
	if p != nil {
		p.isForgotten = true
		q.text, q.operation = p.text, verbOf(p.text)
		if p.isBefore { // nobody who came later can know what it is
			q.operation = "EXECUTE"
		}
	}
	s.mu.Unlock()
	if isForgotten {
		q.fail(r, 0x2500)
		r.body.text(id)
		return
	}
	q.options(f)
	q.run(r)
}
