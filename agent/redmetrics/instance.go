package redmetrics

import (
	"math"
	"strconv"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/signal"
)

type instanceKey struct {
	service, id string
	protocol    *protocolMetrics
	side        exchange.Side
}

// instance is one running copy of a service, seen from one side.
type instance struct {
	group
	key  instanceKey
	info *info

	duration     histogram
	slow, errors uint64
	untimed      uint64 // a series from the first on
	labels       []string
}

func (r *Recorder) instanceOf(service string, e *signal.Entity, side exchange.Side, p *protocolMetrics) (i *instance, limited bool) {
	key := instanceKey{service, e.Instance, p, side}
	if i := r.instances[key]; i != nil {
		i.info.learn(r, e)
		return i, false
	}
	if len(r.instances) >= r.cfg.Instances {
		limited = true
		key.id, e = other, &signal.Entity{}
		if i := r.instances[key]; i != nil {
			return i, true
		}
	}
	labels := []string{service, key.id, side.String(), p.name}
	i = &instance{key: key, labels: labels}
	r.newDuration(&i.group, signal.InstanceDuration, &i.duration, labels...)
	r.newCounter(&i.group, signal.InstanceSlow, &i.slow, labels...)
	r.newCounter(&i.group, signal.InstanceErrors, &i.errors, labels...)
	i.info = r.infoOf(infoKey{service, key.id}, e)
	r.instances[key] = i
	r.add(i)
	return i, limited
}

func (i *instance) idleAfter(c *Config) time.Duration { return c.InstanceIdleAfter }

func (i *instance) remove(r *Recorder) { delete(r.instances, i.key) }

type infoKey struct{ service, id string }

// info is the facts about an instance, the same for all its sides and protocols. It is touched with each of them, so it
// outlives them.
type info struct {
	group
	key   infoKey
	facts int    // number of facts known
	one   uint64 // the value
}

func (r *Recorder) infoOf(key infoKey, e *signal.Entity) *info {
	n := r.infos[key]
	if n != nil {
		n.learn(r, e)
		return n
	}
	n = &info{key: key, facts: -1, one: 1}
	n.learn(r, e)
	r.infos[key] = n
	r.add(n)
	return n
}

// learn replaces the series when an entity knows more of the instance than those before: the container's name may come
// later. An entity that knows as much does not count, so that the workers of one instance do not take turns.
func (n *info) learn(r *Recorder, e *signal.Entity) {
	pid := ""
	if e.PID != 0 {
		pid = strconv.FormatUint(uint64(e.PID), 10)
	}
	labels := []string{n.key.service, n.key.id, pid, e.Executable, e.Language, e.ContainerID, e.ContainerName, e.Unit, e.Host}
	facts := 0
	for _, v := range labels {
		if v != "" {
			facts++
		}
	}
	if facts <= n.facts {
		return
	}
	n.facts = facts
	for _, s := range n.series {
		r.free(s)
		r.ended = append(r.ended, s.out.ID)
	}
	n.series = n.series[:0]
	r.newCounter(&n.group, signal.InstanceInfo, &n.one, labels...)
}

func (n *info) idleAfter(c *Config) time.Duration { return c.InstanceIdleAfter }

func (n *info) remove(r *Recorder) { delete(r.infos, n.key) }

type exchangeKey struct {
	protocol *protocolMetrics
	side     exchange.Side
}

// exchanges is the agent's own count of a protocol's exchanges.
type exchanges struct {
	group
	key   exchangeKey
	total uint64
}

func (r *Recorder) exchangesOf(p *protocolMetrics, side exchange.Side) *exchanges {
	key := exchangeKey{p, side}
	x := r.exchanges[key]
	if x == nil {
		x = &exchanges{key: key}
		r.newCounter(&x.group, signal.AgentExchanges, &x.total, p.name, side.String())
		r.exchanges[key] = x
		r.add(x)
	}
	return x
}

// idleAfter: the agent's own counts never end.
func (x *exchanges) idleAfter(c *Config) time.Duration { return math.MaxInt64 }

func (x *exchanges) remove(r *Recorder) { delete(r.exchanges, x.key) }
