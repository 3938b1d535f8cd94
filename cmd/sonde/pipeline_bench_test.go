package main

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/probe"
)

// What redis-benchmark and pgbench -M prepared say, and what they are answered.
const (
	redisGet   = "*2\r\n$3\r\nGET\r\n$16\r\nkey:__rand_int__\r\n"
	redisValue = "$3\r\nxxx\r\n"
	selectText = "SELECT abalance FROM pgbench_accounts WHERE aid = $1;"
)

// message is one message of PostgreSQL: a type, a length that counts itself, a body.
func message(kind byte, body string) string {
	b := binary.BigEndian.AppendUint32([]byte{kind}, uint32(4+len(body)))
	return string(b) + body
}

func postgresParse() string {
	return message('P', "P_0\x00"+selectText+"\x00\x00\x00") + message('S', "")
}
func postgresParsed() string { return message('1', "") + message('Z', "I") }

// postgresExecute is what libpq sends for PQsendQueryPrepared: Bind, Describe, Execute, Sync.
func postgresExecute() string {
	return message('B', "\x00P_0\x00\x00\x00\x00\x01\x00\x00\x00\x0517000\x00\x01\x00\x00") + message('D', "P\x00") +
		message('E', "\x00\x00\x00\x00\x00") + message('S', "")
}

func postgresRow() string { return message('2', "") + postgresAnswer() }

func postgresAnswer() string {
	column := "abalance\x00" + strings.Repeat("\x00", 18)
	return message('T', "\x00\x01"+column) + message('D', "\x00\x01\x00\x00\x00\x010") + message('C', "SELECT 1\x00") + message('Z', "I")
}

func postgresQuery() string {
	return message('Q', strings.Replace(selectText, "$1", "17000", 1)+"\x00")
}

// BenchmarkPipeline is the user-space cost of an exchange from the ring buffer to the counters; one operation is two records, a
// request and a response at one end, which are as many exchanges as there are in a pipeline.
func BenchmarkPipeline(b *testing.B) {
	for _, bench := range []struct {
		name      string
		traffic   *traffic
		exchanges int // in one operation
		keep      bool
	}{
		{"wrk-nginx", newTraffic(wrkRequest, nginxHead+strings.Repeat("x", 615)), 1, true},
		{"wrk-nginx-off", newTraffic(wrkRequest, nginxHead+strings.Repeat("x", 615)), 1, false},
		{"curl-go", newTraffic(curlRequest, goHead+strings.Repeat("x", 4000)), 1, true},
		{"curl-go-off", newTraffic(curlRequest, goHead+strings.Repeat("x", 4000)), 1, false},
		{"redis", newTraffic(redisGet, redisValue), 1, true},
		{"redis-16", newTraffic(strings.Repeat(redisGet, 16), strings.Repeat(redisValue, 16)), 16, true},
		{"postgres-prepared", newTraffic(postgresExecute(), postgresRow(), postgresParse(), postgresParsed()), 1, true},
		{"postgres-simple", newTraffic(postgresQuery(), postgresAnswer()), 1, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			a := testPipeline(b, connections)
			if !bench.keep {
				a.engine.KeepContent(nil)
			}
			t := bench.traffic
			var d probe.Decoder
			for _, record := range t.opening {
				a.onEvent(d.Decode(t.emit(record)))
			}
			before := int(a.counted.exchanges)
			b.ReportAllocs()
			began := cpuTime()
			n := 0
			for b.Loop() {
				a.onEvent(d.Decode(t.next()))
				a.onEvent(d.Decode(t.next()))
				if n++; n%4096 == 0 {
					a.engine.Tick(t.now)
					a.joiner.Tick(t.now)
				}
			}
			b.ReportMetric(float64(cpuTime()-began)/float64(b.N*bench.exchanges), "cpu-ns/exchange")
			a.check(b, int(a.counted.exchanges)-before, n, bench.exchanges)
		})
	}
}

// check holds the count of exchanges against that of pairs of records; one may be under way at each end.
func (a *agent) check(b testing.TB, got, pairs, exchanges int) {
	b.Helper()
	if got > pairs*exchanges || got < (pairs-2*connections)*exchanges {
		b.Errorf("%d exchanges from %d pairs of records with %d in each", got, pairs, exchanges)
	}
	if lost := fmt.Sprint(a.engine.Losses(), a.joiner.Losses(), a.red.Losses()); lost != "map[] map[] map[]" {
		b.Errorf("lost %s, want nothing", lost)
	}
}

// Once everything was seen, an exchange costs no allocation on its whole way.
func TestPipelineDoesNotAllocate(t *testing.T) {
	for _, test := range []struct {
		name      string
		traffic   *traffic
		exchanges int
	}{
		{"http", newTraffic(wrkRequest, nginxHead+strings.Repeat("x", 615)), 1},
		{"redis", newTraffic(strings.Repeat(redisGet, 16), strings.Repeat(redisValue, 16)), 16},
		{"postgres", newTraffic(postgresExecute(), postgresRow(), postgresParse(), postgresParsed()), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, tr := testPipeline(t, connections), test.traffic
			var d probe.Decoder
			for _, record := range tr.opening {
				a.onEvent(d.Decode(tr.emit(record)))
			}
			before := int(a.counted.exchanges)
			round := func() {
				for range tr.records {
					a.onEvent(d.Decode(tr.next()))
				}
			}
			round()
			if n := testing.AllocsPerRun(100, round); n != 0 {
				t.Errorf("%v allocations for %d records, want none", n, len(tr.records))
			}
			if got, want := int(a.counted.exchanges)-before, 102*len(tr.records)/2*test.exchanges; got != want {
				t.Errorf("%d exchanges, want %d", got, want)
			}
		})
	}
}
