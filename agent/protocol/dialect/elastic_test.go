package dialect_test

import (
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol/dialect"
)

// Requests and responses after the REST API documentation of Elasticsearch 8 and OpenSearch 2.
func TestElastic(t *testing.T) {
	const opensearch = "X-OpenSearch-Version: OpenSearch/3.0.0 (opensearch)\r\ncontent-type: application/json; charset=UTF-8\r\n"
	const old = "content-type: application/json; charset=UTF-8\r\n"
	const client = "Accept: application/vnd.elasticsearch+json; compatible-with=8\r\nContent-Type: application/vnd.elasticsearch+json; compatible-with=8\r\n"
	runTable(t, []exchange{
		{name: "search", request: "POST /orders/_search?size=10", fields: json, body: `{"query":{"match_all":{}}}`, response: es, reply: `{"took":5,"hits":{}}`, want: "elasticsearch search orders"},
		{name: "search with client's type", request: "POST /orders/_search", fields: client, body: `{}`, response: es, reply: `{"took":5}`, want: "elasticsearch search orders"},
		{name: "search of all", request: "GET /_search", response: es, reply: `{"took":5}`, want: "elasticsearch search -"},
		{name: "dated indices", request: "GET /logs-2026.11.20,logs-2026.11.21/_search", response: es, reply: `{"took":5}`, want: "elasticsearch search logs-{date}"},
		{name: "data stream's backing index", request: "GET /.ds-web-2026.11.21-000042/_count", response: es, reply: `{"count":5}`, want: "elasticsearch count .ds-web-{date}-{id}"},
		{name: "bulk", request: "POST /_bulk", fields: "Content-Type: application/x-ndjson\r\n", body: "{\"index\":{}}\n{}\n", response: es, reply: `{"errors":false,"took":7}`, want: "elasticsearch bulk -"},
		{name: "bulk into an index", request: "PUT /orders/_bulk", fields: "Content-Type: application/x-ndjson\r\n", body: "{\"index\":{}}\n{}\n", response: es, reply: `{}`, want: "elasticsearch bulk orders"},
		{name: "index with id", request: "PUT /orders/_doc/8123", fields: json, body: `{"a":1}`, response: es, reply: `{"_index":"orders"}`, status: 201, want: "elasticsearch index orders"},
		{name: "index", request: "POST /orders/_doc", fields: json, body: `{"a":1}`, response: es, reply: `{"_index":"orders"}`, status: 201, want: "elasticsearch index orders"},
		{name: "get", request: "GET /orders/_doc/8123", response: es, reply: `{"_index":"orders"}`, want: "elasticsearch get orders"},
		{name: "get of none", request: "GET /orders/_doc/a%2Fb", response: es, status: 404, reply: `{"_index":"orders","found":false}`, want: "elasticsearch get orders"},
		{name: "exists", request: "HEAD /orders/_doc/8123", response: es, want: "elasticsearch exists orders"},
		{name: "delete", request: "DELETE /orders/_doc/8123", response: es, reply: `{}`, want: "elasticsearch delete orders"},
		{name: "update", request: "POST /orders/_update/8123", fields: json, body: `{"doc":{}}`, response: es, reply: `{"_index":"orders"}`, want: "elasticsearch update orders"},
		{name: "msearch", request: "POST /_msearch", fields: "Content-Type: application/x-ndjson\r\n", body: "{}\n{}\n", response: es, reply: `{"took":1}`, want: "elasticsearch msearch -"},
		{name: "mget", request: "POST /orders/_mget", fields: json, body: `{"ids":[]}`, response: es, reply: `{"docs":[]}`, want: "elasticsearch mget orders"},
		{name: "scroll", request: "POST /_search/scroll", fields: json, body: `{}`, response: es, reply: `{"_scroll_id":""}`, want: "elasticsearch scroll -"},
		{name: "delete by query", request: "POST /orders/_delete_by_query", fields: json, body: `{}`, response: es, reply: `{"took":1}`, want: "elasticsearch delete_by_query orders"},
		{name: "health", request: "GET /_cluster/health", response: es, reply: `{"cluster_name":"x"}`, want: "elasticsearch cluster.health -"},
		{name: "cat", request: "GET /_cat/indices/orders?v", response: "X-elastic-product: Elasticsearch\r\nContent-Type: text/plain\r\n", reply: "green open", want: "elasticsearch cat.indices -"},
		{name: "create an index", request: "PUT /orders", fields: client, body: `{}`, response: es, reply: `{"acknowledged":true}`, want: "elasticsearch indices.create orders"},
		{name: "info", request: "GET /", fields: client, response: es, reply: `{"name":"x"}`, want: "elasticsearch info -"},
		{name: "mapping", request: "GET /orders/_mapping", response: es, reply: `{}`, want: "elasticsearch indices.get_mapping orders"},
		{name: "no response", request: "POST /orders/_search", fields: json, body: `{}`, want: "elasticsearch search orders"},
		{name: "OpenSearch", request: "POST /orders/_search", fields: json, body: `{}`, response: opensearch, reply: `{"took":5}`, want: "opensearch search orders"},
		{name: "before 7.14", request: "POST /orders/_search", fields: json, body: `{}`, response: old, reply: `{"took":5,"timed_out":false}`, want: "elasticsearch search orders"},
		{name: "before 7.14, compressed", request: "POST /orders/_search", fields: json, body: `{}`, response: old + "Content-Encoding: gzip\r\n", reply: "\x1f\x8b012345678901234567890123456789", want: "elasticsearch search orders"},
		{name: "not found before 7.14", request: "POST /orders/_search", fields: json, body: `{}`, response: old, status: 404, reply: `{"error":{"root_cause":[]},"status":404}`, want: "elasticsearch search orders"},

		// near misses
		{name: "FHIR", request: "POST /Patient/_search", fields: "Content-Type: application/x-www-form-urlencoded\r\n", body: "name=x", response: "Content-Type: application/fhir+json\r\n", reply: `{"resourceType":"Bundle"}`},
		{name: "FHIR in lower case", request: "POST /fhir/_search", fields: "Content-Type: application/x-www-form-urlencoded\r\n", body: "name=x", response: json, reply: `{"resourceType":"Bundle"}`},
		{name: "FHIR with JSON", request: "GET /fhir/_search", response: json, reply: `{"resourceType":"Bundle","type":"searchset"}`},
		{name: "CouchDB", request: "GET /orders/_all_docs", response: json, reply: `{"total_rows":3,"offset":0}`},
		{name: "CouchDB find", request: "POST /orders/_find", fields: json, body: `{"selector":{}}`, response: json, reply: `{"docs":[]}`},
		{name: "CouchDB bulk", request: "POST /orders/_bulk_docs", fields: json, body: `{"docs":[]}`, response: json, reply: `[{"ok":true}]`},
		{name: "CouchDB search", request: "GET /orders/_design/d/_search/i", response: json, reply: `{"total_rows":3}`},
		{name: "REST of the same path", request: "POST /users/_search", fields: json, body: `{}`, response: json, reply: `{"users":[{"name":"x"}],"total":1}`},
		{name: "REST list", request: "POST /users/_search", fields: json, body: `{}`, response: json, reply: `[{"name":"x","mail":"y@example.org"}]`},
		{name: "page", request: "GET /users/_search", response: "Content-Type: text/html\r\n", reply: "<html></html>"},
		{name: "word without underscore", request: "GET /orders/search", response: json, reply: `{"took":5}`},
		{name: "deeper", request: "GET /api/orders/_search", response: json, reply: `{"took":5,"timed_out":false}`},
		{name: "Next.js", request: "GET /_next/data/x.json", response: json, reply: `{}`},
		{name: "mapping without a name", request: "GET /orders/_mapping", response: json, reply: `{"orders":{"mappings":{}}}`},
		{name: "index without a name", request: "PUT /orders", fields: json, body: `{}`, response: json, reply: `{"acknowledged":true}`},
		{name: "wrong method", request: "PUT /orders/_search", fields: json, body: `{}`, response: es, reply: `{"error":""}`},
		{name: "Mongo-like", request: "GET /_count", response: json, reply: `{"total":12345,"pages":20}`},
	})
}

