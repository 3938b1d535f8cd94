package signal

import "strings"

// SizeSchema is the resolution of every size histogram: 2^3 buckets for each power of two, 9 % wide.
const SizeSchema = 3

// InterfaceNames are the names that a protocol gives to what is measured of one side of its interfaces.
type InterfaceNames struct {
	Protocol                            string // "http"
	Side                                string // "client" or "server"
	Duration, RequestSize, ResponseSize string // metric names, "" for none
	Operation, Target, Status           string // label names, "" for none
}

// InterfaceMetrics are the metrics of one side of a protocol's interfaces. The sizes are nil where the protocol has none.
type InterfaceMetrics struct {
	Duration, RequestSize, ResponseSize *Desc
}

// Describe makes the catalogue entries. The values of the labels come in this order: service_name, operation, target,
// then for Duration status, error_type, network_protocol_name, and for a client at last peer_service. A label without a
// name stays in its place under the name "": its value is to be left out.
func (n InterfaceNames) Describe() InterfaceMetrics {
	verb := "served"
	var peer []string
	if n.Side == "client" {
		verb, peer = "made", []string{"peer_service"}
	}
	what := strings.ToUpper(n.Protocol)
	size := append([]string{"service_name", n.Operation, n.Target}, peer...)
	m := InterfaceMetrics{
		Duration: &Desc{
			Name: n.Duration, Type: Histogram, Unit: "s",
			Help: "Duration of " + what + " requests " + verb + ", from the first byte of the request to the last byte of the response.",
			Labels: append([]string{"service_name", n.Operation, n.Target, n.Status, "error_type", "network_protocol_name"},
				peer...),
		},
	}
	if n.RequestSize != "" {
		m.RequestSize = &Desc{
			Name: n.RequestSize, Type: Histogram, Unit: "By", Labels: size,
			Help: "Size of the bodies of " + what + " requests " + verb + ", as on the wire.",
		}
	}
	if n.ResponseSize != "" {
		m.ResponseSize = &Desc{
			Name: n.ResponseSize, Type: Histogram, Unit: "By", Labels: size,
			Help: "Size of the bodies of responses to " + what + " requests " + verb + ", as on the wire.",
		}
	}
	return m
}
