package query

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// orders are the ways to rank offers, most first.
func orders() map[string]func(Offer) float64 {
	return map[string]func(Offer) float64{
		"time":     func(o Offer) float64 { return o.Time },
		"requests": func(o Offer) float64 { return o.RED.Requests },
		"errors":   func(o Offer) float64 { return o.RED.Errors },
		"slow":     func(o Offer) float64 { return o.RED.Slow },
		"p95":      func(o Offer) float64 { return o.RED.P95 },
	}
}

// Bounds of the rows of one reply.
const (
	defaultOffers = 500
	maxOffers     = 5000
)

// offerKey is one operation on one target of the service that answers.
type offerKey struct{ service, operation, target string }

// offers answers what is offered by protocols of some kinds, who offers it and who calls it.
func (a *api) offers(ctx context.Context, s span, kinds []string, order string, limit int) (InterfacesReply, error) {
	out := InterfacesReply{Range: s.reply(), Kinds: kinds, Protocols: []string{}, Offerers: []Offerer{}, Offers: []Offer{}, Levels: []Level{}}
	for _, p := range a.cfg.Protocols {
		if !slices.Contains(kinds, p.Kind) {
			continue
		}
		out.Protocols = append(out.Protocols, p.Protocol)
		offerers, err := a.offerers(ctx, s, p)
		if err != nil {
			return out, err
		}
		found, tallies, err := a.protocolOffers(ctx, s, p)
		if err != nil {
			return out, err
		}
		if len(offerers) == 0 {
			offerers = offerersOf(p, found, tallies, s)
		}
		levels, err := a.levels(ctx, s, p)
		if err != nil {
			return out, err
		}
		out.Levels = append(out.Levels, levels...)
		out.Offerers, out.Offers = append(out.Offerers, offerers...), append(out.Offers, found...)
	}
	slices.SortFunc(out.Offerers, func(a, b Offerer) int {
		return cmp.Or(b.Severity.rank()-a.Severity.rank(), cmp.Compare(b.RED.Requests, a.RED.Requests),
			cmp.Compare(a.Service, b.Service), cmp.Compare(a.Protocol, b.Protocol))
	})
	by := orders()[order]
	slices.SortFunc(out.Offers, func(a, b Offer) int {
		return cmp.Or(cmp.Compare(by(b), by(a)), cmp.Compare(b.RED.Requests, a.RED.Requests),
			cmp.Compare(a.Service, b.Service), compareNames(a.Interface, b.Interface))
	})
	out.Total = len(out.Offers)
	out.Offers = out.Offers[:min(limit, len(out.Offers))]
	var err error
	out.Loss, err = a.loss(ctx, s)
	return out, err
}

// protocolOffers joins both ends' views of one protocol's interfaces. A service that was observed itself is told as it
// sees itself, for that includes callers that were not observed; others as their callers see them. Callers are always as
// they see it.
func (a *api) protocolOffers(ctx context.Context, s span, p ProtocolMetrics) ([]Offer, map[offerKey]*tally, error) {
	served, err := a.interfaceTallies(ctx, s, p, sideServer)
	if err != nil {
		return nil, nil, err
	}
	made, err := a.interfaceTallies(ctx, s, p, sideClient)
	if err != nil {
		return nil, nil, err
	}
	isObserved := map[string]bool{}
	tallies, callers := map[offerKey]*tally{}, map[offerKey][]Caller{}
	for k, t := range served {
		if t.requests(0, 1) > 0 {
			isObserved[k.service] = true
			tallies[offerKey{k.service, k.operation, k.target}] = t
		}
	}
	for k, t := range made {
		if t.requests(0, 1) == 0 {
			continue
		}
		o := offerKey{k.peer, k.operation, k.target}
		callers[o] = append(callers[o], Caller{k.service, interfaceOf(p, k, t, s).RED})
		if isObserved[k.peer] {
			continue
		}
		if tallies[o] == nil {
			tallies[o] = newTally(1)
		}
		if err := tallies[o].addAll(t); err != nil {
			return nil, nil, err
		}
	}
	out := make([]Offer, 0, len(tallies))
	for k, t := range tallies {
		o := Offer{
			Service: k.service, Seen: sideClient, Callers: []Caller{},
			Interface: interfaceOf(p, interfaceKey{operation: k.operation, target: k.target}, t, s),
		}
		if isObserved[k.service] {
			o.Seen = sideServer
		}
		o.Callers = append(o.Callers, callers[k]...)
		slices.SortFunc(o.Callers, func(a, b Caller) int {
			return cmp.Or(cmp.Compare(b.RED.Requests, a.RED.Requests), cmp.Compare(a.Name, b.Name))
		})
		out = append(out, o)
	}
	return out, tallies, nil
}

