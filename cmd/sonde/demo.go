package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/sonde-dev/sonde/demo"
)

func demoCommand() *cobra.Command {
	cfg := demo.DefaultConfig()
	role := ""
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a small shop, so that there is something to see",
		Long: `Run a small shop of eighteen services in several languages that call one another on loopback, with a cache (Redis), a
database (PostgreSQL), a broker (NATS), a resolver (DNS) and a service by gRPC that this program plays itself: steady and bursty
traffic, some errors, slow statements and a slow endpoint, one bad replica. Ctrl-C ends all of it.

Run it beside "sonde run" and open the map.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if role != "" {
				return demo.RunRole(cmd.Context(), role)
			}
			cfg.Out = cmd.OutOrStdout()
			cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
			return demo.Run(cmd.Context(), cfg)
		},
	}
	f := cmd.Flags()
	f.Float64Var(&cfg.Rate, "rate", cfg.Rate, "requests per second that the shoppers make between bursts")
	f.DurationVar(&cfg.Duration, "duration", cfg.Duration, "end by itself after this time; 0: at Ctrl-C")
	f.BoolVar(&cfg.GoOnly, "go-only", cfg.GoOnly, "play every service in Go, whatever this machine has")
	f.StringVar(&cfg.EdgesFile, "edges-json", "", "write the true services and edges to this `file`")
	f.StringVar(&cfg.CountsFile, "counts-json", "", "write the true number of requests on each edge to this `file` at the end")
	f.StringVar(&cfg.PageURL, "page", cfg.PageURL, "where the map is, for the text shown")
	f.StringVar(&role, "role", "", "play one service of a running shop")
	_ = f.MarkHidden("role") // exists
	return cmd
}
