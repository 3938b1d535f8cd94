package query

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/sonde-dev/sonde/server/query/increase"
)

const (
	// parts are the intervals that the judgement compares, see tally.thirds.
	parts = 3

	sideServer = "server"
	sideClient = "client"
)

// sideKey is one side of a service.
type sideKey struct{ service, side string }

// services reads the overview's rows of all services that match and had a request in the range, ranked.
func (a *api) services(ctx context.Context, s span, ms ...*labels.Matcher) ([]Service, error) {
	protocols := map[string]map[string]bool{}
	g := gathering[sideKey]{
		reader: a.reader, cuts: s.even(parts),
		key: func(ls labels.Labels) sideKey { return sideKey{ls.Get("service_name"), ls.Get("side")} },
		note: func(k sideKey, ls labels.Labels) {
			if protocols[k.service] == nil {
				protocols[k.service] = map[string]bool{}
			}
			protocols[k.service][ls.Get("network_protocol_name")] = true
		},
	}
	tallies, err := g.gather(ctx, serviceFamily(), ms...)
	if err != nil {
		return nil, err
	}
	sparks, err := a.sparks(ctx, s, ms...)
	if err != nil {
		return nil, err
	}
	who, err := a.instances(ctx, s, ms...)
	if err != nil {
		return nil, err
	}
	out := make([]Service, 0, len(protocols))
	for name, ps := range protocols {
		x := Service{
			Name: name, Language: who[name].language(), Instances: len(who[name]),
			Protocols: slices.Sorted(maps.Keys(ps)), Severity: SeverityOK, Reasons: []Reason{},
		}
		served, made := sideKey{name, sideServer}, sideKey{name, sideClient}
		a.fill(&x, s, tallies[served], tallies[made])
		if x.Server != nil {
			x.draw(sparks[served], s)
		} else {
			x.draw(sparks[made], s)
		}
		out = append(out, x)
	}
	slices.SortFunc(out, compareServices)
	return out, nil
}

// fill puts the two sides of a service into its row.
func (a *api) fill(x *Service, s span, server, client *tally) {
	if client != nil && client.requests(0, client.all()) > 0 {
		r := client.red(0, client.all(), s.seconds())
		x.Client = &r
	}
	switch {
	case server != nil && server.requests(0, server.all()) > 0:
		r := server.red(0, server.all(), s.seconds())
		x.Server, x.Reasons = &r, judge(server, r, s, a.cfg.SlowThreshold)
		x.Severity = worst(x.Reasons)
	case x.Client != nil:
		x.Reasons = inform(judge(client, *x.Client, s, a.cfg.SlowThreshold))
	}
}

// compareServices ranks by what is wrong: severity, then how many requests failed or were slow, then traffic.
func compareServices(a, b Service) int {
	impact := func(x Service) float64 {
		if x.Server == nil {
			return 0
		}
		return x.Server.Errors + x.Server.Slow
	}
	rate := func(x Service) float64 {
		switch {
		case x.Server != nil:
			return x.Server.Rate
		case x.Client != nil:
			return x.Client.Rate
		}
		return 0
	}
	return cmp.Or(
		b.Severity.rank()-a.Severity.rank(), cmp.Compare(impact(b), impact(a)), cmp.Compare(rate(b), rate(a)), cmp.Compare(a.Name, b.Name),
	)
}

// infos are the instances of one service by id, as label sets of sonde_instance_info.
type infos map[string]labels.Labels

// language returns the language of most instances, "" where none is known.
func (in infos) language() string {
	n := map[string]float64{}
	for _, ls := range in {
		if l := ls.Get("process_runtime_name"); l != "" {
			n[l]++
		}
	}
	l, _ := mostFrequent(n)
	return l
}

// instances reads which instances of which service had a sample in the range.
func (a *api) instances(ctx context.Context, s span, ms ...*labels.Matcher) (map[string]infos, error) {
	out := map[string]infos{}
	err := a.reader.Counters(ctx, []int64{s.start, s.end}, func(ls labels.Labels, c increase.Counter) {
		if !c.Seen[0] {
			return
		}
		name := ls.Get("service_name")
		if out[name] == nil {
			out[name] = infos{}
		}
		out[name][ls.Get("service_instance_id")] = ls
	}, named("sonde_instance_info", ms)...)
	return out, err
}