// offerersOf tells who offers what has no edges of its own: views of exchanges that are counted, and judged, as another protocol's.
func offerersOf(p ProtocolMetrics, offers []Offer, tallies map[offerKey]*tally, s span) []Offerer {
	totals, callers, observed := map[string]*tally{}, map[string]map[string]bool{}, map[string]bool{}
	for k, t := range tallies {
		if totals[k.service] == nil {
			totals[k.service] = newTally(1)
		}
		if totals[k.service].addAll(t) != nil {
			return nil // of resolutions that nobody writes
		}
	}
	for _, o := range offers {
		if callers[o.Service] == nil {
			callers[o.Service] = map[string]bool{}
		}
		for _, c := range o.Callers {
			callers[o.Service][c.Name] = true
		}
		observed[o.Service] = observed[o.Service] || o.Seen == sideServer
	}
	var out []Offerer
	for service, t := range totals {
		out = append(out, Offerer{
			Service: service, External: !observed[service], Protocol: p.Protocol, Kind: p.Kind,
			Callers: slices.Sorted(maps.Keys(callers[service])), RED: t.red(0, 1, s.seconds()), Severity: SeverityOK, Reasons: []Reason{},
		})
	}
	return out
}

// addAll adds what another tally of one interval holds; it leaves that one as it is.
func (t *tally) addAll(o *tally) error {
	if d := o.durations[0]; d != nil {
		if t.durations[0] == nil {
			t.durations[0] = d.Copy()
		} else {
			total, _, _, err := t.durations[0].Add(d)
			if err != nil {
				return fmt.Errorf("add histograms: %w", err)
			}
			t.durations[0] = total
		}
	}
	t.errors[0] += o.errors[0]
	t.slow[0] += o.slow[0]
	t.untimedAlso += o.untimedAlso
	t.requestB += o.requestB
	t.responseB += o.responseB
	for _, m := range []struct{ to, from map[string]float64 }{{t.byType, o.byType}, {t.byStatus, o.byStatus}, {t.counts, o.counts}} {
		for k, n := range m.from {
			m.to[k] += n
		}
	}
	return nil
}

// offererKey is one end's view of a service.
type offererKey struct{ service, side string }

// offerers reads who answers to a protocol, from the edges: as its own end sees it where it was observed.
func (a *api) offerers(ctx context.Context, s span, p ProtocolMetrics) ([]Offerer, error) {
	callers, external := map[string]map[string]bool{}, map[string]bool{}
	g := gathering[offererKey]{
		reader: a.reader, cuts: s.even(parts),
		key: func(ls labels.Labels) offererKey { return offererKey{ls.Get("server"), ls.Get("side")} },
		note: func(k offererKey, ls labels.Labels) {
			if callers[k.service] == nil {
				callers[k.service] = map[string]bool{}
			}
			callers[k.service][ls.Get("client")] = true
			external[k.service] = external[k.service] || ls.Get("server_external") == "true"
		},
	}
	tallies, err := g.gather(ctx, edgeFamily(), is("network_protocol_name", p.Protocol))
	if err != nil {
		return nil, err
	}
	var out []Offerer
	for service := range callers {
		t := tallies[offererKey{service, sideServer}]
		if t == nil || t.requests(0, t.all()) == 0 {
			t = tallies[offererKey{service, sideClient}]
		}
		x := Offerer{
			Service: service, External: external[service], Protocol: p.Protocol, Kind: p.Kind,
			Callers: slices.Sorted(maps.Keys(callers[service])), RED: t.red(0, t.all(), s.seconds()),
		}
		x.Reasons = judge(t, x.RED, s, a.cfg.SlowThreshold)
		x.Severity = worst(x.Reasons)
		out = append(out, x)
	}
	return out, nil
}

// parseOffers reads kind, sort and limit. The error is a sentence for the caller.
func parseOffers(q url.Values) (kinds []string, order string, limit int, err error) {
	known := []string{kindHTTP, kindRPC, "db", "cache", "messaging", "dns", kindOther}
	kinds = strings.Split(q.Get("kind"), ",")
	for _, k := range kinds {
		if !slices.Contains(known, k) {
			return nil, "", 0, fmt.Errorf("kind %q: give one or more of %s", k, strings.Join(known, ","))
		}
	}
	if order = cmp.Or(q.Get("sort"), "time"); orders()[order] == nil {
		return nil, "", 0, fmt.Errorf("sort %q: give one of %s", order, strings.Join(slices.Sorted(maps.Keys(orders())), ", "))
	}
	limit, err = strconv.Atoi(cmp.Or(q.Get("limit"), strconv.Itoa(defaultOffers)))
	if err != nil || limit < 1 || limit > maxOffers {
		return nil, "", 0, fmt.Errorf("limit %q: give a number from 1 to %d", q.Get("limit"), maxOffers)
	}
	return kinds, order, limit, nil
}
