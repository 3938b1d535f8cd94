package broker

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/sonde-dev/sonde/demo/servetest"
)

func serve(t *testing.T) string { return servetest.Serve(t, NewServer().ServeConn) }

// TestServerServesNATSGo has the usual Go client as its judge: subscriptions with and without a queue, requests, an end
// after some messages.
func TestServerServesNATSGo(t *testing.T) {
	addr := serve(t)
	connect := func() *nats.Conn {
		c, err := nats.Connect("nats://"+addr, nats.Timeout(5*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	a, b := connect(), connect()
	all := make(chan *nats.Msg, 100)
	one := make(chan *nats.Msg, 100)
	for _, c := range []*nats.Conn{a, b} {
		if _, err := c.ChanQueueSubscribe("orders.*", "workers", one); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.ChanSubscribe("orders.>", all); err != nil {
		t.Fatal(err)
	}
	limited, err := b.SubscribeSync("orders.placed")
	if err != nil {
		t.Fatal(err)
	}
	limited.AutoUnsubscribe(3)
	if _, err := b.Subscribe("echo", func(m *nats.Msg) { m.Respond(m.Data) }); err != nil {
		t.Fatal(err)
	}
	a.Flush()
	b.Flush()
	for i := range 10 {
		if err := a.Publish("orders.placed", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	a.Publish("others.placed", nil)
	a.Flush()
	for _, c := range []chan *nats.Msg{all, one} {
		for i := range 10 {
			select {
			case <-c:
			case <-time.After(5 * time.Second):
				t.Fatalf("message %d did not come", i)
			}
		}
	}
	if m, err := a.Request("echo", []byte("hi\r\nyou"), 5*time.Second); err != nil || string(m.Data) != "hi\r\nyou" {
		t.Errorf("request: %v, %v", m, err)
	}
	for range 3 {
		if _, err := limited.NextMsg(5 * time.Second); err != nil {
			t.Error(err)
		}
	}
	b.Flush()
	if n := len(all) + len(one); n > 0 {
		t.Errorf("%d messages too many", n)
	}
}

func TestClient(t *testing.T) {
	addr := serve(t)
	producer, err := Dial(addr, "producer", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	consumer, err := Dial(addr, "consumer", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	if err := consumer.Subscribe("orders.placed", "mailers"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // SUB has no answer
	for i := range 5 {
		if err := producer.Publish("orders.placed", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := consumer.Stop(); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		subject, payload, ok, err := consumer.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			if i != 5 {
				t.Errorf("%d messages, want 5", i)
			}
			break
		}
		if subject != "orders.placed" || string(payload) != fmt.Sprint(i) {
			t.Errorf("message %d is %s %q", i, subject, payload)
		}
	}
	if err := producer.Publish("orders.placed", nil); err != nil { // to nobody
		t.Error(err)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, subject string
		want             bool
	}{
		{"a.b", "a.b", true}, {"a.*", "a.b", true}, {"a.>", "a.b.c", true}, {">", "a", true}, {"*.b", "a.b", true},
		{"a.b", "a.c", false}, {"a.*", "a", false}, {"a.*", "a.b.c", false}, {"a.>", "a", false}, {"a", "a.b", false},
	} {
		if got := Matches(c.pattern, c.subject); got != c.want {
			t.Errorf("Matches(%q, %q) = %v, want %v", c.pattern, c.subject, got, c.want)
		}
	}
}

func TestServerRefusesNonsense(t *testing.T) {
	for _, in := range []string{"GET / HTTP/1.1\r\n", "\r\n", "PUB a 99999999\r\n", "PUB a 1\r\nabc\r\n", "UNSUB 1 x\r\n"} {
		client, server := net.Pipe()
		go func() {
			go func() {
				for b := make([]byte, 1000); ; {
					if _, err := client.Read(b); err != nil {
						return
					}
				}
			}()
			client.Write([]byte(in))
		}()
		if err := NewServer().ServeConn(server); err == nil {
			t.Errorf("ServeConn(%q): no error", in)
		}
		client.Close()
	}
}
