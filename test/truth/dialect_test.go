package truth

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/sonde-dev/sonde/test/sut"
	"github.com/sonde-dev/sonde/test/wire"
)

// TestDialects compares what is spoken inside HTTP with the account of a server that behaves like Elasticsearch, GraphQL, S3 and the APIs of
// models (a stub: the real ones are not to be had here), operations and tokens, at both ends and over both versions of HTTP. The
// requests themselves must be counted once, as HTTP.
func TestDialects(t *testing.T) {
	t.Parallel()
	inTiers(t, testDialects)
}

func testDialects(t *testing.T, w way) {
	id := w.id("dialect")
	x := w.sonde(t)
	for _, plan := range []string{"http1", "http2"} {
		t.Run(plan, func(t *testing.T) {
			server, client := id+"-"+plan, id+"-"+plan+"-client"
			addr := local(freePort(t))
			s := startRole(t, server, "dialect-server", Args{Addr: addr})
			s.waitPort(t, "tcp", addr)
			made := startRole(t, client, "dialect-client", Args{Addr: addr, Plan: plan, Requests: 5, Connections: 3}).log(t).Total().N
			s.stop()
			log := s.log(t)
			for what, rows := range dialectRows(log) {
				if len(rows) == 0 {
					t.Fatalf("nothing of %s was asked: the test is void", what)
				}
			}
			for side, service := range map[string]string{"server": server, "client": client} {
				checkDialects(t, x, side, service, log)
				total := map[string]float64{"http": float64(made)}
				eventuallyEqual(t, x, service+"'s requests", total, func() map[string]float64 {
					return valuesBy(t, x, fmt.Sprintf(`sum by (network_protocol_name) (histogram_count(sonde_service_request_duration_seconds{service_name=%q, side=%q}))`, service, side), "network_protocol_name")
				})
				eventuallyEqual(t, x, service+"'s HTTP requests", total, func() map[string]float64 {
					return valuesBy(t, x, fmt.Sprintf(`sum by (network_protocol_name) (histogram_count(http_%s_request_duration_seconds{service_name=%q}))`, side, service), "network_protocol_name")
				})
			}
		})
	}
}

// TestDialectsOfNode has a client that writes a body beside its head, where the kernel copies the head alone until it is told otherwise. The first
// request of the connection, to a model, is named by its response.
func TestDialectsOfNode(t *testing.T) {
	t.Parallel()
	id := fmt.Sprintf("t%d-dialect-node", os.Getpid()%1000)
	x := startSonde(t, sut.Options{})
	port := freePort(t)
	s := startRole(t, id, "dialect-server", Args{Addr: local(port)})
	s.waitPort(t, "tcp", local(port))
	finished(t, start(t, id+"-client", nil, program(t, "/usr/bin/node", "node"), filepath.Join("testdata", "dialects.js"), fmt.Sprint(port), "10"))
	s.stop()
	log := s.log(t)
	if n := log.Total().N; n != 20 {
		t.Fatalf("the server has %d requests, want 20", n)
	}
	checkDialects(t, x, "server", id, log)
	checkDialects(t, x, "client", id+"-client", log)
}

