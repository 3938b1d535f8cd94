package truth

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Types of columns (native_protocol_v5.spec §4.2.5.2).
const (
	cqlBlob, cqlInt, cqlUUID, cqlText, cqlInet = 0x03, 0x09, 0x0C, 0x0D, 0x10
	cqlSet                                     = 0x22
)

// cqlRequest is what is to be answered, and then what was.
type cqlRequest struct {
	operation, status, text string
	rows                    int
	noMetadata, isNextPage  bool
}

// options reads what follows a statement: consistency, flags, and values, of which there are none where a page is asked for (§4.1.4).
func (q *cqlRequest) options(f *cqlFrame) {
	const values, skipMetadata, pageSize, pagingState = 0x01, 0x02, 0x04, 0x08
	f.body.takeShort()
	flags := 0
	if f.version == 5 {
		flags = f.body.takeInt()
	} else if b := f.body.take(1); len(b) == 1 {
		flags = int(b[0])
	}
	q.noMetadata, q.isNextPage = flags&skipMetadata != 0, flags&pagingState != 0
}

// run answers a statement. The table says how: e1000 and the like with that error, slow after a while, many in pages, big with more than a
// segment holds, warned with a warning.
func (q *cqlRequest) run(r *cqlFrame) {
	_, table, _ := strings.Cut(q.text, "app.")
	table, _, _ = strings.Cut(table, " ")
	switch {
	case len(table) == 5 && table[0] == 'e':
		code, _ := strconv.ParseUint(table[1:], 16, 16)
		q.fail(r, int(code))
		return
	case table == "slow":
		time.Sleep(cqlSlow)
	case table == "warned":
		r.warns = true
		r.body.short(1)
		r.body.text("Aggregation query used without partition key")
	}
	switch q.operation {
	case "CREATE":
		r.body.int(5)
		schemaChange(&r.body)
	case "USE":
		r.body.int(3)
		r.body.text("app")
	default:
		t := rowsOfTable(q.text)
		if t == nil {
			r.body.int(1)
			return
		}
		var next []byte
		if table == "many" && !q.isNextPage {
			next = []byte("the second page")
		}
		metadata := t
		if q.noMetadata {
			metadata = nil
		}
		r.body.int(2)
		metadata.describe(&r.body, len(t.columns), next)
		r.body.int(len(t.rows))
		for _, row := range t.rows {
			for _, v := range row {
				r.body.value(v)
			}
		}
		q.rows = len(t.rows)
	}
}

// cqlSlow is how long the table slow takes.
const cqlSlow = 50 * time.Millisecond

func schemaChange(b *cqlBody) {
	for _, s := range []string{"CREATED", "TABLE", "app", "fresh"} {
		b.text(s)
	}
}

// fail answers with an error and what belongs to its code (§8).
func (q *cqlRequest) fail(r *cqlFrame, code int) {
	q.status = fmt.Sprintf("0x%04X", code)
	r.opcode = cqlError
	r.body.int(code)
	r.body.text("said the stub")
	const quorum = 4
	switch code {
	case 0x1000:
		r.body.short(quorum)
		r.body.int(2)
		r.body.int(1)
	case 0x1100:
		r.body.short(quorum)
		r.body.int(1)
		r.body.int(2)
		r.body.text("SIMPLE")
	case 0x1200:
		r.body.short(quorum)
		r.body.int(1)
		r.body.int(2)
		r.body.byte(1)
	case 0x2400:
		r.body.text("app")
		r.body.text("users")
	}
}

// A cqlTable is what a SELECT returns.
type cqlTable struct {
	name    string
	columns []string
	types   []int // a set is one of text
	rows    [][][]byte
}

// describe writes the metadata of rows; nil: that there is none of so many columns (§4.2.5.2).
func (t *cqlTable) describe(b *cqlBody, columns int, nextPage []byte) {
	const global, more, none = 1, 2, 4
	flags := 0
	if nextPage != nil {
		flags |= more
	}
	if t == nil {
		flags |= none
	} else {
		flags, columns = flags|global, len(t.columns)
	}
	b.int(flags)
	b.int(columns)
	if nextPage != nil {
		b.value(nextPage)
	}
	if t == nil {
		return
	}
	b.text("app")
	b.text(t.name)
	for i, name := range t.columns {
		b.text(name)
		b.short(t.types[i])
		if t.types[i] == cqlSet {
			b.short(cqlText)
		}
	}
}

// rowsOfTable is nil for what returns none.
func rowsOfTable(text string) *cqlTable {
	word := func(size int) []byte { return []byte(strings.Repeat("word ", size/5)) }
	row := func(values ...[]byte) [][]byte { return values }
	id := []byte("0123456789abcdef")
	switch {
	case strings.Contains(text, "FROM system.local"):
		var tokens cqlBody
		tokens.int(1)
		tokens.value([]byte("0"))
		home := []byte{127, 0, 0, 1}
		t := &cqlTable{name: "local", columns: []string{"key", "cluster_name", "partitioner", "data_center", "rack", "release_version",
			"host_id", "schema_version", "rpc_address", "broadcast_address", "listen_address", "tokens"},
			types: []int{cqlText, cqlText, cqlText, cqlText, cqlText, cqlText, cqlUUID, cqlUUID, cqlInet, cqlInet, cqlInet, cqlSet},
			rows: [][][]byte{{[]byte("local"), []byte("stub"), []byte("org.apache.cassandra.dht.Murmur3Partitioner"), []byte("dc"), []byte("rack"), []byte("4.0.0"),
				id, id, home, home, home, tokens}}}
		if strings.HasPrefix(text, "SELECT schema_version ") {
			t = &cqlTable{name: "local", columns: []string{"schema_version"}, types: []int{cqlUUID}, rows: [][][]byte{{id}}}
		}
		return t
	case strings.Contains(text, "FROM system"): // no peers, no tables
		return &cqlTable{name: "peers", columns: []string{"peer"}, types: []int{cqlInet}}
	case !strings.HasPrefix(text, "SELECT") && !strings.HasPrefix(text, "LIST"):
		return nil
	}
	t := &cqlTable{name: "users", columns: []string{"id", "name"}, types: []int{cqlInt, cqlText}}
	n, size := 3, 20
	switch {
	case strings.Contains(text, "app.many"):
		n = 100
	case strings.Contains(text, "app.big"):
		n, size = 1, 300000
	}
	for i := range n {
		t.rows = append(t.rows, row([]byte{0, 0, 0, byte(i)}, word(size)))
	}
	return t
}
