package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/redmetrics"
	"github.com/sonde-dev/sonde/signal"
)

// Summary counts exchanges by protocol, side, operation, template and status. It lets the recorder of a live host count, with a
// row of the table in the place of a service: that is what has all figures.
type Summary struct {
	recorder *redmetrics.Recorder
	entities map[rowKey]*signal.Entity
	keys     map[string]rowKey // by the name of the entity
}

type rowKey struct{ operation, template, status string }

// row is what the recorder counted for one row of the table.
type row struct {
	rowKey
	protocol, side    string
	duration          *signal.NativeHistogram
	errors            float64
	request, response float64 // bytes
}

// maxRows bounds the table; what comes beyond is one row, "other".
const maxRows = 10_000

// NewSummary makes an empty one.
func NewSummary() *Summary {
	cfg := redmetrics.DefaultConfig
	cfg.Services = maxRows
	return &Summary{recorder: redmetrics.New(cfg), entities: map[rowKey]*signal.Entity{}, keys: map[string]rowKey{}}
}

// Add counts an exchange.
func (s *Summary) Add(x *exchange.Exchange) {
	k := rowKey{x.Operation, x.Protocol.Semantics().TemplateOf(x.Target), x.Status}
	e := s.entities[k]
	if e == nil {
		if len(s.entities) >= maxRows {
			k = rowKey{"other", "other", ""}
		}
		k = rowKey{strings.Clone(k.operation), strings.Clone(k.template), strings.Clone(k.status)}
		if e = s.entities[k]; e == nil {
			e = &signal.Entity{Service: fmt.Sprint(len(s.entities))}
			s.entities[k], s.keys[e.Service] = e, k
		}
	}
	s.recorder.Observe(x, e, e)
}

// Write writes the table, most frequent first.
func (s *Summary) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PROTOCOL\tSIDE\tOPERATION\tTARGET\tSTATUS\tCOUNT\tERRORS\tP50\tP90\tP99\tREQUEST B\tRESPONSE B")
	for _, r := range s.rows() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%.0f\t%s\t%s\t%s\t%.0f\t%.0f\n", r.protocol, r.side, orDash(r.operation), orDash(r.template),
			orDash(r.status), r.duration.Count, r.errors, quantile(r.duration, 0.5), quantile(r.duration, 0.9), quantile(r.duration, 0.99),
			r.request, r.response)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// rows reads the recorder's series.
func (s *Summary) rows() []*row {
	type id struct{ entity, side, protocol string }
	byID := map[id]*row{}
	var rows []*row
	for _, series := range s.recorder.Snapshot(time.Now()).Series {
		switch series.Desc {
		case signal.ServiceDuration, signal.ServiceErrors, signal.ServiceRequestBytes, signal.ServiceResponseBytes:
		default:
			continue
		}
		v := series.LabelValues // service_name, side, network_protocol_name, …
		k := id{v[0], v[1], v[2]}
		r := byID[k]
		if r == nil {
			r = &row{rowKey: s.keys[v[0]], side: v[1], protocol: v[2]}
			byID[k] = r
			rows = append(rows, r)
		}
		switch series.Desc {
		case signal.ServiceDuration:
			r.duration = series.Histogram
		case signal.ServiceErrors: // one for each kind of error
			r.errors += series.Value
		case signal.ServiceRequestBytes:
			r.request = series.Value
		case signal.ServiceResponseBytes:
			r.response = series.Value
		}
	}
	rows = slices.DeleteFunc(rows, func(r *row) bool { return r.duration == nil || r.duration.Count == 0 })
	slices.SortFunc(rows, func(a, b *row) int {
		return cmp.Or(-cmp.Compare(a.duration.Count, b.duration.Count), cmp.Compare(a.protocol, b.protocol), cmp.Compare(a.side, b.side),
			cmp.Compare(a.operation, b.operation), cmp.Compare(a.template, b.template), cmp.Compare(a.status, b.status))
	})
	return rows
}

// quantile is the middle of the bucket that holds it, at most 0.6 % away from it.
func quantile(h *signal.NativeHistogram, q float64) time.Duration {
	rank := uint64(math.Ceil(q * float64(h.Count)))
	at := h.ZeroCount
	if rank <= at {
		return 0
	}
	for _, b := range h.Buckets {
		if at += b.Count; rank <= at {
			seconds := math.Exp2((float64(b.Index) - 0.5) * math.Exp2(-float64(h.Schema)))
			return rounded(time.Duration(seconds * 1e9))
		}
	}
	return 0
}

// rounded keeps three digits.
func rounded(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
