package dialect_test

import (
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
)

// Requests after graphql.org/learn/serving-over-http and what Apollo, Relay, urql and graphql-request send.
func TestGraphQL(t *testing.T) {
	const data = `{"data":{"cart":{"errors":[{"a":1}]}}}`
	post := func(name, body, want string) exchange {
		return exchange{name: name, request: "POST /graphql", fields: json, body: body, response: json, reply: data, want: want}
	}
	get := func(name, target, want string) exchange {
		return exchange{name: name, request: "GET " + target, response: json, reply: data, want: want}
	}
	failed := func(name, reply, want string) exchange {
		return exchange{name: name, request: "POST /graphql", fields: json, body: `{"query":"mutation Pay { pay }"}`, response: json, reply: reply, want: want}
	}
	runTable(t, []exchange{
		post("Apollo", `{"operationName":"GetCart","variables":{"id":"{ } mutation X {"},"query":"query GetCart($id: ID!) {\n  cart(id: $id) {\n    total\n    __typename\n  }\n}"}`, "graphql query GetCart"),
		post("order", `{"query":"query GetCart { cart }","operationName":"GetCart"}`, "graphql query GetCart"),
		post("no operationName", `{"query":"mutation AddItem($i: [ItemInput!]! = [{a: \"}\"}]) @live { add(items: $i) { id } }"}`, "graphql mutation AddItem"),
		post("anonymous", `{"query":"{ me { name } }"}`, "graphql query -"),
		post("anonymous query", `{"query":"query { me { name } }"}`, "graphql query -"),
		post("anonymous with variables", `{"query":"query($id: ID!) { me(id: $id) { name } }","variables":{}}`, "graphql query -"),
		post("directive", `{"query":"query Me @cached(ttl: 60) { me { name } }"}`, "graphql query Me"),
		post("subscription", `{"query":"subscription OnAdd { added { id } }"}`, "graphql subscription OnAdd"),
		post("fragments first", `{"query":"fragment F on User { id ...G }\nfragment G on User { name }\nquery Me { me { ...F } }"}`, "graphql query Me"),
		post("comments", `{"query":"# query Wrong { a }\n  query Me { # mutation X {\n me }"}`, "graphql query Me"),
		post("several", `{"query":"query A { a } mutation B { b }","operationName":"B"}`, "graphql mutation B"),
		post("several, null", `{"query":"query A { a } mutation B { b }","operationName":null}`, "graphql - -"),
		post("strings", `{"query":"query A { a(x: \"} query B {\", y: \"\"\"} \\\" mutation C {\"\"\", z: \"\") { b } }"}`, "graphql query A"),
		post("escapes", `{"query":"\u0071uery A {\r\n\ta }"}`, "graphql query A"),
		post("persisted", `{"operationName":"GetCart","variables":{},"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}`, "graphql - GetCart"),
		post("not a name", `{"query":"query A { a }","operationName":"'; drop table"}`, "graphql - -"),
		{name: "Shopify", request: "POST /admin/api/2026-10/graphql.json", fields: json, body: `{"query":"{ shop { name } }"}`, response: json, reply: data, want: "graphql query -"},
		{name: "gqlgen", request: "POST /query", fields: json, body: `{"query":"query A { a }"}`, response: json, reply: data, want: "graphql query A"},
		{name: "no response", request: "POST /graphql", fields: json, body: `{"query":"query A { a }"}`, want: "graphql query A"},
		get("GET", "/graphql?query=query+Me%7Bme%7Bname%7D%7D&operationName=Me", "graphql query Me"),
		get("GET of a persisted one", "/graphql?operationName=Me&extensions=%7B%22persistedQuery%22%3A%7B%7D%7D", "graphql - Me"),
		failed("errors first", `{"errors":[{"message":"no"}],"data":null}`, "graphql mutation Pay graphql_errors"),
		failed("errors last", `{"data":null,"errors":[{"message":"no"}]}`, "graphql mutation Pay graphql_errors"),
		failed("no errors", `{"errors":[],"data":{}}`, "graphql mutation Pay"),
		failed("null errors", `{"errors":null,"data":{}}`, "graphql mutation Pay"),

		post("batch", `[{"operationName":"GetUser","variables":{"query":"x"},"query":"query GetUser { u }"}, {"query":"query GetCart { c }"}]`, "graphql query batch of GetCart, GetUser"),
		post("batch of one", `[{"query":"mutation A { a }"}]`, "graphql mutation batch of A"),
		post("batch of one operation many times", `[{"query":"query A { a }"},{"query":"query A { a }"},{"query":"query A { a }"}]`, "graphql query batch of A"),
		post("batch of both types", `[{"query":"query A { a }"},{"query":"mutation B { a }"}]`, "graphql - batch of A, B"),
		post("batch of persisted ones", `[{"operationName":"A","extensions":{"persistedQuery":{"version":1}}},{"extensions":{"persistedQuery":{}},"operationName":"B"}]`, "graphql - batch of A, B"),
		post("batch of anonymous ones", `[{"query":"{ a }"},{"query":"query B { a }"}]`, "graphql query batch of (anonymous), B"),
		post("large batch", `[{"query":"query F { a }"},{"query":"query B { a }"},{"query":"query C { a }"},{"query":"query D { a }"},{"query":"query E { a }"},{"query":"query A { a }"}]`,
			"graphql query batch of B, C, D, F, …"),
		{name: "batch with errors", request: "POST /graphql", fields: json, body: `[{"query":"{ a }"},{"query":"query B { a }"}]`, response: json,
			reply: `[{"data":{"a":1}},{"errors":[{"message":"no"}]}]`, want: "graphql query batch of (anonymous), B graphql_errors"},
		{name: "batch without errors", request: "POST /graphql", fields: json, body: `[{"query":"query B { a }"}]`, response: json,
			reply: `[{"errors":[],"data":{"errors":[{"a":1}]}}]`, want: "graphql query batch of B"},

		// near misses
		post("batch of others", `[{"query":"query A { a }"},{"query":"select 1"}]`, ""),
		post("batch of numbers", `[1, 2]`, ""),
		post("batch with a number", `[{"query":"query A { a }"}, 2]`, ""),
		post("empty batch", `[]`, ""),
		post("batch in a batch", `[[{"query":"query A { a }"}]]`, ""),
		post("SQL", `{"query":"select * from users"}`, ""),
		post("prose", `{"query":"query the users"}`, ""),
		post("prose with a brace", `{"query":"query the users { now }"}`, ""),
		post("JSON inside", `{"query":"{\"match\":1}"}`, ""),
		post("PromQL", `{"query":"{job=\"x\"}"}`, ""),
		post("Elasticsearch", `{"query":{"match_all":{}}}`, ""),
		post("deeper", `{"a":{"query":"query A { a }"}}`, ""),
		post("empty", `{"query":"{}"}`, ""),
		post("a brace alone", `{"query":"{"}`, ""),
		post("name without a document", `{"operationName":"GetCart"}`, ""),
		{name: "another path", request: "POST /search", fields: json, body: `{"query":"query A { a }"}`, response: json, reply: data},
		{name: "form", request: "POST /graphql", fields: "Content-Type: application/x-www-form-urlencoded\r\n", body: `query=x`, response: json, reply: data},
		get("Prometheus", "/api/v1/query?query=up", ""),
		get("Prometheus with a selector", "/api/v1/query?query=%7Bjob%3D%22x%22%7D", ""),
		get("console", "/graphql", ""),
		get("console with words", "/graphql?query=help", ""),
	})
}

