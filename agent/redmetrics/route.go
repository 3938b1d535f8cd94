package redmetrics

import (
	"strings"

	"github.com/sonde-dev/sonde/agent/exchange"
)

// operationsPerService bounds the operations of a service side; HTTP has 39 registered methods. What comes beyond is
// the operation "other".
const operationsPerService = 64

// longestRaw is the longest raw target worth remembering: at the bound on raw targets that is 16 MB of strings at worst.
const longestRaw = 256

// fewestRaw is what an operation may remember even when the bounds are reached.
const fewestRaw = 16

// operation is one operation of a service side ("GET") with its routes, and a cache from raw targets to routes that is
// replaced by the clock algorithm.
type operation struct {
	name       string
	routes     map[string]*route // by template
	other      *route
	generation uint32 // grows when a route ends: what was "other" may have room now

	raw     map[string]int32 // position in entries
	entries []rawEntry
	latest  int // position in entries of the target seen last
	hand    int
}

type rawEntry struct {
	target     string
	route      *route
	generation uint32
	isUsed     bool
}

// route is one template of an operation.
type route struct {
	operation *operation
	template  string
	isOther   bool
	isDead    bool // no longer in operation.routes
	uses      int  // series that bear it, one for each scope
}

// routeOf returns the route of an exchange.
func (s *serviceSide) routeOf(r *Recorder, x *exchange.Exchange, p *protocolMetrics) *route {
	name := x.Operation
	if p.semantics.OperationLabel == "" { // or two operations would have series with the same labels
		name = ""
	}
	op := s.operationOf(name)
	if op.latest < len(op.entries) && op.entries[op.latest].target == x.Target {
		return op.known(r, x, p, op.latest)
	}
	if i, ok := op.raw[x.Target]; ok {
		op.latest = int(i)
		return op.known(r, x, p, op.latest)
	}
	rt := op.resolve(r, x, p)
	s.remember(r, op, x.Target, rt)
	return rt
}

// known returns the route of a raw target that is in the cache.
func (op *operation) known(r *Recorder, x *exchange.Exchange, p *protocolMetrics, i int) *route {
	e := &op.entries[i]
	e.isUsed = true
	if e.route.isDead || e.route.isOther && e.generation != op.generation {
		e.route, e.generation = op.resolve(r, x, p), op.generation
	}
	return e.route
}

func (s *serviceSide) operationOf(name string) *operation {
	for _, op := range s.operations {
		if op.name == name {
			return op
		}
	}
	if len(s.operations) >= operationsPerService && name != other {
		return s.operationOf(other)
	}
	op := &operation{name: strings.Clone(name), routes: map[string]*route{}, raw: map[string]int32{}}
	s.operations = append(s.operations, op)
	return op
}

// resolve finds or makes the route of a raw target.
func (op *operation) resolve(r *Recorder, x *exchange.Exchange, p *protocolMetrics) *route {
	var template string
	if x.Target != "" && p.targetLabel(x.Side) != "" {
		template = p.semantics.TemplateOf(x.Target)
	}
	if rt := op.routes[template]; rt != nil {
		return rt
	}
	if len(op.routes) >= r.cfg.Routes {
		if op.other == nil {
			op.other = &route{operation: op, template: other, isOther: true}
		}
		return op.other
	}
	rt := &route{operation: op, template: strings.Clone(template)}
	op.routes[rt.template] = rt
	return rt
}

// release forgets a route that nothing bears any more.
func (rt *route) release() {
	if rt.uses > 0 || rt.isOther || rt.isDead {
		return
	}
	rt.isDead = true
	delete(rt.operation.routes, rt.template)
	rt.operation.generation++
}

// remember keeps the route of a raw target, in place of one not used lately if a bound is reached.
func (s *serviceSide) remember(r *Recorder, op *operation, target string, rt *route) {
	if len(target) > longestRaw {
		return
	}
	e := rawEntry{target: strings.Clone(target), route: rt, generation: op.generation}
	isFull := s.rawUsed >= r.cfg.RawTargets || r.rawUsed >= r.cfg.RawTargetsInAll
	if !isFull || len(op.entries) < fewestRaw {
		op.raw[e.target] = int32(len(op.entries))
		op.entries = append(op.entries, e)
		s.rawUsed++
		r.rawUsed++
		return
	}
	for op.entries[op.hand].isUsed {
		op.entries[op.hand].isUsed = false
		op.hand = (op.hand + 1) % len(op.entries)
	}
	delete(op.raw, op.entries[op.hand].target)
	op.raw[e.target] = int32(op.hand)
	op.entries[op.hand] = e
	op.hand = (op.hand + 1) % len(op.entries)
}