func TestIndexTemplate(t *testing.T) {
	f := dialect.Protocols()[0].Semantics().Template
	for in, want := range map[string]string{
		"":                              "",
		"orders":                        "orders",
		"logs-2026.11.21":               "logs-{date}",
		"logs-2026-11-21":               "logs-{date}",
		"logs-20261121":                 "logs-{date}",
		"logs-2026.11":                  "logs-{date}",
		"logs-000042":                   "logs-{id}",
		".ds-web-2026.11.21-000042":     ".ds-web-{date}-{id}",
		"v2-orders":                     "v2-orders",
		"log4j":                         "log4j",
		"tenant-3f2a9c1bdead":           "tenant-{token}",
		"a,b,a":                         "a,b,a",
		"a,b,c,d,e":                     "a,b,c,…",
		"logs-1,logs-2,logs-3":          "logs-{id}",
		"logs-*":                        "logs-*",
		"%3Clogs-%7Bnow%2Fd%7D%3E":      "{expression}",
		"orders-2026.11.21-reindexed-2": "orders-{date}-reindexed-{id}",
	} {
		got := f(in)
		if got != want {
			t.Errorf("template of %q = %q, want %q", in, got, want)
		}
		if again := f(got); again != got {
			t.Errorf("template of %q is not stable: %q", got, again)
		}
	}
}
