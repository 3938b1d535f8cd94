package parsertest

import (
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// Foreign are first bytes of calls of other protocols.
var Foreign = map[string]string{
	"http":             "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"http response":    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	"http2":            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	"http2 frame":      "\x00\x00\x04\x01\x05\x00\x00\x00\x01\x82\x86\x84\x41",
	"redis":            "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
	"redis ok":         "+OK\r\n",
	"redis pong":       "+PONG\r\n",
	"redis error":      "-ERR unknown command\r\n",
	"redis inline":     "PING\r\n",
	"memcached":        "get key\r\n",
	"memcached bin":    "\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00key",
	"tls":              "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x01\x02\x03\x04\x05\x06\x07\x08",
	"tls data":         "\x17\x03\x03\x00\x30\x00\x00\x00\x00\x00\x00\x00\x01\xaa\xbb\xcc\xdd",
	"ssh":              "SSH-2.0-OpenSSH_9.2\r\n",
	"smtp":             "220 mail ESMTP\r\n",
	"smtp connect":     "EHLO host\r\n",
	"mysql":            "\x4a\x00\x00\x00\x0a8.0.32\x00\x08\x00\x00\x00abcdefgh\x00\xff\xff\xff\x02\x00\xff\xdf\x15\x00\x00",
	"mysql query":      "\x09\x00\x00\x00\x03SELECT 1",
	"postgres":         "\x00\x00\x00\x08\x04\xd2\x16\x2f",
	"postgres 3":       "\x00\x00\x00\x22\x00\x03\x00\x00user\x00postgres\x00database\x00x\x00\x00",
	"postgres q":       "Q\x00\x00\x00\x0dSELECT 1\x00",
	"kafka":            "\x00\x00\x00\x1a\x00\x12\x00\x03\x00\x00\x00\x01\x00\x07console\x00\x01a\x01b\x00",
	"dns":              "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01",
	"fastcgi":          "\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00",
	"dubbo":            "\xda\xbb\xc2\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x10",
	"pulsar":           "\x00\x00\x00\x12\x00\x00\x00\x0e\x08\x02\x12\x0a\x0a\x051.2.3",
	"amqp":             "AMQP\x00\x00\x09\x01",
	"amqp 1.0":         "AMQP\x00\x01\x00\x00",
	"amqp method":      "\x01\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x1f\x00\x00\x00\x02\x00\x00\x00\x3c\xce",
	"mqtt":             "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test",
	"mqtt connack":     "\x20\x02\x00\x00",
	"mqtt publish":     "\x30\x07\x00\x03a/bhi",
	"nats info":        `INFO {"server_id":"NX","version":"2.10.0","proto":1,"max_payload":1048576}` + "\r\n",
	"nats connect":     `CONNECT {"verbose":false,"lang":"go"}` + "\r\nPING\r\n",
	"nats pub":         "PUB a.b 5\r\nhello\r\n",
	"mongo":            "\x3a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00\x25\x00\x00\x00\x10ping\x00\x01\x00\x00\x00\x02$db\x00\x06\x00\x00\x00admin\x00\x00\x00",
	"cassandra":        "\x04\x00\x00\x00\x01\x00\x00\x00\x16\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0",
	"thrift":           "\x00\x00\x00\x1c\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x00\x00",
	"zookeeper":        "\x00\x00\x00\x2c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x75\x30",
	"rtsp":             "OPTIONS rtsp://h/ RTSP/1.0\r\n",
	"text":             "hello world, this is no protocol at all\n",
	"json":             `{"a":1,"b":[1,2,3]}`,
	"zeros":            strings.Repeat("\x00", 64),
	"ones":             strings.Repeat("\xff", 64),
	"http post":        "POST /x HTTP/1.1\r\n",
	"redis array":      "*3\r\n$3\r\nfoo\r\n$3\r\nbar\r\n$3\r\nbaz\r\n",
	"redis bulk":       "$5\r\nhello\r\n",
	"redis integer":    ":1\r\n",
	"memcached value":  "VALUE key 0 3\r\nabc\r\nEND\r\n",
	"memcached set":    "set k 0 0 1\r\nx\r\n",
	"memcached stored": "STORED\r\n",
	"memcached meta":   "mg k v\r\n",
	"memcached answer": "\x81\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00value",
	"fastcgi output":   "\x01\x06\x00\x01\x00\x05\x03\x00Sta\r\n\x00\x00\x00",
	"clickhouse":       "\x00\x11ClickHouse client\x12\x0c\xb4\xa9\x03\x07default\x07default\x00",
	"nats msg":         "MSG a 1 3\r\nabc\r\n",
	"postgres auth":    "R\x00\x00\x00\x08\x00\x00\x00\x00",
	"thrift unframed":  "\x80\x01\x00\x01\x00\x00\x00\x04ping",
	"amqp heartbeat":   "\x01\x00\x00\x00\x00\x00\x10\x00\x0a",
	"pop3":             "+OK POP3 ready\r\n",
	"pop3 error":       "-ERR no\r\n",
	"imap":             "* OK IMAP4 ready\r\n",
	"ftp":              "USER anonymous\r\n",
	"irc":              "NICK joe\r\nUSER joe 0 * :Joe\r\n",
	"xmpp":             "<stream:stream to='x'>",
	"socks":            "\x05\x01\x00",
	"vnc":              "RFB 003.008\n",
}

// NotForeign holds Recognize to claiming none of Foreign but those whose names begin with own.
func NotForeign(t *testing.T, p protocol.Protocol, own string) {
	t.Helper()
	for name, text := range Foreign {
		if strings.HasPrefix(name, own) {
			continue
		}
		if v := p.Recognize([]byte(text)); v == protocol.IsRequest || v == protocol.IsResponse {
			t.Errorf("Recognize(%s: %q) = %v, want No", name, text, v)
		}
	}
}

// Claimed holds Recognize to claiming each call, as what it is by its direction.
func Claimed(t *testing.T, p protocol.Protocol, calls []Call) {
	t.Helper()
	for _, c := range calls {
		want := protocol.IsRequest
		if c.Dir == protocol.FromServer {
			want = protocol.IsResponse
		}
		if v := p.Recognize(c.Data); v != want {
			t.Errorf("Recognize(%q) = %v, want %v", c.Data, v, want)
		}
	}
}
