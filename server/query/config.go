package query

import (
	"errors"
	"fmt"
	"time"

	"github.com/sonde-dev/sonde/server/query/promapi"
)

// Config says how questions are answered and what an answer may cost.
type Config struct {
	// SlowThreshold is the agent's: requests that take longer are counted as slow. It is shown, not applied, here.
	SlowThreshold time.Duration
	// MinStep is the shortest step of series over time; it should be the agent's flush interval or longer, because a step
	// without a sample is shown as a gap.
	MinStep time.Duration
	// MaxConcurrent bounds the expensive queries that run at once; MaxWaiting those that wait for one of them to end.
	MaxConcurrent, MaxWaiting int
	// Timeout bounds one query, waiting included.
	Timeout time.Duration
	// Protocols names the metrics of the interfaces of each protocol.
	Protocols []ProtocolMetrics
	Prom      promapi.Config
}

// ProtocolMetrics names the metrics of one protocol's interfaces (agent/protocol.Semantics under names that the server
// may know).
type ProtocolMetrics struct {
	Protocol       string // network.protocol.name
	Kind           string // "http", "rpc", "db", "cache", "messaging", "dns" or "other"
	OperationLabel string
	StatusLabel    string
	Server, Client SideMetrics
}

// SideMetrics names the metrics of one side; "" for a metric that the protocol does not have.
type SideMetrics struct {
	Duration, RequestSize, ResponseSize string
	TargetLabel                         string
	Counts, Gauges                      []CountMetric
}

// CountMetric is a counter that a protocol keeps for each interface, or a gauge that it keeps for each target.
type CountMetric struct {
	Metric string // name of the series
	Name   string // for people and in replies, the same on both sides: "returned_rows"
	// IsHistogram is true where the number is the sum of a histogram. Label and Value tell the series from others of the same name; of a gauge,
	// Label is the one by which it is told besides, and any value counts.
	IsHistogram  bool
	Label, Value string
}

// DefaultConfig knows no protocol: the wiring takes their names from the agent's registry.
func DefaultConfig() Config {
	return Config{
		SlowThreshold: 500 * time.Millisecond,
		MinStep:       5 * time.Second,
		MaxConcurrent: 4,
		MaxWaiting:    64,
		Timeout:       30 * time.Second,
		Prom:          promapi.DefaultConfig(),
	}
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	var errs []error
	if c.SlowThreshold <= 0 || c.MinStep < time.Second || c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("slow threshold %s and timeout %s must be positive, step %s a second or more", c.SlowThreshold, c.Timeout, c.MinStep))
	}
	if c.MaxConcurrent <= 0 || c.MaxWaiting < 0 {
		errs = append(errs, fmt.Errorf("bound of %d queries and %d waiting: at least one must run", c.MaxConcurrent, c.MaxWaiting))
	}
	seen := map[string]bool{}
	for _, p := range c.Protocols {
		if p.Protocol == "" || p.Kind == "" || seen[p.Protocol] {
			errs = append(errs, fmt.Errorf("protocol %q of kind %q: each needs a kind, and a name of its own", p.Protocol, p.Kind))
		}
		seen[p.Protocol] = true
	}
	return errors.Join(append(errs, c.Prom.Validate())...)
}
