// Package demo runs a small shop: eighteen services in several languages that call one another.
//
// In: the programs the machine has (nginx, python3, node, java; what is missing is played by Go). Out: living traffic on
// loopback, in HTTP and the protocols of a cache, a database, a broker, a resolver and gRPC, which this program speaks by itself;
// and the truth about it: which service calls which, counted by the callers themselves. It must not know how Sonde
// observes, so that its truth can be the oracle of a test.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// Config says how the shop is run.
type Config struct {
	// Rate is how many requests per second the shoppers make on average between bursts. Each causes about six more inside.
	Rate float64
	// BurstRate is their rate during a burst of BurstLength, which comes every BurstEvery. No bursts if BurstEvery is 0.
	BurstRate               float64
	BurstEvery, BurstLength time.Duration
	// Duration ends the shop by itself; 0 runs it until the context is cancelled.
	Duration time.Duration
	// Prefix begins the name of every service as Sonde is to see it, so that several shops on one host stay apart.
	Prefix string
	// GoOnly plays every service in Go, whatever the machine has.
	GoOnly bool
	// EdgesFile, if set, receives the true services and edges as JSON (type Truth) once everything runs.
	EdgesFile string
	// CountsFile, if set, receives the true number of requests on each edge as JSON ([]Count) at the end.
	CountsFile string
	// PageURL is where the user is told to look.
	PageURL string
	// Executable is the program that plays the Go services when started as "Executable demo --role NAME"; "" is the
	// running program.
	Executable string
	// Out receives what a person reads. Log receives what goes wrong.
	Out io.Writer
	Log *slog.Logger
}

// DefaultConfig is about 60 requests per second over all edges.
func DefaultConfig() Config {
	return Config{
		Rate: 12, BurstRate: 40, BurstEvery: 20 * time.Second, BurstLength: 4 * time.Second,
		PageURL: "http://127.0.0.1:8686/map",
		Out:     os.Stdout, Log: slog.New(slog.DiscardHandler),
	}
}

// Validate reports the first setting that makes no sense.
func (c *Config) Validate() error {
	switch {
	case c.Rate <= 0 || c.Rate > 1000:
		return fmt.Errorf("demo rate %v: must be above 0 and at most 1000 requests per second", c.Rate)
	case c.BurstEvery > 0 && (c.BurstRate <= 0 || c.BurstRate > 5000):
		return fmt.Errorf("demo burst rate %v: must be above 0 and at most 5000 requests per second", c.BurstRate)
	case c.BurstEvery > 0 && (c.BurstLength <= 0 || c.BurstLength >= c.BurstEvery):
		return fmt.Errorf("demo burst length %v: must be above 0 and below the interval %v", c.BurstLength, c.BurstEvery)
	case c.Out == nil || c.Log == nil:
		return errors.New("demo: Out and Log must be set")
	}
	return nil
}

// Run starts the shop and blocks until ctx is cancelled or Config.Duration has passed; both are a success. It leaves no
// process and no file behind, except EdgesFile and CountsFile.
func Run(ctx context.Context, cfg Config) (err error) {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if cfg.Executable == "" {
		if cfg.Executable, err = os.Executable(); err != nil {
			return fmt.Errorf("find the own program: %w", err)
		}
	}
	dir, err := os.MkdirTemp("", "sonde-demo-")
	if err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	p, err := newPlan(dir, cfg)
	if err != nil {
		return err
	}
	kids := newChildren(cfg.Log)
	defer kids.stopAll()
	if err := p.start(ctx, kids); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	truth := p.truth()
	if cfg.EdgesFile != "" {
		if err := writeJSON(cfg.EdgesFile, truth); err != nil {
			return err
		}
	}
	printTruth(cfg.Out, truth, cfg.PageURL)
	return p.live(ctx, kids)
}

// live waits for the end, then stops the load first, so that no request is cut in the middle and the counts are whole.
func (p *plan) live(ctx context.Context, kids *children) error {
	var end <-chan time.Time
	if p.cfg.Duration > 0 {
		t := time.NewTimer(p.cfg.Duration)
		defer t.Stop()
		end = t.C
	}
	var err error
	select {
	case <-ctx.Done():
	case <-end:
	case dead := <-kids.died:
		err = fmt.Errorf("demo service %s ended by itself: %s", dead.name, dead.tail())
	}
	fmt.Fprintln(p.cfg.Out, "closing the shop")
	kids.stop("shoppers", "reports")
	for _, s := range p.services { // they handle what is under way while all that they call is there still
		if s.isConsumer() {
			kids.stop(s.name)
		}
	}
	kids.stopAll()
	if p.cfg.CountsFile != "" {
		counts, cerr := p.counts()
		if cerr == nil {
			cerr = writeJSON(p.cfg.CountsFile, counts)
		}
		err = errors.Join(err, cerr)
	}
	return err
}

func (p *plan) path(name string) string { return filepath.Join(p.dir, name) }
