package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sonde-dev/sonde/agent/entity"
	"github.com/sonde-dev/sonde/agent/export"
)

func runCommand() *cobra.Command {
	cfg := defaultConfig()
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Observe this host, keep what is seen and show it (needs root)",
		Long: `Observe this host, keep what is seen and show it.

Every process that speaks HTTP, gRPC, SQL, Redis, Kafka, DNS or another protocol of docs/protocols.md is on the map within
seconds of its first request, inside TLS too, old connections included. Nothing has to be configured or restarted. Root, or CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and CAP_NET_ADMIN, is needed.

A configuration file may hold every setting; these take effect while Sonde runs:

  slow_threshold: 500ms
  selection:
    exclude:
      - process: backup-agent       # name of the executable, thread or script
      - env: SONDE_IGNORE           # set in the environment, or NAME=value
      - port: 9100
    include:                        # with includes, nothing else is observed
      - container: shop-*
      - command: "*--profile=prod*"
  ignore:                           # requests that are not counted
    - target: /healthz*             # path of HTTP; * is anything
    - protocol: redis
      operation: PING

Of slow and failed requests it is kept what they said, secrets taken out (docs/content.md):

  content:
    enabled: true                 # false, or --content=false: nothing is kept
    rules: /etc/sonde/redact.yaml # what else is a secret, and what is none
    per_second: 5                 # of a service, of each side and kind
    retention: {time: 72h, size: 64MiB}`,
		Example: `  sudo sonde run
  sudo sonde run --listen 0.0.0.0:8686 --data /srv/sonde --retention-time 720h
  sudo sonde run --remote-write http://prometheus:9090/api/v1/write`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cfg.load(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), cfg)
		},
	}
	cfg.addFlags(cmd)
	return cmd
}

// gcPercent lets the heap grow to three times what lives before it is collected: what lives is small (some 10 MB), and the
// memory limit collects earlier when it is not.
const gcPercent = 200

// run is agent and server in one process.
func run(ctx context.Context, cfg Config) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.LogLevel}))
	debug.SetMemoryLimit(int64(cfg.MemoryLimit) - cfg.fixedMemory())
	debug.SetGCPercent(gcPercent)
	srv, err := newServer(cfg, log)
	if err != nil {
		return err
	}
	scrape := export.NewPromHandler()
	sinks := []export.Sink{srv.sink, scrape}
	for _, rw := range cfg.RemoteWrite {
		sinks = append(sinks, export.NewRemoteWrite(rw.config()))
	}
	ag, err := newAgent(ctx, cfg, log, srv.store.Lost, srv.sampleSink(), sinks...)
	if err != nil {
		return errors.Join(err, srv.close())
	}
	tier, reason := ag.probe.Tier()
	log.Info("Sonde sees this host", "page", "http://"+srv.listener.Addr().String(), "tier", tier, "because", reason,
		"data", cfg.Data, "selection", cfg.Selection.String())

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go watchConfig(ctx, cfg, ag.reconfigure, log)
	captured := make(chan error, 1)
	go func() {
		err := ag.run(ctx)
		stop(err)
		captured <- err
	}()
	served := srv.run(ctx, ag, scrape)
	stop(served)
	return errors.Join(served, <-captured, srv.close())
}

// watchConfig looks at the file every few seconds and hands on settings that changed. A file that cannot be read or
// makes no sense is reported once, and the settings in force stay.
func watchConfig(ctx context.Context, cfg Config, apply func(Config), log *slog.Logger) {
	if cfg.file == "" {
		return
	}
	t := time.NewTicker(2 * time.Second)
	defer t.Stop()
	start, complaint := cfg, "" // a key that is taken out of the file goes back to what it was at the start
	start.Selection, start.Ignore = entity.Selection{}, nil
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		next := start
		err := next.read()
		if next.slowByFlag {
			next.SlowThreshold = start.SlowThreshold
		}
		if err == nil {
			err = next.Validate()
		}
		if err != nil {
			if err.Error() != complaint {
				complaint = err.Error()
				log.Warn("configuration is not applied", "err", err)
			}
			continue
		}
		complaint = ""
		if !reflect.DeepEqual(next.Selection, cfg.Selection) || !slices.Equal(next.Ignore, cfg.Ignore) || next.SlowThreshold != cfg.SlowThreshold {
			cfg.Selection, cfg.Ignore, cfg.SlowThreshold = next.Selection, next.Ignore, next.SlowThreshold
			apply(cfg)
		}
	}
}
