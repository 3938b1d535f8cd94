package demo

import (
	"errors"
	"io"

	"github.com/sonde-dev/sonde/demo/broker"
	"github.com/sonde-dev/sonde/demo/cache"
	"github.com/sonde-dev/sonde/demo/database"
	"github.com/sonde-dev/sonde/demo/rpc"
)

// maxIdle connections of a pool are kept.
const maxIdle = 16

// A pool keeps connections to one stand-in. There is one of each in the shop.
type pool[T io.Closer] struct {
	idle chan T
	dial func(addr string) (T, error)
}

func newPool[T io.Closer](dial func(addr string) (T, error)) *pool[T] {
	return &pool[T]{make(chan T, maxIdle), dial}
}

// with lends a connection to do. It is kept unless do says that it is broken: any error but one that the database answered with.
func (p *pool[T]) with(addr string, do func(T) error) error {
	var k T
	select {
	case k = <-p.idle:
	default:
		var err error
		if k, err = p.dial(addr); err != nil {
			return err
		}
	}
	err := do(k)
	var state *database.StateError
	if err != nil && !errors.As(err, &state) {
		k.Close()
		return err
	}
	select {
	case p.idle <- k:
	default:
		k.Close()
	}
	return err
}

// pools are the connections of one player.
type pools struct {
	cache    *pool[*cache.Client]
	database *pool[*database.Client]
	broker   *pool[*broker.Client]
	rpc      *rpc.Client
}

func (p *player) newPools() pools {
	return pools{
		cache: newPool(func(addr string) (*cache.Client, error) { return cache.Dial(addr, callTimeout) }),
		database: newPool(func(addr string) (*database.Client, error) {
			return database.Dial(addr, p.spec.service, callTimeout)
		}),
		broker: newPool(func(addr string) (*broker.Client, error) { return p.dialBroker("broker", addr) }),
		rpc:    rpc.NewClient(),
	}
}

// dialBroker connects, which are two operations: CONNECT, and a PING that shows that it went well.
func (p *player) dialBroker(to, addr string) (*broker.Client, error) {
	k, err := broker.Dial(addr, p.spec.service, callTimeout)
	p.logged(to, "connect", "", noStatus)
	p.logged(to, "ping", "", pongOr(err))
	return k, err
}
