package truth

import (
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/sonde-dev/sonde/test/wire"
)

// speakMQTT publishes and receives with paho, and times each message until it is acknowledged; with Plan "old" it connects and waits for the word first.
func speakMQTT(a Args) (*wire.Log, error) {
	done := &account{}
	broker := "tcp://" + a.Addr
	if a.TLS != "" {
		broker = "ssl://" + a.Addr
	}
	o := mqtt.NewClientOptions().AddBroker(broker).SetTLSConfig(trusting()).SetClientID("paho-" + a.Plan).SetOrderMatters(true).SetKeepAlive(time.Hour)
	c := mqtt.NewClient(o)
	if err := wait(c.Connect()); err != nil {
		return nil, err
	}
	got := make(chan byte, 10*a.Requests+10)
	take := func(_ mqtt.Client, m mqtt.Message) { got <- m.Qos() }
	if a.Plan == "old" {
		if err := wait(c.Subscribe("before/sonde", 0, take)); err != nil {
			return nil, err
		}
		if err := awaitWord(); err != nil {
			return nil, err
		}
	} else {
		done.add("connect", "success", 1)
	}
	if err := wait(c.Subscribe("shop/+/"+a.Plan, 2, take)); err != nil {
		return nil, err
	}
	done.add("subscribe", "granted_qos_2", 1)
	untilClaimed()
	var times timer
	var sent []mqtt.Token
	for i := range a.Requests {
		qos := byte(i % 3)
		begin := time.Now()
		t := c.Publish("shop/orders/"+a.Plan, qos, false, make([]byte, i*131%90000))
		if qos > 0 {
			times.until(begin, t.Done())
			sent = append(sent, t)
		}
		if i%5 == 0 { // the others are under way together
			if err := wait(t); err != nil {
				return nil, err
			}
		}
	}
	for range a.Requests {
		select {
		case qos := <-got:
			status := "success"
			if qos == 0 {
				status = ""
			}
			done.add("publish", status, 1)
			done.add("deliver", status, 1)
		case <-time.After(20 * time.Second):
			return nil, fmt.Errorf("messages are missing")
		}
	}
	for _, t := range sent {
		if err := wait(t); err != nil {
			return nil, err
		}
	}
	done.log.Durations = times.all()
	if err := wait(c.Unsubscribe("shop/+/" + a.Plan)); err != nil {
		return nil, err
	}
	done.add("unsubscribe", "success", 1)
	time.Sleep(300 * time.Millisecond) // for the last PUBCOMP
	c.Disconnect(200)
	done.add("disconnect", "success", 1)
	return &done.log, nil
}

func wait(t mqtt.Token) error {
	if !t.WaitTimeout(20 * time.Second) {
		return fmt.Errorf("no answer")
	}
	return t.Error()
}
