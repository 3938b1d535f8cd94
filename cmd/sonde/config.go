package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/sonde-dev/sonde/agent/content"
	"github.com/sonde-dev/sonde/agent/entity"
	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/export"
	"github.com/sonde-dev/sonde/agent/ignore"
	"github.com/sonde-dev/sonde/agent/probe"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/all"
	"github.com/sonde-dev/sonde/agent/redact"
	"github.com/sonde-dev/sonde/agent/redmetrics"
	"github.com/sonde-dev/sonde/server/query"
	"github.com/sonde-dev/sonde/server/store/metricstore"
	"github.com/sonde-dev/sonde/server/store/samplestore"
)

// Config is all that can be set, by flag or in the file that --config names; a flag wins over the file.
type Config struct {
	Listen        string        `yaml:"listen"`
	Data          string        `yaml:"data"`
	Capture       string        `yaml:"capture"`
	FlushInterval time.Duration `yaml:"flush_interval"`
	// MemoryLimit is the soft bound of the process's resident memory.
	MemoryLimit bytesize `yaml:"memory_limit"`
	// SlowThreshold, Selection and Ignore may be changed while Sonde runs: it looks at the file every few seconds.
	SlowThreshold time.Duration    `yaml:"slow_threshold"`
	Selection     entity.Selection `yaml:"selection"`
	Ignore        ignore.Rules     `yaml:"ignore"`
	Retention     Retention        `yaml:"retention"`
	RemoteWrite   []RemoteWrite    `yaml:"remote_write"`
	Content       Content          `yaml:"content"`
	// TLS says whether libraries are probed for the plain text inside TLS.
	TLS      bool       `yaml:"tls"`
	LogLevel slog.Level `yaml:"log_level"`

	file       string
	slowByFlag bool // --slow-threshold was given: the file does not change it
}

// Content says what is kept of slow and failed requests.
type Content struct {
	Enabled bool   `yaml:"enabled"`
	Rules   string `yaml:"rules"` // file of package redact; "" for the defaults
	// PerSecond is how many are kept of one service in a second, of each side and kind.
	PerSecond float64   `yaml:"per_second"`
	Retention Retention `yaml:"retention"`
}

// Retention says how long and how much is kept, whichever ends first.
type Retention struct {
	Time time.Duration `yaml:"time"`
	Size bytesize      `yaml:"size"`
}

// RemoteWrite is one Prometheus-compatible receiver.
type RemoteWrite struct {
	URL         string            `yaml:"url"`
	Username    string            `yaml:"username"`
	Password    string            `yaml:"password"`
	BearerToken string            `yaml:"bearer_token"`
	Headers     map[string]string `yaml:"headers"`
}

func defaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:8686", Data: "/var/lib/sonde", Capture: string(probe.TierAuto),
		FlushInterval: 5 * time.Second, MemoryLimit: 200 << 20, SlowThreshold: 500 * time.Millisecond, TLS: true,
		Retention: Retention{Time: 15 * 24 * time.Hour, Size: 2 << 30},
		Content: Content{
			Enabled: true, PerSecond: content.DefaultConfig.PerService,
			Retention: Retention{Time: samplestore.DefaultConfig().Retention, Size: bytesize(samplestore.DefaultConfig().MaxBytes)},
		},
	}
}

// addFlags binds the settings that people change most.
func (c *Config) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.file, "config", "", "YAML `file` with settings; selection, ignore and slow_threshold take effect when it changes")
	f.StringVar(&c.Listen, "listen", c.Listen, "`address` of the page and the API")
	f.StringVar(&c.Data, "data", c.Data, "`directory` where metrics are kept")
	f.StringVar(&c.Capture, "capture", c.Capture, "capture `tier`: auto, socket (Linux 6.3) or syscall (Linux 5.15)")
	f.DurationVar(&c.FlushInterval, "flush-interval", c.FlushInterval, "how often metrics are stored")
	f.DurationVar(&c.SlowThreshold, "slow-threshold", c.SlowThreshold, "requests that take longer are counted as slow")
	f.Var(&c.MemoryLimit, "memory-limit", "soft bound of the process's resident memory, e.g. 300MiB")
	f.DurationVar(&c.Retention.Time, "retention-time", c.Retention.Time, "how long metrics are kept")
	f.Var(&c.Retention.Size, "retention-size", "how much disk metrics may take, e.g. 2GiB")
	f.Var((*urls)(&c.RemoteWrite), "remote-write", "`URL` of a Prometheus remote-write receiver; may be given several times")
	f.BoolVar(&c.TLS, "tls", c.TLS, "read the plain text inside TLS by probes on its libraries; =false spares them (docs/tls.md, Cost)")
	f.BoolVar(&c.Content.Enabled, "content", c.Content.Enabled, "keep what slow and failed requests said, secrets taken out; =false keeps nothing")
	f.StringVar(&c.Content.Rules, "content-rules", c.Content.Rules, "YAML `file` that says what else is a secret, and what is none (docs/content.md)")
	f.TextVar(&c.LogLevel, "log-level", c.LogLevel, "debug, info, warn or error")
}

