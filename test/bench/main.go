// Command bench measures what Sonde costs, each figure beside its budget.
//
// In: bin/sonde, nginx, wrk. Out: a table on standard output and test/out/bench.json. Figures with and without Sonde are
// taken in interleaved pairs on the same machine; within a pair Sonde is started anew for its half. Medians and the spread
// of all pairs are shown: on a shared machine only ratios of one run mean something. A missed budget is shown, not failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

// A bench is one run of this command.
type bench struct {
	ctx     context.Context // lives as long as the command
	pairs   int
	seconds float64
	capture string
	dir     string
	report  report
}

func main() {
	if role := os.Getenv(roleEnv); role != "" {
		if err := playRole(role); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		return
	}
	pairs, seconds := 7, 3.0
	if os.Getenv("BENCH_QUICK") != "" {
		pairs, seconds = 3, 1.2
	}
	flag.IntVar(&pairs, "pairs", pairs, "pairs of runs, with and without Sonde, for each figure")
	flag.Float64Var(&seconds, "seconds", seconds, "length of each run")
	capture := flag.String("capture", "auto", "capture tier: auto, socket, syscall")
	only := flag.String("only", "", "comma-separated: pingpong, opaque, nginx, steady, agent, protocols (default all)")
	out := flag.String("out", filepath.Join(sut.Root(), "test", "out", "bench.json"), "where the JSON goes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(*only, *out, &bench{ctx: ctx, pairs: pairs, seconds: seconds, capture: *capture}); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(only, out string, b *bench) error {
	if os.Getuid() != 0 {
		return errors.New("loading BPF programs needs root: sudo make bench")
	}
	dir, err := os.MkdirTemp("", "sonde-bench-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // nginx's workers read it
		return err
	}
	b.dir = dir
	b.report.describe(b)
	for _, part := range []struct {
		name string
		run  func() error
	}{
		{"pingpong", func() error { return b.pingPong("HTTP", "≤ +6 %") }},
		{"opaque", func() error { return b.pingPong("opaque bytes", "") }},
		{"nginx", b.saturatedNginx},
		{"steady", b.steady},
		{"agent", b.agentItself},
		{"protocols", b.protocols},
	} {
		if only != "" && !strings.Contains(","+only+",", ","+part.name+",") {
			continue
		}
		begin := time.Now()
		if err := part.run(); err != nil {
			return fmt.Errorf("measure %s: %w", part.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s measured in %.0f s\n", part.name, time.Since(begin).Seconds())
	}
	b.report.print(os.Stdout)
	fmt.Println("as JSON:", out)
	return b.report.write(out)
}

// withSonde runs f beside a fresh Sonde.
func (b *bench) withSonde(f func(s *sut.Sonde) error) error {
	data, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	// The default flush interval: what a user gets.
	s, err := sut.Start(b.ctx, sut.Options{Data: data, Capture: b.capture, FlushInterval: 5 * time.Second})
	if err != nil {
		return err
	}
	time.Sleep(500 * time.Millisecond) // its first look at /proc is not what is measured
	if err := f(s); err != nil {
		s.Kill()
		return err
	}
	return s.Stop()
}

// inPairs takes a measurement without (s is nil) and with Sonde in turn; which comes first changes, so that drift cancels out.
func (b *bench) inPairs(measure func(s *sut.Sonde) (map[string]float64, error)) (without, with series, err error) {
	without, with = series{}, series{}
	for i := range b.pairs {
		for j := range 2 {
			if (i+j)%2 == 0 {
				v, err := measure(nil)
				if err != nil {
					return nil, nil, err
				}
				without.add(v)
				continue
			}
			err := b.withSonde(func(s *sut.Sonde) error {
				v, err := measure(s)
				if err == nil {
					with.add(v)
					err = b.report.losses(s)
				}
				return err
			})
			if err != nil {
				return nil, nil, err
			}
		}
	}
	return without, with, nil
}
