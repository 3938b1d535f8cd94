package probe

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
)

// Verdicts of bpf/include/recognize.h.
const (
	verdictNo       = 0
	verdictMaybe    = 1
	verdictRequest  = 2
	verdictResponse = 3
)

// TestKernelRecognizesWhatUserSpaceDoes runs the recognition of HTTP/1, the one protocol that the kernel side follows, in the
// kernel on what user space claims: it may claim more, and never less.
func TestKernelRecognizesWhatUserSpaceDoes(t *testing.T) {
	requireBPF(t)
	coll, err := ebpf.NewCollection(contractSpec(t))
	if err != nil {
		t.Fatalf("load bpf/build/contract.o: %+v", err)
	}
	defer coll.Close()
	judge := func(b []byte) uint32 {
		in := struct {
			B      [16]byte
			N, Pad uint32
		}{N: uint32(min(len(b), 8))}
		copy(in.B[:8], b)
		v, err := coll.Programs["recognize"].Run(&ebpf.RunOptions{Context: in})
		if err != nil {
			t.Fatalf("run recognize on %q: %v", b, err)
		}
		return v
	}
	claimed, refused := 0, 0
	for _, b := range recognitionCorpus() {
		got := judge(b)
		switch v := (http1.Protocol{}).Recognize(b); {
		case v == protocol.IsRequest && got != verdictRequest, v == protocol.IsResponse && got != verdictResponse:
			t.Errorf("user space claims %.40q (%d), the kernel says %d", b, v, got)
		case v == protocol.Maybe && got == verdictNo && len(b) > 0:
			t.Errorf("user space may claim %.40q, the kernel says no", b)
		case v == protocol.IsRequest || v == protocol.IsResponse:
			claimed++
		case v == protocol.No && got == verdictNo:
			refused++
		}
	}
	if claimed < 500 || refused < 500 {
		t.Errorf("the corpus has only %d claimed and %d refused inputs", claimed, refused)
	}
	for _, b := range foreign() {
		if got := judge([]byte(b)); got == verdictRequest || got == verdictResponse {
			t.Errorf("the kernel takes %q for HTTP: %d", b, got)
		}
	}
}

// ianaMethods are the method names registered with IANA (HTTP Method Registry), whether Sonde knows them or not.
const ianaMethods = "ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY " +
	"MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PUT QUERY REBIND REPORT SEARCH " +
	"TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL"

func foreign() []string {
	return []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "\x16\x03\x03\x00\x40", // TLS hellos
		"*3\r\n$3\r\nSET\r\n", "+OK\r\n", "PING\r\n", // Redis
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", // RFC 9113 §3.4
		"SSH-2.0-OpenSSH_9.2\r\n", "220 mail.example ESMTP\r\n", "EHLO here\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
		"\x00\x00\x00\x08\x04\xd2\x16\x2f",             // PostgreSQL SSLRequest
		"\x4a\x00\x00\x00\x0a8.0.36",                   // MySQL greeting
		"AMQP\x00\x00\x09\x01", "\x10\x0c\x00\x04MQTT", // RabbitMQ, MQTT
		"get key\r\n", "set key 0 0 1\r\n", "GETX / HTTP/1.1", "HTTP/2 200 \r\n", "HTTPS", "http/1.1 200",
	}
}

func recognitionCorpus() (corpus [][]byte) {
	add := func(s string) { corpus = append(corpus, []byte(s)) }
	for _, method := range strings.Fields(ianaMethods) {
		for _, target := range []string{"/", "/a/b?c=d", "*", "http://here/x", "https://here", "here:443"} {
			for _, version := range []string{"HTTP/1.1", "HTTP/1.0"} {
				line := method + " " + target + " " + version + "\r\nHost: here\r\n\r\n"
				for _, before := range []string{"", "\r\n", "\n", "\r\n\r\n", "\r\n\r\n\r\n"} {
					add(before + line)
				}
				for n := 1; n <= 40 && n < len(line); n++ {
					add(line[:n])
				}
			}
		}
		add(strings.ToLower(method) + " / HTTP/1.1\r\n\r\n")
	}
	for _, status := range []string{"100 Continue", "200 OK", "204", "301 Moved", "404 Not Found", "503 ", "999 X", "099 X", "20 X"} {
		for _, version := range []string{"HTTP/1.1", "HTTP/1.0", "HTTP/1.9", "HTTP/2", "HTTP/0.9", "ICY"} {
			line := version + " " + status + "\r\nContent-Length: 0\r\n\r\n"
			for n := 1; n <= len(line); n++ {
				add(line[:n])
			}
			add("\r\n" + line)
		}
	}
	for _, s := range foreign() {
		for n := range s {
			add(s[:n+1])
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		b := make([]byte, 1+r.IntN(40))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		corpus = append(corpus, b)
	}
	return corpus
}
