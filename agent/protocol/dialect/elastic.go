package dialect

import (
	"bytes"
	"strings"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Elasticsearch says its name in each response since 7.14 (X-elastic-product), its clients in each request since 7.11; OpenSearch since 2.17
// (X-OpenSearch-Version). What is said by neither is Elasticsearch if it is one of the calls that nothing else looks like, and neither
// message contradicts.

var (
	elasticsearch = elastic("elasticsearch", []string{
		"the endpoint (search, bulk, index, cluster.health) and the index, dates and numbers in its name replaced",
		"told by X-elastic-product or a client's own fields; without them (before 7.14) by paths that nothing else has, as /{index}/_search, with JSON both ways",
	}, []string{
		"queries, documents, their ids", "errors of single items inside a bulk response with the status 200",
		"names of indices inside bodies of _bulk, _msearch, _mget",
		"calls of administration (/{index}, _settings and the like) that neither client nor server say to be Elasticsearch's",
	})
	opensearch = elastic("opensearch", []string{"the same, told by X-OpenSearch-Version (since 2.17)"}, []string{
		"versions before: they pass for Elasticsearch", "what is below _plugins: one operation for each plugin",
	})
)

func elastic(system string, read, notRead []string) *names {
	return &names{
		name:      system,
		semantics: protocol.Database(system, "db_collection_name", indexTemplate),
		reading:   protocol.Reading{Read: read, NotRead: notRead},
	}
}

// maxIndex bounds what is kept of an index; a name has up to 255 bytes, and lists of them are longer.
const maxIndex = 128

type elasticReader struct {
	operation, index string
	isKnown          bool // somebody said the name
	isPeculiar       bool // nothing else has this path
	isHead           bool
	isRefuted        bool
	system           *names
	start            [24]byte // of the response's body
	n                int
	isReadable       bool
}

func beginElastic(r Request) Reader {
	isKnown := r.Signs&signElastic != 0
	if !isKnown && !strings.Contains(r.Path, "/_") {
		return nil
	}
	const maxPath = 512
	if len(r.Path) == 0 || r.Path[0] != '/' || len(r.Path) > maxPath {
		return nil
	}
	index, e := findEndpoint(r.Path[1:])
	if e == nil {
		return nil
	}
	operation := e.of(r.Method)
	if operation == "" || len(index) > 0 && !isIndex(index) {
		return nil
	}
	isJSON := r.Signs&signTyped == 0 || r.Signs&(signJSON|signLines) != 0
	if !isKnown && !isJSON {
		return nil
	}
	return &elasticReader{
		operation: operation, index: index[:min(len(index), maxIndex)], isKnown: isKnown,
		isPeculiar: e.isPeculiar, isHead: r.Method == "HEAD", system: elasticsearch,
	}
}

func (d *elasticReader) Response(code int, signs Signs) {
	switch {
	case signs&signOpenSearch != 0:
		d.isKnown, d.system = true, opensearch
	case signs&signElasticServer != 0:
		d.isKnown = true
	case signs&signTyped != 0 && signs&signJSON == 0:
		d.isRefuted = true
	}
	d.isReadable = signs&signCoded == 0 && !d.isHead
}

func (d *elasticReader) Body(dir protocol.Direction, b []byte) {
	if dir == protocol.FromServer && d.isReadable {
		d.n += copy(d.start[d.n:], b)
	}
}

func (d *elasticReader) Gap(dir protocol.Direction) {
	if dir == protocol.FromServer {
		d.isReadable = false
	}
}

func (d *elasticReader) Whole() bool { return false }

func (d *elasticReader) View(bool) *protocol.View {
	if !d.isKnown && (!d.isPeculiar || d.isRefuted || d.n == len(d.start) && !startsLikeElastic(d.start[:])) {
		return nil
	}
	return &protocol.View{Protocol: d.system, Operation: d.operation, Target: d.index}
}

// startsLikeElastic looks at the first member of a response.
func startsLikeElastic(b []byte) bool {
	b, ok := bytes.CutPrefix(bytes.TrimLeft(b, " \r\n"), []byte("{"))
	b, quoted := bytes.CutPrefix(bytes.TrimLeft(b, " \r\n"), []byte(`"`))
	name, _, _ := bytes.Cut(b, []byte(`"`))
	switch string(name) {
	case "took", "_index", "_shards", "_scroll_id", "count", "docs", "responses", "error", "errors", "acknowledged", "num_reduce_phases", "succeeded",
		"pit_id", "id", "cluster_name", "task", "_id", "found", "is_partial":
		return ok && quoted
	}
	return false
}

// isIndex accepts what may stand for indices in a path: names, lists, patterns and date math, always in lower case (Elasticsearch: "Create
// index API, path parameters").
func isIndex(b string) bool {
	if len(b) > 1024 || b[0] == '_' && b != "_all" || b[0] == '+' {
		return false
	}
	for i := range len(b) {
		switch c := b[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c >= 0x80:
		case c == '.' || c == '_' || c == '-' || c == '*' || c == ',' || c == ':' || c == '%':
		case 'A' <= c && c <= 'F' && i > 0 && (b[i-1] == '%' || i > 1 && b[i-2] == '%'): // an escape
		default:
			return false
		}
	}
	return b != "." && b != ".."
}
