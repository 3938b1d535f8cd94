package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
)

// levels reads the gauges of a protocol as its clients have them at the end of the range, by what they are of. Series that differ in
// other labels (hosts) are added up.
func (a *api) levels(ctx context.Context, s span, p ProtocolMetrics) ([]Level, error) {
	var out []Level
	for _, g := range p.Client.Gauges {
		found := map[Level]float64{}
		err := a.reader.Last(ctx, s.end, func(ls labels.Labels, v float64) {
			found[Level{
				Service: ls.Get("peer_service"), Protocol: p.Protocol, Target: value(ls, p.Client.TargetLabel), Name: g.Name,
				Client: ls.Get("service_name"), Group: value(ls, g.Label),
			}] += v
		}, named(g.Metric, []*labels.Matcher{is("network_protocol_name", p.Protocol)})...)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", g.Metric, err)
		}
		for l, v := range found {
			l.Value = v
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b Level) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Target, b.Target),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Client, b.Client), cmp.Compare(a.Group, b.Group))
	})
	return out, nil
}
