package query

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/sonde-dev/sonde/server/query/increase"
)

// sparkSteps is the number of points of a spark line.
const sparkSteps = 30

// spark is the requests and errors of one side of a service in each step.
type spark struct{ requests, errors [sparkSteps]float64 }

// sparks reads the spark lines. Requests come from the counters by status, which add up to all requests: thirty values of
// a float counter cost a tenth of thirty values of a histogram.
func (a *api) sparks(ctx context.Context, s span, ms ...*labels.Matcher) (map[sideKey]*spark, error) {
	out := map[sideKey]*spark{}
	read := func(metric string, line func(*spark) *[sparkSteps]float64) error {
		return a.reader.Counters(ctx, s.even(sparkSteps), func(ls labels.Labels, c increase.Counter) {
			k := sideKey{ls.Get("service_name"), ls.Get("side")}
			if out[k] == nil {
				out[k] = &spark{}
			}
			for i, d := range c.Delta {
				line(out[k])[i] += d
			}
		}, named(metric, ms)...)
	}
	if err := read("sonde_service_status_total", func(x *spark) *[sparkSteps]float64 { return &x.requests }); err != nil {
		return nil, err
	}
	return out, read("sonde_service_errors_total", func(x *spark) *[sparkSteps]float64 { return &x.errors })
}

// draw puts a spark line, which may be nil, into the row. First and last are known to within one step.
func (x *Service) draw(line *spark, s span) {
	x.Spark, x.SparkError = make([]float64, sparkSteps), make([]float64, sparkSteps)
	if line == nil {
		return
	}
	cuts, step := s.even(sparkSteps), s.seconds()/sparkSteps
	for i, n := range line.requests {
		x.Spark[i], x.SparkError[i] = n/step, line.errors[i]/step
		if n == 0 {
			continue
		}
		if x.FirstSeen == 0 {
			x.FirstSeen = float64(cuts[i]) / 1000
		}
		x.LastSeen = float64(cuts[i+1]) / 1000
	}
}
