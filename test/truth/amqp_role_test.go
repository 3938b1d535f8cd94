package truth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/sonde-dev/sonde/test/wire"
)

// An account adds up what a client did, by operation and outcome.
type account struct{ log wire.Log }

func (a *account) add(operation, status string, n int) {
	a.log.AddRow(wire.Row{Key: wire.Key{Method: operation, Status: status}, Sum: wire.Sum{N: int64(n)}})
}

// untilClaimed gives Sonde the time to know what a new connection speaks: until then only the first MiB of a turn is copied, and a burst that
// begins at once is more than that.
func untilClaimed() { time.Sleep(1500 * time.Millisecond) }

// speakAMQP does what there is to do with amqp091-go, or with Plan "old" opens a connection and waits for the word.
func speakAMQP(a Args) (*wire.Log, error) {
	url := "amqp://guest:guest@" + a.Addr + "/"
	if a.TLS != "" {
		url = "amqps://guest:guest@" + a.Addr + "/"
	}
	c, err := amqp.DialTLS(url, trusting())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if a.Plan == "old" {
		return oldAMQP(c, a)
	}
	untilClaimed()
	done := &account{}
	for _, op := range []string{"connection.start", "connection.start-ok", "connection.open"} {
		done.add(op, "ok", 1)
	}
	for _, step := range []func(*amqp.Connection, *account, int) error{confirmed, acknowledged, gotten, refused} {
		if err := step(c, done, a.Requests); err != nil {
			return nil, err
		}
	}
	done.add("connection.close", "ok", 1)
	return &done.log, c.Close()
}

// confirmed publishes with confirmations, without waiting for each, and times them all.
func confirmed(c *amqp.Connection, done *account, n int) error {
	ch, err := c.Channel()
	if err != nil {
		return err
	}
	if _, err := ch.QueueDeclare("orders", false, false, false, false, nil); err != nil {
		return err
	}
	if err := ch.ExchangeDeclare("shop", "topic", false, false, false, false, nil); err != nil {
		return err
	}
	if err := ch.QueueBind("orders", "order.#", "shop", false, nil); err != nil {
		return err
	}
	if err := ch.Confirm(false); err != nil {
		return err
	}
	returns := ch.NotifyReturn(make(chan amqp.Return, 1))
	var waiting []*amqp.DeferredConfirmation
	var times timer
	publish := func(key string, isMandatory bool, body []byte) error {
		begin := time.Now()
		d, err := ch.PublishWithDeferredConfirm("shop", key, isMandatory, false, amqp.Publishing{Body: body})
		if err != nil {
			return err
		}
		times.until(begin, d.Done())
		waiting = append(waiting, d)
		return nil
	}
	for i := range n {
		if err := publish(fmt.Sprint("order.", i%3), false, bytes.Repeat([]byte("b"), i*97%70000)); err != nil {
			return err
		}
	}
	if err := publish("nowhere", true, []byte("x")); err != nil {
		return err
	}
	for _, d := range waiting {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		ok, err := d.WaitContext(ctx)
		cancel()
		if err != nil || !ok {
			return fmt.Errorf("publish was not confirmed: %v", err)
		}
	}
	if r := <-returns; r.ReplyCode != 312 {
		return fmt.Errorf("returned with %d", r.ReplyCode)
	}
	done.log.Durations = times.all()
	done.add("channel.open", "ok", 1)
	done.add("queue.declare", "ok", 1)
	done.add("exchange.declare", "ok", 1)
	done.add("queue.bind", "ok", 1)
	done.add("confirm.select", "ok", 1)
	done.add("publish", "ack", n+1)
	done.add("return", "312", 1)
	done.add("channel.close", "ok", 1)
	return ch.Close()
}

