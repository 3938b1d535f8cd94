package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/sonde-dev/sonde/agent/protocol"
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

Protocols that measure the same thing share its metrics: ` + "`network_protocol_name`" + ` tells them apart.

What a bound keeps from having its own series is counted under the value ` + "`other`" + `, and by cause in ` + "`sonde_agent_lost_total`" + `.

`

// metrics renders the reference of all metrics.
func metrics(ps []protocol.Protocol) []byte {
	var w bytes.Buffer
	fmt.Fprintf(&w, metricsHead, signal.HistogramSchema, signal.SizeSchema)
	interfaces(&w, ps)
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
		head(w, d)
		if ls := labelsOf(d, nil); ls != "" {
			w.WriteString(", labels " + ls)
		}
		w.WriteString(".\n\n")
	}
}

func head(w *bytes.Buffer, d *signal.Desc) {
	fmt.Fprintf(w, "### `%s`\n\n%s\n\n%s, unit `%s`", d.Name, d.Help, typeOf(d.Type), d.Unit)
}

// labelsOf lists the labels; those of constant value show it.
func labelsOf(d *signal.Desc, constant []protocol.Attribute) string {
	var labels []string
	for i, l := range d.Labels {
		if l == "" {
			continue
		}
		if c := i - (len(d.Labels) - len(constant)); c >= 0 {
			l += fmt.Sprintf("=%q", constant[c].Value)
		}
		labels = append(labels, "`"+l+"`")
	}
	return strings.Join(labels, ", ")
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
