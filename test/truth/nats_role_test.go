package truth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/sonde-dev/sonde/test/wire"
)

// serveNATS is a nats-server. Its account is what it counts itself (/varz).
func serveNATS(ctx context.Context, a Args) (*wire.Log, error) {
	host, port, err := net.SplitHostPort(a.Addr)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	o := &natsserver.Options{Host: host, Port: n, NoSigs: true, NoLog: true}
	if a.TLS != "" {
		if o.TLSConfig, err = serving(a.TLS); err != nil {
			return nil, err
		}
		o.TLS, o.TLSTimeout = true, 10
	}
	s, err := natsserver.NewServer(o)
	if err != nil {
		return nil, err
	}
	s.Start()
	<-ctx.Done()
	v, err := s.Varz(nil)
	if err != nil {
		return nil, err
	}
	done := &account{}
	done.add("in_msgs", "", int(v.InMsgs))
	done.add("out_msgs", "", int(v.OutMsgs))
	s.Shutdown()
	return &done.log, nil
}

// natsSlow is how long shop.slow takes.
const natsSlow = 50 * time.Millisecond

// speakNATS publishes, subscribes and asks with nats.go; with Plan "old" it connects and waits for the word first. It answers itself, on
// the same connection, and times what it asks of shop.slow.
func speakNATS(a Args) (*wire.Log, error) {
	done := &account{}
	options := []nats.Option{nats.PingInterval(time.Hour)}
	if a.TLS != "" {
		options = append(options, nats.Secure(trusting()))
	}
	c, err := nats.Connect("nats://"+a.Addr, options...)
	if err != nil {
		return nil, err
	}
	got := make(chan struct{}, 10*a.Requests+10)
	subscribe := func() error {
		_, err := c.Subscribe("shop.orders.*", func(*nats.Msg) { got <- struct{}{} })
		if err == nil {
			_, err = c.Subscribe("shop.echo", func(m *nats.Msg) { m.Respond(m.Data) })
		}
		if err == nil {
			_, err = c.Subscribe("shop.slow", func(m *nats.Msg) {
				time.Sleep(natsSlow)
				m.Respond(m.Data)
			})
		}
		return errors.Join(err, c.Flush())
	}
	early := 0
	if a.Plan == "old" {
		if err := subscribe(); err != nil {
			return nil, err
		}
		if _, err := c.Request("shop.echo", nil, time.Second); err != nil { // makes the inbox
			return nil, err
		}
		if err := awaitWord(); err != nil {
			return nil, err
		}
	} else {
		done.add("connect", "", 1)
		done.add("ping", "ok", 1)
		if err := subscribe(); err != nil {
			return nil, err
		}
		done.add("subscribe", "", 4) // the inbox too
		done.add("ping", "ok", 1)
		early = 200 // at once, when nobody has had the time to say what the connection speaks
		for range early {
			if err := c.Publish("shop.orders.early", make([]byte, 1000)); err != nil {
				return nil, err
			}
		}
		untilClaimed()
	}
	for i := range a.Requests {
		if err := c.Publish(fmt.Sprint("shop.orders.", i%7), make([]byte, i*113%50000)); err != nil {
			return nil, err
		}
	}
	done.add("publish", "", early+a.Requests)
	done.add("deliver", "", early+a.Requests)
	for range early + a.Requests {
		select {
		case <-got:
		case <-time.After(20 * time.Second):
			return nil, errors.New("messages are missing")
		}
	}
	var times timer
	for i := range a.Requests {
		subject, isTimed := "shop.echo", i%10 == 0
		if isTimed {
			subject = "shop.slow"
		}
		begin := time.Now()
		m, err := c.Request(subject, make([]byte, i), 10*time.Second)
		if err != nil || len(m.Data) != i {
			return nil, fmt.Errorf("request %d: %w", i, err)
		}
		if isTimed {
			times.since(begin)
		}
	}
	done.log.Durations = times.all()
	done.add("request", "ok", a.Requests)
	done.add("deliver", "", a.Requests) // to the responder
	done.add("reply", "", a.Requests)
	if _, err := c.Request("shop.nobody", nil, time.Second); !errors.Is(err, nats.ErrNoResponders) {
		return nil, fmt.Errorf("asked nobody: %v", err)
	}
	done.add("request", "503", 1)
	c.Close()
	return &done.log, nil
}
