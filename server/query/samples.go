package query

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/sonde-dev/sonde/server/store/samplestore"
	"github.com/sonde-dev/sonde/signal"
)

// SampleStore is what keeps slow and failed requests; samplestore.Store is one.
type SampleStore interface {
	Read(ctx context.Context, q samplestore.Query) (found []signal.Sample, hasMore bool, err error)
	Usage() samplestore.Usage
}

const (
	defaultSamples = 100
	maxSamples     = 1000 // 8 KiB of texts each
)

func (a *api) samplesParams(ranged []param) []param {
	return slices.Concat([]param{
		{name: "service", in: "query", text: "service.name; default: all"},
		{name: "interface", in: "query", text: `operation and target as in the metrics, with a space between: "GET /orders/{id}"; default: all`},
		{name: "protocol", in: "query", text: "network.protocol.name; default: all"},
		{name: "kind", in: "query", text: "default: both", enum: []string{"slow", "failed"}},
		{name: "side", in: "query", text: "server: requests that the service answered, client: that it made; default: both", enum: []string{sideServer, sideClient}},
		{name: "limit", in: "query", text: fmt.Sprintf("of samples, at most %d; default: %d", maxSamples, defaultSamples)},
	}, ranged)
}

func (a *api) answerSamples(r *http.Request) (any, error) {
	s, err := a.span(r)
	if err != nil {
		return nil, err
	}
	s.step = 0
	q, err := parseSamples(r.URL.Query())
	if err != nil {
		return nil, badRequest(err)
	}
	out := SamplesReply{Range: s.reply(), SlowThreshold: a.cfg.SlowThreshold.Seconds(), Samples: []Sample{}}
	if a.deps.Samples == nil {
		return out, nil
	}
	out.Enabled = true
	q.Start, q.End = time.UnixMilli(s.start), time.UnixMilli(s.end)
	found, more, err := a.deps.Samples.Read(r.Context(), q)
	for i := range found {
		out.Samples = append(out.Samples, a.sampleOf(&found[i]))
	}
	out.More = more
	return out, err
}

// parseSamples reads what is looked for, the range excepted. The error is a sentence for the caller.
func parseSamples(q url.Values) (samplestore.Query, error) {
	out := samplestore.Query{
		Service: q.Get("service"), Interface: q.Get("interface"), Protocol: q.Get("protocol"), Kind: q.Get("kind"), Side: q.Get("side"), Limit: defaultSamples,
	}
	if out.Kind != "" && out.Kind != "slow" && out.Kind != "failed" {
		return out, errors.New("kind must be slow or failed")
	}
	if out.Side != "" && out.Side != sideServer && out.Side != sideClient {
		return out, errUnknownSide
	}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxSamples {
			return out, fmt.Errorf("limit %q must be a number from 1 to %d", text, maxSamples)
		}
		out.Limit = n
	}
	return out, nil
}

func (a *api) sampleOf(s *signal.Sample) Sample {
	x := Sample{
		Time: float64(s.Time.UnixMicro()) / 1e6, Duration: s.Duration.Seconds(), Slow: s.IsSlow, Failed: s.IsFailed,
		Service: s.Service, Instance: s.Instance, Side: s.Side, Peer: s.Peer, Protocol: s.Protocol, Kind: a.kindOf(s.Protocol),
		Operation: s.Operation, Target: s.Target, Status: s.Status, Error: s.Error, Partial: s.IsPartial,
		RequestBytes: float64(s.RequestBytes), ResponseBytes: float64(s.ResponseBytes), Attributes: s.Attributes,
		Request: s.Request, Response: s.Response, RequestCut: s.RequestTruncated, ResponseCut: s.ResponseTruncated,
	}
	if x.Attributes == nil {
		x.Attributes = map[string]string{}
	}
	return x
}

// contentStatus adds what is on disk.
func (a *api) contentStatus(c *StatusContent) {
	if c.Dropped == nil {
		c.Dropped = map[string]float64{}
	}
	if a.deps.Samples == nil {
		return
	}
	u := a.deps.Samples.Usage()
	c.Records, c.DiskBytes, c.DiskBound, c.RetentionSecs = float64(u.Records), float64(u.Bytes), float64(u.Bound), u.Retention.Seconds()
	if !u.Oldest.IsZero() {
		c.Oldest = float64(u.Oldest.UnixMilli()) / 1000
	}
}