// load reads the file, if there is one, under the flags that were given.
func (c *Config) load(cmd *cobra.Command) error {
	if c.file != "" {
		given := map[string]string{}
		for _, name := range []string{"listen", "data", "capture", "flush-interval", "slow-threshold", "memory-limit",
			"retention-time", "retention-size", "tls", "content", "content-rules", "log-level"} {
			if f := cmd.Flags().Lookup(name); f.Changed {
				given[name] = f.Value.String()
			}
		}
		receivers := c.RemoteWrite
		if err := c.read(); err != nil {
			return err
		}
		if cmd.Flags().Changed("remote-write") {
			c.RemoteWrite = receivers
		}
		for name, v := range given {
			if err := cmd.Flags().Set(name, v); err != nil {
				return fmt.Errorf("set --%s: %w", name, err)
			}
		}
	}
	c.slowByFlag = cmd.Flags().Changed("slow-threshold")
	return c.Validate()
}

func (c *Config) read() error {
	f, err := os.Open(c.file)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(c); err != nil {
		return fmt.Errorf("read configuration %s: %w", c.file, err)
	}
	return nil
}

// Validate says everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		errs = append(errs, fmt.Errorf("listen address %q: %w: want host:port, as 127.0.0.1:8686", c.Listen, err))
	}
	if c.FlushInterval < time.Second || c.FlushInterval > time.Minute {
		errs = append(errs, fmt.Errorf("flush interval %s: want 1s to 1m", c.FlushInterval))
	}
	if c.MemoryLimit < 128<<20 {
		errs = append(errs, fmt.Errorf("memory limit %s: want at least 128MiB", &c.MemoryLimit))
	}
	errs = append(errs, c.probe().Validate(), c.Selection.Validate(), c.Ignore.Validate(all.Names()), c.store().Validate(), c.red().Validate(),
		c.query().Validate(), c.validateContent(), exchange.DefaultConfig.Validate(), export.DefaultConfig.Validate())
	for _, rw := range c.RemoteWrite {
		errs = append(errs, rw.config().Validate())
	}
	return errors.Join(errs...)
}

// binaryPages is what the program's text and constants take when they have been used, rounded up from 30 MB.
const binaryPages = 32 << 20

// fixedMemory is what is resident beside what the runtime manages: the ring buffer, which the kernel maps twice in a row
// (kernel/bpf/ringbuf.c) and which counts as often, and the program itself.
func (c *Config) fixedMemory() int64 { return 2*int64(c.probe().RingBytes) + binaryPages }

func (c *Config) probe() probe.Config {
	p := probe.DefaultConfig()
	p.Tier, p.WithoutTLS = probe.Tier(c.Capture), !c.TLS
	if !c.Content.Enabled {
		p.ErrorBytes = 0
	}
	return p
}

func (c *Config) red() redmetrics.Config {
	r := redmetrics.DefaultConfig
	r.SlowThreshold = c.SlowThreshold
	return r
}

func (c *Config) content() content.Config {
	k := content.DefaultConfig
	k.SlowThreshold, k.PerService = c.SlowThreshold, c.Content.PerSecond
	k.PerHost = max(k.PerHost, k.PerService)
	return k
}

// samples are kept beside the metrics.
func (c *Config) samples() samplestore.Config {
	s := samplestore.DefaultConfig()
	s.Dir, s.Retention, s.MaxBytes = filepath.Join(c.Data, "samples"), c.Content.Retention.Time, int64(c.Content.Retention.Size)
	return s
}

// redactor reads the rules; the error names the file and the line.
func (c *Config) redactor() (*redact.Redactor, error) {
	if c.Content.Rules == "" {
		return redact.Default(), nil
	}
	return redact.Load(c.Content.Rules)
}

func (c *Config) validateContent() error {
	if !c.Content.Enabled {
		return nil
	}
	_, err := c.redactor()
	return errors.Join(err, c.content().Validate(), c.samples().Validate())
}

func (c *Config) store() metricstore.Config {
	s := metricstore.DefaultConfig()
	s.Dir, s.Retention, s.MaxBytes = c.Data, c.Retention.Time, int64(c.Retention.Size)
	return s
}

