package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/redmetrics"
	"github.com/sonde-dev/sonde/signal"
)

const metricsHead = `<!-- Written by go run ./docs/gen. Do not edit. -->
# Metrics

Every series also has the label ` + "`host_name`" + `. A label without a value is absent. Counters and histograms are cumulative
since the series began.

Duration histograms are native histograms of schema %d: a percentile read from them is within 1.1 %% of the exact one. Size
histograms have schema %d; their count and sum are exact. The text format of ` + "`/metrics`" + ` has classic buckets instead, on powers
of two, whose counts are exact.

` + "`side`" + ` says which end of the connection observed the request. When both ends are on the same host both are counted, each under
its side: add up one side only.

What a bound keeps from having its own series is counted under the value ` + "`other`" + `, and by cause in ` + "`sonde_agent_lost_total`" + `.

`

// metrics renders the reference of all metrics.
func metrics(ps []protocol.Protocol) []byte {
	var w bytes.Buffer
	fmt.Fprintf(&w, metricsHead, signal.HistogramSchema, signal.SizeSchema)
	for _, p := range ps {
		fmt.Fprintf(&w, "## Interfaces: %s\n\n", p.Name())
		for _, side := range []exchange.Side{exchange.Server, exchange.Client} {
			m := redmetrics.Describe(p, side)
			table(&w, m.Duration, m.RequestSize, m.ResponseSize)
		}
	}
	group := ""
	var of []*signal.Desc
	flush := func() {
		if len(of) > 0 {
			fmt.Fprintf(&w, "## %s\n\n", group)
			table(&w, of...)
		}
		of = nil
	}
	for _, d := range signal.Catalog() {
		if g := groupOf(d.Name); g != group {
			flush()
			group = g
		}
		of = append(of, d)
	}
	flush()
	causes(&w)
	return w.Bytes()
}

// groupOf returns the heading for a metric: the word after "sonde_".
func groupOf(name string) string {
	switch strings.Split(name, "_")[1] {
	case "interface":
		return "Interfaces, all protocols"
	case "service":
		return "Services"
	case "edge":
		return "Edges of the map"
	case "instance":
		return "Instances"
	default:
		return "The agent itself"
	}
}

func table(w *bytes.Buffer, ds ...*signal.Desc) {
	for _, d := range ds {
		if d == nil {
			continue
		}
		fmt.Fprintf(w, "### `%s`\n\n%s\n\n%s, unit `%s`", d.Name, d.Help, typeOf(d.Type), d.Unit)
		var labels []string
		for _, l := range d.Labels {
			if l != "" {
				labels = append(labels, "`"+l+"`")
			}
		}
		if len(labels) > 0 {
			fmt.Fprintf(w, ", labels %s", strings.Join(labels, ", "))
		}
		w.WriteString(".\n\n")
	}
}

func typeOf(t signal.MetricType) string {
	switch t {
	case signal.Counter:
		return "Counter"
	case signal.Histogram:
		return "Histogram"
	default:
		return "Gauge"
	}
}

func causes(w *bytes.Buffer) {
	w.WriteString("## Values of `cause`\n\n")
	for _, c := range signal.Causes() {
		fmt.Fprintf(w, "- `%s`\n", c)
	}
}