// Of a batch that was not copied whole, nobody knows what else is in it.
func TestGraphQLBatchBeyondTheCopy(t *testing.T) {
	body := `[{"query":"query A { a }"},{"query":"query B { ` + strings.Repeat("field ", 100) + `}"}]`
	x := exchange{request: "POST /graphql", fields: json, body: body}
	text, _ := x.calls(false)
	head := strings.Index(text, "\r\n\r\n") + 4
	for copied, want := range map[int]string{head + 20: "graphql - batch", head + 60: "graphql - batch", len(text): "graphql query batch of A, B"} {
		v := &viewer{views: map[uint64]*protocol.View{}}
		p := http1.Protocol{}.NewParser(protocol.Start{})
		p.Data(protocol.ToServer, []byte(text[:copied]), v)
		if rest := len(text) - copied; rest > 0 {
			p.Gap(protocol.ToServer, uint32(rest), nil, v)
		}
		if got := describe(v.views[1]); got != want || v.whole != (copied < len(text)) {
			t.Errorf("of %d bytes it is %q and asks for all: %v; want %q", copied, got, v.whole, want)
		}
	}
}

// Requests above what is copied: the name is not guessed, and the connection is asked for.
func TestGraphQLBeyondTheCopy(t *testing.T) {
	body := `{"query":"query GetCart { ` + strings.Repeat("field ", 100) + `}","operationName":"Other"}`
	x := exchange{request: "POST /graphql", fields: json, body: body}
	text, _ := x.calls(false)
	head := strings.Index(text, "\r\n\r\n") + 4
	for name, c := range map[string]struct {
		copied    int
		want      string
		wantWhole bool
	}{
		"head only":        {head, "", true},
		"some of the body": {head + 60, "graphql - -", true},
		"all":              {len(text), "graphql - Other", false},
	} {
		t.Run(name, func(t *testing.T) {
			v := &viewer{views: map[uint64]*protocol.View{}}
			p := http1.Protocol{}.NewParser(protocol.Start{})
			p.Data(protocol.ToServer, []byte(text[:c.copied]), v)
			if rest := len(text) - c.copied; rest > 0 {
				p.Gap(protocol.ToServer, uint32(rest), nil, v)
			}
			if got := describe(v.views[1]); got != c.want || v.whole != c.wantWhole {
				t.Errorf("it is %q and asks for all: %v; want %q and %v", got, v.whole, c.want, c.wantWhole)
			}
		})
	}
}
