package report

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/sonde-dev/sonde/agent/exchange"
)

// line is an exchange as it is written. Names and order are part of the interface of sonde replay.
type line struct {
	Protocol      string            `json:"protocol"`
	Side          string            `json:"side"`
	Client        netip.AddrPort    `json:"client"`
	Server        netip.AddrPort    `json:"server"`
	Operation     string            `json:"operation"`
	Target        string            `json:"target"`
	Template      string            `json:"template"`
	Status        string            `json:"status"`
	Error         string            `json:"error"`
	Start         time.Time         `json:"t_start"`
	Duration      uint64            `json:"duration_ns"`
	RequestBytes  uint64            `json:"request_bytes"`
	ResponseBytes uint64            `json:"response_bytes"`
	Partial       bool              `json:"partial"`
	Attributes    map[string]string `json:"attributes"`
}

// Lines returns a function that writes an exchange as one line of JSON.
func Lines(w io.Writer) func(*exchange.Exchange) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return func(x *exchange.Exchange) error {
		l := line{
			Protocol: x.Protocol.Name(), Side: x.Side.String(), Client: x.Conn.Local, Server: x.Conn.Remote,
			Operation: x.Operation, Target: x.Target, Template: x.Protocol.Semantics().TemplateOf(x.Target), Status: x.Status, Error: x.Error,
			Start: time.Unix(0, int64(x.RequestStart)).UTC(), Duration: x.Duration(),
			RequestBytes: x.RequestBytes, ResponseBytes: x.ResponseBytes, Partial: x.Partial,
			Attributes: make(map[string]string, len(x.Attributes)),
		}
		if x.Side == exchange.Server {
			l.Client, l.Server = l.Server, l.Client
		}
		for _, a := range x.Attributes {
			l.Attributes[a.Key] = a.Value
		}
		if err := e.Encode(&l); err != nil {
			return fmt.Errorf("write an exchange: %w", err)
		}
		return nil
	}
}
