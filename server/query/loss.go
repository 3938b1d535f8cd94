package query

import (
	"context"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/sonde-dev/sonde/server/query/increase"
	"github.com/sonde-dev/sonde/signal"
)

// harmless are the causes that take nothing from the counts, and why; they are shown by cause but not in the total.
func harmless() map[signal.Cause]string {
	return map[signal.Cause]string{
		signal.RingFull:           "the requests among them are ring_full_message, what else they broke counts as partial",
		signal.PayloadFault:       "the sizes are right, the content is missing",
		signal.BytesLost:          "bytes, not events; what they broke counts as partial",
		signal.OrphanResponse:     "the request was sent before Sonde watched",
		signal.SeriesLimit:        "counted under other",
		signal.RouteLimit:         "counted under other",
		signal.ResolutionReduced:  "the counts are exact, percentiles coarser",
		signal.QueueFull:          "counters are cumulative: the next batch makes up for it",
		signal.ExportRejected:     "stored here, refused elsewhere",
		signal.ProcessUnknown:     "counted, under a lesser name",
		signal.PendingPeerTimeout: "counted, under the peer's address",
	}
}

// loss reads what was not counted in the range.
func (a *api) loss(ctx context.Context, s span) (Loss, error) {
	out := Loss{Causes: map[string]float64{}}
	ignored := map[string]bool{}
	for c := range harmless() {
		ignored[c.String()] = true
	}
	err := a.reader.Counters(ctx, []int64{s.start, s.end}, func(ls labels.Labels, c increase.Counter) {
		n, cause := c.Sum(), ls.Get("cause")
		if n == 0 {
			return
		}
		out.Causes[cause] += n
		if !ignored[cause] {
			out.Total += n
		}
	}, is(model.MetricNameLabel, "sonde_agent_lost_total"))
	return out, err
}
