package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sonde-dev/sonde/server/query"
)

func statusCommand() *cobra.Command {
	listen := defaultConfig().Listen
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the probes, rates, losses and memory of a running Sonde",
		Long: `Show the probes, rates, losses by cause, and memory against its bound of a running Sonde.

A count that Sonde shows is exact as long as nothing is listed under "lost".`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s query.StatusReply
			if err := newClient(listen).get(cmd.Context(), "/api/status", &s); err != nil {
				return err
			}
			printStatus(cmd.OutOrStdout(), s)
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", listen, "`address` of the running Sonde")
	return cmd
}

func printStatus(w io.Writer, s query.StatusReply) {
	up := time.Duration((s.Now - s.StartedAt) * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(w, "Sonde %s on %s, Linux %s, up %s\n", s.Version, s.Host, s.Kernel, up)
	fmt.Fprintf(w, "capture    %s tier, because %s; observes %s\n", s.Tier, s.TierReason, s.Selection)
	if s.Ignore != "" {
		fmt.Fprintf(w, "ignores    %s: %.0f requests\n", s.Ignore, s.Ignored)
	}
	for _, p := range s.Probes {
		fmt.Fprintf(w, "probe      %-8s %s, %d programs, %s", p.Name, p.State, p.Programs, size(p.MemoryBytes))
		if p.NanosPerRun > 0 {
			fmt.Fprintf(w, ", %.0f ns a run", p.NanosPerRun)
		}
		if p.Detail != "" {
			fmt.Fprintf(w, "; %s", p.Detail)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "rates      %.0f events/s, %.0f exchanges/s, %s/s from the kernel\n", s.Rates.Events, s.Rates.Exchanges, size(s.Rates.Bytes))
	fmt.Fprintf(w, "follows    %d connections, %d processes\n", s.Connections, s.Processes)
	fmt.Fprintf(w, "memory     %s resident of %s, heap %s, BPF %s\n", size(s.Memory.RSS), size(s.Memory.Bound), size(s.Memory.Heap), size(s.Memory.BPF))
	fmt.Fprintf(w, "cpu        %.1f s in all\n", s.CPUSeconds)
	fmt.Fprintf(w, "store      %.0f series, %s of %s on disk, kept %.3g days, flushed every %.0f s\n", s.Store.Series,
		size(s.Store.DiskBytes), size(s.Store.DiskBound), s.Store.RetentionSecs/(24*60*60), s.FlushInterval)
	printContent(w, s.Content)
	printLost(w, s.Lost)
}

func printContent(w io.Writer, c query.StatusContent) {
	if !c.Enabled {
		fmt.Fprintln(w, "content    is not kept")
		return
	}
	fmt.Fprintf(w, "content    %.0f slow and failed requests kept, %.0f on disk, %s of %s", c.Kept, c.Records, size(c.DiskBytes), size(c.DiskBound))
	for _, cause := range slices.Sorted(maps.Keys(c.Dropped)) {
		if n := c.Dropped[cause]; n > 0 {
			fmt.Fprintf(w, ", %s %.0f", cause, n)
		}
	}
	fmt.Fprintln(w)
}

func printLost(w io.Writer, lost map[string]float64) {
	causes := make([]string, 0, len(lost))
	for cause, n := range lost {
		if n > 0 {
			causes = append(causes, fmt.Sprintf("%s %.0f", cause, n))
		}
	}
	slices.Sort(causes)
	if len(causes) == 0 {
		causes = []string{"nothing: all counts are exact"}
	}
	fmt.Fprintf(w, "lost       %s\n", strings.Join(causes, ", "))
}

// size writes bytes for people.
func size(b float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for b >= 1024 && i < len(units)-1 {
		b /= 1024
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%.0f %s", b, units[i])
	}
	return fmt.Sprintf("%.1f %s", b, units[i])
}
