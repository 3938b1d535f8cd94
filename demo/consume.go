package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/sonde-dev/sonde/demo/broker"
)

// maxHandlers is how many messages a service handles at a time; the others wait in its socket.
const maxHandlers = 8

// subscriptions are the routes of messages. Their first call subscribes.
func (p *player) subscriptions() (routes []*specRoute) {
	for i := range p.spec.routes {
		if p.spec.routes[i].method == "ON" {
			routes = append(routes, &p.spec.routes[i])
		}
	}
	return routes
}

// consume handles messages until ctx is cancelled, and then those that are under way still, so that nothing is lost and the
// log agrees with the broker.
func (p *player) consume(ctx context.Context) error {
	routes := p.subscriptions()
	first := routes[0].calls[0]
	k, err := p.dialBroker(first.to, first.addresses[0])
	if err != nil {
		return err
	}
	defer k.Close()
	for _, r := range routes { // a queue: each message to one of the service's replicas
		if err := k.Subscribe(r.calls[0].path, p.spec.service); err != nil {
			return err
		}
		p.logged(first.to, "subscribe", r.path, noStatus)
	}
	var stopped error
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		stopped = k.Stop()
	})
	err = p.receive(context.WithoutCancel(ctx), k, first.to)
	if stop() {
		return fmt.Errorf("the broker went away: %w", err)
	}
	<-done
	for _, r := range routes {
		p.logged(first.to, "unsubscribe", r.path, noStatus)
	}
	p.logged(first.to, "ping", "", pongOr(err))
	return errors.Join(stopped, err)
}

// receive handles messages until there are no more, and waits for the last.
func (p *player) receive(ctx context.Context, k *broker.Client, from string) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, maxHandlers)
	for {
		subject, payload, ok, err := k.Next()
		if err != nil || !ok {
			return err
		}
		p.logged(from, "deliver", subject, noStatus)
		for _, r := range p.subscriptions() {
			if !broker.Matches(r.path, subject) {
				continue
			}
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				p.perform(ctx, r, r.calls[1:], "", len(payload))
			})
		}
	}
}

// isConsumer says that a service must be given the time to handle what is under way.
func (s *service) isConsumer() bool {
	for _, r := range s.routes {
		if r.method == "ON" {
			return true
		}
	}
	return false
}
