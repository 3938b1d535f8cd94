package exchange_test

import (
	"testing"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/probe/event"
)

// A request begins with its first byte, wherever its head is cut: what a parser keeps until it can tell what it is took its time all the same. What
// came before in the call that is cut, and is no request, does not make it older.
func TestBeginOfCutRequest(t *testing.T) {
	type line struct {
		dir  event.Direction
		text string
	}
	const in, out = event.Ingress, event.Egress
	nats := []line{{out, "INFO {\"server_id\":\"NX\",\"version\":\"2.10.0\",\"proto\":1} \r\n"}, {in, "CONNECT {\"verbose\":true}\r\n"}, {out, "+OK\r\n"}}
	mqtt := []line{{in, "\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a"}, {out, "\x20\x02\x00\x00"}}
	for _, tt := range []struct {
		name, before, request, response string
		opening                         []line
	}{
		{name: "http", request: get, response: ok},
		{name: "nats", opening: nats, request: "PUB basket.0 5\r\nhello\r\n", response: "+OK\r\n"},
		{name: "nats after PONG", opening: nats, before: "PONG\r\n", request: "PUB basket.0 5\r\nhello\r\n", response: "+OK\r\n"},
		{name: "mqtt", opening: mqtt, request: "\x32\x0a\x00\x04shop\x00\x01hi", response: "\x40\x02\x00\x01"},
		{name: "mqtt after PUBACK", opening: append(mqtt, line{out, "\x32\x0a\x00\x04shop\x00\x09hi"}),
			before: "\x40\x02\x00\x09", request: "\x32\x0a\x00\x04shop\x00\x01hi", response: "\x40\x02\x00\x01"},
		{name: "amqp", opening: []line{{in, "AMQP\x00\x00\x09\x01"},
			{out, "\x01\x00\x00\x00\x00\x00\x1c\x00\x0a\x00\x0a\x00\x09\x00\x00\x00\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x05en_US\xce"}},
			request:  "\x01\x00\x00\x00\x00\x00\x18\x00\x0a\x00\x0b\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x00\x05en_US\xce",
			response: "\x01\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x1e\x07\xff\x00\x02\x00\x00\x00\x3c\xce"},
		{name: "redis", request: "*1\r\n$4\r\nPING\r\n", response: "+PONG\r\n"},
		{name: "memcached", request: "get basket\r\n", response: "END\r\n"},
		{name: "mongodb", // {ping: 1, $db: "admin"}, answered {ok: 1.0}
			request:  "\x33\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00\x1e\x00\x00\x00\x10ping\x00\x01\x00\x00\x00\x02$db\x00\x06\x00\x00\x00admin\x00\x00",
			response: "\x26\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00\x11\x00\x00\x00\x01ok\x00\x00\x00\x00\x00\x00\x00\xf0\x3f\x00"},
		{name: "cassandra", opening: []line{{in, "\x04\x00\x00\x00\x01\x00\x00\x00\x16\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0"}, {out, "\x84\x00\x00\x00\x02\x00\x00\x00\x00"}},
			request: "\x04\x00\x00\x01\x07\x00\x00\x00\x0f\x00\x00\x00\x08SELECT 1\x00\x01\x00", response: "\x84\x00\x00\x01\x08\x00\x00\x00\x04\x00\x00\x00\x01"},
		{name: "thrift", request: "\x00\x00\x00\x10\x80\x01\x00\x01\x00\x00\x00\x03get\x00\x00\x00\x07\x00", response: "\x00\x00\x00\x10\x80\x01\x00\x02\x00\x00\x00\x03get\x00\x00\x00\x07\x00"},
		{name: "rocketmq", request: "\x00\x00\x00\x41\x00\x00\x00\x3d" + `{"code":34,"flag":0,"language":"GO","opaque":1,"version":431}`,
			response: "\x00\x00\x00\x40\x00\x00\x00\x3c" + `{"code":0,"flag":1,"language":"GO","opaque":1,"version":431}`},
		{name: "fastcgi", request: "\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01\x04\x00\x01\x00\x13\x00\x00\x0e\x03REQUEST_METHODGET\x01\x04\x00\x01\x00\x00\x00\x00\x01\x05\x00\x01\x00\x00\x00\x00",
			response: "\x01\x06\x00\x01\x00\x13\x00\x00Status: 200 OK\r\n\r\nx\x01\x03\x00\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.before + tt.request
			for cut := 1; cut < len(text); cut++ {
				w := newWire(exchange.DefaultConfig)
				w.open(1, 7, event.RoleServer)
				for _, l := range tt.opening {
					w.call(1, l.dir, l.text)
				}
				w.call(1, in, text[:cut])
				want := w.now
				w.now += 40e6
				w.call(1, in, text[cut:])
				if cut <= len(tt.before) {
					want = w.now
				}
				w.call(1, out, tt.response)
				if len(w.got) == 0 {
					t.Fatalf("cut at %d: no exchange", cut)
				}
				x := w.got[len(w.got)-1]
				if x.Status == "" || x.RequestStart != want || x.RequestEnd < want || x.ResponseEnd != w.now {
					t.Errorf("cut at %d: %s %q from %d to %d, want from %d to %d", cut, x.Operation, x.Status, x.RequestStart, x.ResponseEnd, want, w.now)
				}
			}
		})
	}
}