// acknowledged consumes what was published: some acknowledged one by one, some together, some refused.
func acknowledged(c *amqp.Connection, done *account, n int) error {
	ch, err := c.Channel()
	if err != nil {
		return err
	}
	if err := ch.Qos(50, 0, false); err != nil {
		return err
	}
	ds, err := ch.Consume("orders", "worker", false, false, false, false, nil)
	if err != nil {
		return err
	}
	for i := range n {
		switch d := <-ds; {
		case i == 3:
			err = d.Nack(false, false)
			done.add("deliver", "nack", 1)
		case i == 5:
			err = d.Reject(false)
			done.add("deliver", "reject", 1)
		case i > n/2 && i%10 != 0 && i != n-1: // with the next
			done.add("deliver", "ack", 1)
		default:
			err = d.Ack(true)
			done.add("deliver", "ack", 1)
		}
		if err != nil {
			return err
		}
	}
	if err := ch.Cancel("worker", false); err != nil {
		return err
	}
	done.add("channel.open", "ok", 1)
	done.add("qos", "ok", 1)
	done.add("consume", "ok", 1)
	done.add("cancel", "ok", 1)
	done.add("channel.close", "ok", 1)
	return ch.Close()
}

// gotten polls, and consumes without acknowledging.
func gotten(c *amqp.Connection, done *account, n int) error {
	ch, err := c.Channel()
	if err != nil {
		return err
	}
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		return err
	}
	for range n + 1 {
		if err := ch.Publish("", q.Name, false, false, amqp.Publishing{Body: []byte("hello")}); err != nil {
			return err
		}
	}
	if _, ok, err := ch.Get(q.Name, true); err != nil || !ok {
		return fmt.Errorf("get: %v %v", ok, err)
	}
	ds, err := ch.Consume(q.Name, "", true, false, false, false, nil)
	if err != nil {
		return err
	}
	for range n {
		<-ds
	}
	if _, ok, err := ch.Get(q.Name, true); err != nil || ok {
		return fmt.Errorf("get from an empty queue: %v %v", ok, err)
	}
	done.add("channel.open", "ok", 1)
	done.add("queue.declare", "ok", 1)
	done.add("publish", "", n+1)
	done.add("get", "ok", 1)
	done.add("get", "empty", 1)
	done.add("consume", "ok", 1)
	done.add("deliver", "", n)
	done.add("channel.close", "ok", 1)
	return ch.Close()
}

// refused asks for what there is not: the server closes the channel.
func refused(c *amqp.Connection, done *account, _ int) error {
	ch, err := c.Channel()
	if err != nil {
		return err
	}
	_, err = ch.QueueDeclarePassive("missing", false, false, false, false, nil)
	var failed *amqp.Error
	if !errors.As(err, &failed) || failed.Code != 404 {
		return fmt.Errorf("declare what is missing: %v", err)
	}
	done.add("channel.open", "ok", 1)
	done.add("queue.declare", "404", 1)
	return nil
}

// oldAMQP has all it needs open before it waits for the word.
func oldAMQP(c *amqp.Connection, a Args) (*wire.Log, error) {
	ch, err := c.Channel()
	if err != nil {
		return nil, err
	}
	if _, err := ch.QueueDeclare("old", false, true, true, false, nil); err != nil {
		return nil, err
	}
	ds, err := ch.Consume("old", "old", false, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	done := &account{}
	round := func() error {
		if err := ch.Publish("", "old", false, false, amqp.Publishing{Body: []byte("hello")}); err != nil {
			return err
		}
		return (<-ds).Ack(false)
	}
	if err := round(); err != nil {
		return nil, err
	}
	if err := awaitWord(); err != nil {
		return nil, err
	}
	for range a.Requests {
		if err := round(); err != nil {
			return nil, err
		}
	}
	done.add("publish", "", a.Requests)
	done.add("deliver", "ack", a.Requests)
	done.add("channel.close", "ok", 1)
	done.add("connection.close", "ok", 1)
	if err := ch.Close(); err != nil {
		return nil, err
	}
	return &done.log, c.Close()
}
