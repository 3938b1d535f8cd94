package query

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/sonde-dev/sonde/server/query/increase"
)

// sparkSteps is the number of points of a spark line; it divides by three, see tally.thirds.
const sparkSteps = 30

const (
	sideServer = "server"
	sideClient = "client"
)

// sideKey is one side of a service.
type sideKey struct{ service, side string }

// services reads the overview's rows of all services that match and had a request in the range, ranked.
func (a *api) services(ctx context.Context, s span, ms ...*labels.Matcher) ([]Service, error) {
	protocols := map[string]map[string]bool{}
	g := gathering[sideKey]{
		reader: a.reader, cuts: s.even(sparkSteps),
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
		a.fill(&x, s, tallies[sideKey{name, sideServer}], tallies[sideKey{name, sideClient}])
		out = append(out, x)
	}
	slices.SortFunc(out, compareServices)
	return out, nil
}

// fill puts the two sides of a service into its row.
func (a *api) fill(x *Service, s span, server, client *tally) {
	length := s.seconds()
	shown := server
	if client != nil && client.requests(0, client.all()) > 0 {
		r := client.red(0, client.all(), length)
		x.Client = &r
	}
	switch {
	case server != nil && server.requests(0, server.all()) > 0:
		r := server.red(0, server.all(), length)
		x.Server, x.Reasons = &r, judge(server, s, a.cfg.SlowThreshold)
		x.Severity = worst(x.Reasons)
	case x.Client != nil:
		shown, x.Reasons = client, inform(judge(client, s, a.cfg.SlowThreshold))
	}
	cuts, step := s.even(sparkSteps), length/sparkSteps
	x.Spark, x.SparkError = make([]float64, sparkSteps), make([]float64, sparkSteps)
	for i := range sparkSteps {
		n := shown.requests(i, i+1)
		x.Spark[i], x.SparkError[i] = n/step, shown.errors[i]/step
		if n == 0 {
			continue
		}
		// To within one step of the spark line.
		if x.FirstSeen == 0 {
			x.FirstSeen = float64(cuts[i]) / 1000
		}
		x.LastSeen = float64(cuts[i+1]) / 1000
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