// TestDialectsInsideTLS has a client in Python, whose OpenSSL shows the plain text, and a server in Go: most calls to models are inside TLS.
func TestDialectsInsideTLS(t *testing.T) {
	t.Parallel()
	id := fmt.Sprintf("t%d-dialect-tls", os.Getpid()%1000)
	x := startSonde(t, sut.Options{})
	port := freePort(t)
	s := startRole(t, id, "dialect-server", Args{Addr: local(port), TLS: newCertificate(t)})
	s.waitPort(t, "tcp", local(port))
	finished(t, start(t, id+"-client", nil, program(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", "dialects.py"), fmt.Sprint(port), "10"))
	s.stop()
	log := s.log(t)
	if n := log.Total().N; n != 20 {
		t.Fatalf("the server has %d requests, want 20", n)
	}
	checkDialects(t, x, "client", id+"-client", log)
	checkDialects(t, x, "server", id, log)
}

// dialectRows sorts the server's account as the metrics have it.
func dialectRows(log *wire.Log) map[string]map[string]float64 {
	want := map[string]map[string]float64{"elasticsearch": {}, "graphql": {}, "s3": {}, "models": {}, "tokens": {}, "unknown": {}}
	for _, r := range log.Rows {
		n := float64(r.N)
		var dialect, operation string
		fmt.Sscan(r.Method, &dialect, &operation)
		switch dialect {
		case "elasticsearch", "graphql", "s3":
			want[dialect][operation+" "+r.Route+" "+r.Status] += n
			continue
		}
		if operation == "unseen" || operation == "unsaid" {
			want["unknown"][operation+" "+r.Route] += n
			operation = "chat"
		}
		want["models"][dialect+" "+operation+" "+r.Route+" "+r.Status] += n
		for kind, sum := range map[string]int64{"input": r.RequestBytes, "output": r.ResponseBytes} {
			if sum > 0 {
				want["tokens"][dialect+" "+operation+" "+r.Route+" "+kind] += float64(sum)
			}
		}
	}
	return want
}

// checkDialects compares operations and tokens of one side with the server's account.
func checkDialects(t *testing.T, x *sut.Sonde, side, service string, log *wire.Log) {
	t.Helper()
	want := dialectRows(log)
	duration := map[string]string{"client": "gen_ai_client_operation_duration_seconds", "server": "gen_ai_server_request_duration_seconds"}[side]
	got := map[string]func() map[string]float64{
		"elasticsearch": func() map[string]float64 {
			return valuesBy(t, x, fmt.Sprintf(`sum by (db_operation_name, db_collection_name, db_response_status_code) (histogram_count(db_%s_operation_duration_seconds{service_name=%q, db_system_name="elasticsearch"}))`, side, service),
				"db_operation_name", "db_collection_name", "db_response_status_code")
		},
		"graphql": func() map[string]float64 {
			return valuesBy(t, x, fmt.Sprintf(`sum by (graphql_operation_type, graphql_operation_name, http_response_status_code) (histogram_count(graphql_%s_operation_duration_seconds{service_name=%q}))`, side, service),
				"graphql_operation_type", "graphql_operation_name", "http_response_status_code")
		},
		"s3": func() map[string]float64 {
			return valuesBy(t, x, fmt.Sprintf(`sum by (rpc_method, aws_s3_bucket, rpc_response_status_code) (histogram_count(rpc_%s_call_duration_seconds{service_name=%q, rpc_system_name="aws-api"}))`, side, service),
				"rpc_method", "aws_s3_bucket", "rpc_response_status_code")
		},
		"models": func() map[string]float64 {
			return valuesBy(t, x, fmt.Sprintf(`sum by (gen_ai_provider_name, gen_ai_operation_name, gen_ai_request_model, http_response_status_code) (histogram_count(%s{service_name=%q}))`, duration, service),
				"gen_ai_provider_name", "gen_ai_operation_name", "gen_ai_request_model", "http_response_status_code")
		},
		"tokens": func() map[string]float64 {
			return valuesBy(t, x, fmt.Sprintf(`sum by (gen_ai_provider_name, gen_ai_operation_name, gen_ai_request_model, gen_ai_token_type) (histogram_sum(gen_ai_%s_token_usage{service_name=%q}))`, side, service),
				"gen_ai_provider_name", "gen_ai_operation_name", "gen_ai_request_model", "gen_ai_token_type")
		},
		"unknown": func() map[string]float64 {
			out := map[string]float64{}
			for _, kind := range []string{"unseen", "unsaid"} {
				for k, n := range valuesBy(t, x, fmt.Sprintf(`sum by (gen_ai_request_model) (gen_ai_%s_%s_usage_total{service_name=%q})`, side, kind, service), "gen_ai_request_model") {
					out[kind+" "+k] = n
				}
			}
			return out
		},
	}
	for what, of := range got {
		eventuallyEqual(t, x, what+" of "+service+" as "+side, want[what], of)
	}
}

// valuesBy is byLabels for who has no use for an error.
func valuesBy(t *testing.T, x *sut.Sonde, promql string, labels ...string) map[string]float64 {
	t.Helper()
	out, err := byLabels(x, promql, labels...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
