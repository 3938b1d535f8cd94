package query

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/sonde-dev/sonde/server/query/increase"
)

// flows reads what TCP connections between services did in the range, whatever they speak. Where both ends were observed, the
// client's view counts.
func (a *api) flows(ctx context.Context, s span) ([]Flow, error) {
	found := map[edgeKey]*Flow{}
	var errs []error
	read := func(metric string, add func(f *Flow, n float64)) {
		errs = append(errs, a.reader.Counters(ctx, []int64{s.start, s.end}, func(ls labels.Labels, c increase.Counter) {
			n := c.Sum()
			if n == 0 {
				return
			}
			k := flowKey(ls)
			f := found[k]
			if f == nil {
				f = &Flow{
					Client: k.client, Server: k.server, Protocol: k.protocol, Seen: k.side,
					ServerNames:    []string{},
					ClientExternal: ls.Get("client_external") == "true", ServerExternal: ls.Get("server_external") == "true",
				}
				found[k] = f
			}
			add(f, n)
		}, is(model.MetricNameLabel, metric)))
	}
	read("sonde_connection_opened_total", func(f *Flow, n float64) { f.Opened += n })
	read("sonde_connection_resets_total", func(f *Flow, n float64) { f.Resets += n })
	read("sonde_connection_retransmits_total", func(f *Flow, n float64) { f.Retransmits += n })
	read("sonde_connection_sent_bytes_total", func(f *Flow, n float64) { f.toward(sideClient, n) })
	read("sonde_connection_received_bytes_total", func(f *Flow, n float64) { f.toward(sideServer, n) })
	errs = append(errs, a.reader.Last(ctx, s.end, func(ls labels.Labels, v float64) {
		if f := found[flowKey(ls)]; f != nil {
			f.RoundTrip = v
		}
	}, is(model.MetricNameLabel, "sonde_connection_round_trip_seconds")))
	errs = append(errs, a.serverNames(ctx, s, found))
	out := []Flow{}
	for k, f := range found {
		other := k
		if other.side = sideClient; k.side == sideServer && found[other] != nil {
			continue
		}
		if other.side = sideServer; k.side == sideClient && found[other] != nil {
			f.Seen = "both"
		}
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Server, b.Server), cmp.Compare(a.Protocol, b.Protocol))
	})
	return out, errors.Join(errs...)
}

func flowKey(ls labels.Labels) edgeKey {
	return edgeKey{ls.Get("client"), ls.Get("server"), ls.Get("network_protocol_name"), ls.Get("side")}
}

// protocolTLS is the protocol of connections of which nothing but the handshake is read.
const protocolTLS = "tls"

// maxServerNames bounds the names told of one flow.
const maxServerNames = 5

// serverNames adds what handshakes asked for. Connections live longer than the range: any handshake that is still remembered counts.
func (a *api) serverNames(ctx context.Context, s span, found map[edgeKey]*Flow) error {
	var errs []error
	for _, p := range a.cfg.Protocols {
		if p.Protocol != protocolTLS {
			continue
		}
		names := map[[2]string][]string{} // by client and server; a server knows only itself
		for _, m := range []SideMetrics{p.Client, p.Server} {
			errs = append(errs, a.reader.Histograms(ctx, []int64{s.start, s.end}, func(ls labels.Labels, _ increase.Histogram) {
				ends := [2]string{ls.Get("service_name"), ls.Get("peer_service")}
				if m.Duration == p.Server.Duration {
					ends = [2]string{"", ls.Get("service_name")}
				}
				if name := value(ls, m.TargetLabel); name != "" && !slices.Contains(names[ends], name) {
					names[ends] = append(names[ends], name)
				}
			}, is(model.MetricNameLabel, m.Duration)))
		}
		for k, f := range found {
			if k.protocol != protocolTLS {
				continue
			}
			list := names[[2]string{k.client, k.server}]
			if len(list) == 0 {
				list = names[[2]string{"", k.server}]
			}
			slices.Sort(list)
			f.ServerNames = append(f.ServerNames, list[:min(len(list), maxServerNames)]...)
		}
	}
	return errors.Join(errs...)
}

// toward adds bytes to the direction that they took: what the given side sends goes to the server if it is the client, and
// the other way round for what the other side received.
func (f *Flow) toward(sender string, n float64) {
	if (sender == sideClient) == (f.Seen == sideClient) {
		f.RequestBytes += n
	} else {
		f.ResponseBytes += n
	}
}
