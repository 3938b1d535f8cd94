package truth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sonde-dev/sonde/test/wire"
)

// redisSlow is how long DEBUG SLEEP is told to sleep, here and in redis_client.py.
const redisSlow = 50 * time.Millisecond

// useRedis speaks RESP3 with pipelines, transactions, scripts, errors, blocking commands and a subscription. Its account is how long what
// sleeps at the server took.
func useRedis(ctx context.Context, a Args) (*wire.Log, error) {
	o := &redis.Options{Addr: a.Addr, PoolSize: 4}
	if a.TLS != "" {
		o.TLSConfig = &tls.Config{InsecureSkipVerify: true}
	}
	c := redis.NewClient(o)
	defer c.Close()
	log := &wire.Log{}
	if err := c.Ping(ctx).Err(); err != nil { // whatever connecting takes is no part of what is timed
		return nil, err
	}
	for range 20 {
		begin := time.Now()
		if err := c.Do(ctx, "DEBUG", "SLEEP", redisSlow.Seconds()).Err(); err != nil {
			return nil, err
		}
		log.Durations = append(log.Durations, time.Since(begin).Seconds())
	}
	return log, playRedis(ctx, c, a.Requests)
}

func playRedis(ctx context.Context, c *redis.Client, rounds int) error {
	for i := range rounds {
		key := fmt.Sprintf("user:%d", i)
		if err := c.Set(ctx, key, "value", 0).Err(); err != nil {
			return err
		}
		if err := c.LPush(ctx, key, "x").Err(); err == nil {
			return errors.New("LPUSH on a string succeeded")
		}
		if err := c.HSet(ctx, "hash:"+key, "a", 1, "b", 2).Err(); err != nil {
			return err
		}
		if _, err := c.HGetAll(ctx, "hash:"+key).Result(); err != nil {
			return err
		}
		if err := c.Get(ctx, "none").Err(); err != redis.Nil {
			return fmt.Errorf("GET of nothing: %w", err)
		}
		if err := c.Eval(ctx, "return 1", nil).Err(); err != nil {
			return err
		}
	}
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range 500 {
			p.Incr(ctx, fmt.Sprintf("counter:%d", i%7))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, "t", "v", 0)
		p.Get(ctx, "t")
		return nil
	}); err != nil {
		return err
	}
	return waitAndListen(ctx, c)
}

func waitAndListen(ctx context.Context, c *redis.Client) error {
	sub := c.Subscribe(ctx, "news")
	defer sub.Close()
	if _, err := sub.Receive(ctx); err != nil {
		return err
	}
	for i := range 20 {
		if err := c.Publish(ctx, "news", i).Err(); err != nil {
			return err
		}
		if _, err := sub.ReceiveMessage(ctx); err != nil {
			return err
		}
	}
	if err := c.BLPop(ctx, 200*time.Millisecond, "nojobs").Err(); err != redis.Nil {
		return fmt.Errorf("BLPOP of nothing: %w", err)
	}
	return nil
}
