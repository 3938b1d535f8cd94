// Command sonde sees every request on this host: it captures, measures, stores and shows.
//
// In: the command line, a configuration file. Out: the running rooms, put together. Only this package knows all of them;
// it holds no logic of theirs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker (make build).
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "sonde:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "sonde",
		Short: "Sonde sees every request on this host without touching a line of code",
		Long: `Sonde sees every request on this host without touching a line of code.

It loads BPF programs, turns socket traffic into requests, requests into golden metrics and a live service map, keeps
them, and shows them in one web page. Nothing of what it observes is changed or restarted.

First time:

  sonde preflight        what this machine can do
  sudo sonde run         capture, store, and serve the page on http://127.0.0.1:8686
  sonde demo             in a second terminal: a small shop, so that there is something to see
  sonde top              the same figures in the terminal
  sonde replay FILE      the requests in a packet capture`,
		Version: version, SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(runCommand(), replayCommand(), demoCommand(), topCommand(), statusCommand(), preflightCommand(), diagCommand())
	return root
}
