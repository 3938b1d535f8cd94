package signal

import (
	"slices"
	"strings"
)

// SizeSchema is the resolution of every size histogram: 2^3 buckets for each power of two, 9 % wide.
const SizeSchema = 3

// InterfaceNames are the names that a protocol gives to what is measured of one side of its interfaces.
type InterfaceNames struct {
	Protocol                            string // "http"
	Side                                string // "client" or "server"
	Duration, RequestSize, ResponseSize string // metric names, "" for none
	Operation, Target, Status           string // label names, "" for none
	Constants                           []string
	Counts, Gauges                      []CountName
}

// CountName names one more number that a protocol adds up for each interface, or a gauge that it keeps for each target. Label, if there
// is one, tells it from others of the same name; its value comes after the target.
type CountName struct {
	Name, Unit, Help string // no Name: not on this side
	IsHistogram      bool
	Label            string
}

// InterfaceMetrics are the metrics of one side of a protocol's interfaces, nil where the protocol has none. Counts and
// Gauges have the lengths of InterfaceNames.Counts and Gauges.
type InterfaceMetrics struct {
	Duration, RequestSize, ResponseSize *Desc
	Counts, Gauges                      []*Desc
}

// All returns the metrics that are there.
func (m InterfaceMetrics) All() []*Desc {
	all := append([]*Desc{m.Duration, m.RequestSize, m.ResponseSize}, m.Counts...)
	all = append(all, m.Gauges...)
	return slices.DeleteFunc(all, func(d *Desc) bool { return d == nil })
}

// Describe makes the catalogue entries. The values of the labels come in this order: service_name, operation, target,
// then for Duration status and error_type, network_protocol_name, for a client peer_service, and at last the constants. Gauges have no operation. A
// label without a name stays in its place under the name "": its value is to be left out.
func (n InterfaceNames) Describe() InterfaceMetrics {
	verb := "served"
	if n.Side == "client" {
		verb = "made"
	}
	what := n.what()
	return InterfaceMetrics{
		Duration: describe(n.Duration, Histogram, "s",
			"Duration of "+what+" requests "+verb+", from the first byte of the request to the last byte of the response.",
			n.labels(n.Status, "error_type")),
		RequestSize: describe(n.RequestSize, Histogram, "By",
			"Size of the bodies of "+what+" requests "+verb+", as on the wire.", n.labels()),
		ResponseSize: describe(n.ResponseSize, Histogram, "By",
			"Size of the bodies of responses to "+what+" requests "+verb+", as on the wire.", n.labels()),
		Counts: n.counts(),
		Gauges: n.gauges(),
	}
}

// what says in the help what is measured. It follows from the metric's name, which several protocols may share.
func (n InterfaceNames) what() string {
	switch prefix, _, _ := strings.Cut(n.Duration, "_"); prefix {
	case "db":
		return "database"
	case "messaging":
		return prefix
	case "gen":
		return "language model"
	case "graphql":
		return "GraphQL"
	case "":
		return n.Protocol
	default:
		return strings.ToUpper(prefix)
	}
}

func (n InterfaceNames) counts() []*Desc {
	ds := make([]*Desc, len(n.Counts))
	for i, c := range n.Counts {
		var more []string
		if c.Label != "" {
			more = append(more, c.Label)
		}
		t := Counter
		if c.IsHistogram {
			t = Histogram
		}
		ds[i] = describe(c.Name, t, c.Unit, c.Help, n.labels(more...))
	}
	return ds
}

// gauges are of a target, not of an operation: it has no label.
func (n InterfaceNames) gauges() []*Desc {
	n.Operation = ""
	ds := make([]*Desc, len(n.Gauges))
	for i, g := range n.Gauges {
		var more []string
		if g.Label != "" {
			more = append(more, g.Label)
		}
		ds[i] = describe(g.Name, Gauge, g.Unit, g.Help, n.labels(more...))
	}
	return ds
}

// labels returns the names of the labels; outcome are those that tell responses apart.
func (n InterfaceNames) labels(outcome ...string) []string {
	ls := append([]string{"service_name", n.Operation, n.Target}, outcome...)
	ls = append(ls, "network_protocol_name")
	if n.Side == "client" {
		ls = append(ls, "peer_service")
	}
	return append(ls, n.Constants...)
}

// describe returns nil where there is no name.
func describe(name string, t MetricType, unit, help string, labels []string) *Desc {
	if name == "" {
		return nil
	}
	return &Desc{Name: name, Type: t, Unit: unit, Help: help, Labels: labels}
}
