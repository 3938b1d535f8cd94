package query

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
)

// instanceKey is one side of one instance.
type instanceKey struct{ instance, side string }

// instanceRows reads the instances of a service that had a sample in the range, the worst first. Rate, P95 and
// ErrorRatio, and the comparison with the siblings, are of the given side.
func (a *api) instanceRows(ctx context.Context, s span, side string, own *labels.Matcher) ([]Instance, error) {
	cuts, first, last := s.stepped()
	g := gathering[instanceKey]{
		reader: a.reader, cuts: cuts,
		key: func(ls labels.Labels) instanceKey {
			return instanceKey{ls.Get("service_instance_id"), ls.Get("side")}
		},
	}
	tallies, err := g.gather(ctx, instanceFamily(), own)
	if err != nil {
		return nil, err
	}
	known, err := a.instances(ctx, s, own)
	if err != nil {
		return nil, err
	}
	ids := infos{}
	for _, all := range known {
		for id, ls := range all {
			ids[id] = ls
		}
	}
	for k, t := range tallies { // measured, but without an info series
		if _, ok := ids[k.instance]; !ok && t.requests(0, t.all()) > 0 {
			ids[k.instance] = labels.EmptyLabels()
		}
	}
	reds := map[string]RED{}
	for id := range ids {
		if t := tallies[instanceKey{id, side}]; t != nil {
			reds[id] = t.red(0, t.all(), s.seconds())
		}
	}
	out := make([]Instance, 0, len(ids))
	for id, ls := range ids {
		x := instanceOf(id, ls)
		for _, y := range []struct {
			side string
			red  **RED
		}{{sideServer, &x.Server}, {sideClient, &x.Client}} {
			if t := tallies[instanceKey{id, y.side}]; t != nil && t.requests(0, t.all()) > 0 {
				r := t.red(0, t.all(), s.seconds())
				*y.red = &r
			}
		}
		x.Reasons = append(x.Reasons, judgeOutlier(reds[id], siblings(reds, id))...)
		x.Severity = worst(x.Reasons)
		x.fill(tallies[instanceKey{id, side}], first, last, float64(s.step)/1000)
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b Instance) int {
		return cmp.Or(b.Severity.rank()-a.Severity.rank(), cmp.Compare(reds[b.ID].Requests, reds[a.ID].Requests), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

func siblings(all map[string]RED, self string) []RED {
	var out []RED
	for id, r := range all {
		if id != self {
			out = append(out, r)
		}
	}
	return out
}

func instanceOf(id string, ls labels.Labels) Instance {
	pid, _ := strconv.Atoi(ls.Get("process_pid")) // absent is 0
	return Instance{
		ID: id, PID: pid, Executable: ls.Get("process_executable_name"), Language: ls.Get("process_runtime_name"),
		ContainerID: ls.Get("container_id"), Unit: ls.Get("systemd_unit"), Host: ls.Get("host_name"),
		Severity: SeverityOK, Reasons: []Reason{},
	}
}

// fill puts the intervals [first, last) into the series over time; t may be nil.
func (x *Instance) fill(t *tally, first, last int, step float64) {
	n := max(0, last-first)
	x.Rate, x.P95, x.ErrorRatio = make([]*float64, n), make([]*float64, n), make([]*float64, n)
	for i := range n {
		if t == nil || !t.seen[first+i] {
			continue
		}
		r := t.red(first+i, first+i+1, step)
		x.Rate[i] = &r.Rate
		if r.Requests > 0 {
			x.ErrorRatio[i] = &r.ErrorRatio
		}
		if r.Requests > r.Untimed {
			x.P95[i] = &r.P95
		}
	}
}