func (c *Config) query() query.Config {
	q := query.DefaultConfig()
	q.SlowThreshold = c.SlowThreshold
	q.MinStep = max(c.FlushInterval, q.MinStep)
	seen := map[string]bool{}
	for _, p := range all.Protocols() {
		if name := p.Name(); !seen[name] { // versions of a protocol share their series
			q.Protocols = append(q.Protocols, queryNames(name, p.Semantics()))
			seen[name] = true
		}
	}
	return q
}

// queryNames are the names of a protocol's metrics in the server's terms: the server must not know the agent.
func queryNames(name string, s *protocol.Semantics) query.ProtocolMetrics {
	return query.ProtocolMetrics{
		Protocol: name, Kind: string(s.KindOf()), OperationLabel: s.OperationLabel, StatusLabel: s.StatusLabel,
		Server: query.SideMetrics{
			Duration: s.ServerDuration, RequestSize: s.ServerRequestSize, ResponseSize: s.ServerResponseSize, TargetLabel: s.ServerTargetLabel,
			Counts: countNames(s, func(c protocol.Count) string { return c.Server }),
			Gauges: gaugeNames(s, func(g protocol.Gauge) string { return g.Server }),
		},
		Client: query.SideMetrics{
			Duration: s.ClientDuration, RequestSize: s.ClientRequestSize, ResponseSize: s.ClientResponseSize, TargetLabel: s.ClientTargetLabel,
			Counts: countNames(s, func(c protocol.Count) string { return c.Client }),
			Gauges: gaugeNames(s, func(g protocol.Gauge) string { return g.Client }),
		},
	}
}

func countNames(s *protocol.Semantics, metric func(protocol.Count) string) (out []query.CountMetric) {
	for _, c := range s.Counts {
		if m := metric(c); m != "" {
			name := countName(c.Client, c.Server)
			if c.Label.Key != "" {
				name = c.Label.Value + "_" + name // input_token_usage
			}
			out = append(out, query.CountMetric{Metric: m, Name: name, IsHistogram: c.IsHistogram, Label: c.Label.Key, Value: c.Label.Value})
		}
	}
	return out
}

func gaugeNames(s *protocol.Semantics, metric func(protocol.Gauge) string) (out []query.CountMetric) {
	for _, g := range s.Gauges {
		if m := metric(g); m != "" {
			out = append(out, query.CountMetric{Metric: m, Name: countName(g.Client, g.Server), Label: g.Label})
		}
	}
	return out
}

// countName is what people call a count: "returned_rows" for db_client_response_returned_rows_total.
func countName(client, server string) string {
	name := cmp.Or(client, server)
	if _, rest, ok := strings.Cut(strings.TrimPrefix(name, "gen_"), "_"); ok {
		name = rest
	}
	for _, prefix := range []string{"client_", "server_", "response_"} {
		name = strings.TrimPrefix(name, prefix)
	}
	return strings.TrimSuffix(name, "_total")
}

func (r RemoteWrite) config() export.RemoteWriteConfig {
	c := export.DefaultRemoteWriteConfig
	c.URL, c.Username, c.Password, c.BearerToken, c.Headers = r.URL, r.Username, r.Password, r.BearerToken, r.Headers
	return c
}

// bytesize is a number of bytes that people write with a unit.
type bytesize int64

// Set reads 150MiB, 2GB or a plain number.
func (b *bytesize) Set(s string) error {
	units := []struct {
		suffix string
		factor float64
	}{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
		{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
	}
	for _, u := range units {
		if n, ok := strings.CutSuffix(s, u.suffix); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
			if err != nil || v < 0 {
				break
			}
			*b = bytesize(v * u.factor)
			return nil
		}
	}
	return fmt.Errorf("size %q: want a number with a unit, as 150MiB", s)
}

// UnmarshalYAML reads it from the configuration file.
func (b *bytesize) UnmarshalYAML(n *yaml.Node) error { return b.Set(n.Value) }

func (b *bytesize) String() string {
	for _, u := range []struct {
		name string
		size bytesize
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if *b >= u.size && *b%u.size == 0 {
			return fmt.Sprintf("%d%s", *b/u.size, u.name)
		}
	}
	return strconv.FormatInt(int64(*b), 10)
}

// Type names it in the help.
func (*bytesize) Type() string { return "size" }

// urls is the flag --remote-write.
type urls []RemoteWrite

// Set adds one receiver.
func (u *urls) Set(s string) error {
	if _, err := url.Parse(s); err != nil {
		return fmt.Errorf("remote-write receiver: %w", err)
	}
	*u = append(*u, RemoteWrite{URL: s})
	return nil
}

func (u *urls) String() string {
	var s []string
	for _, r := range *u {
		s = append(s, r.URL)
	}
	return strings.Join(s, ", ")
}

// Type names it in the help.
func (*urls) Type() string { return "URL" }
