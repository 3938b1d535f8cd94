package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sonde-dev/sonde/server/query"
)

func topCommand() *cobra.Command {
	listen, window, every, once := defaultConfig().Listen, time.Minute, 2*time.Second, false
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show the golden signals of all services in the terminal, live",
		Long: `Show rate, errors and duration of all services of a running Sonde, worst first, live. Ctrl-C ends it.

With --once, or when the output is not a terminal, it prints one table.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := top{client: newClient(listen), window: window, w: cmd.OutOrStdout()}
			if once || !term.IsTerminal(int(os.Stdout.Fd())) {
				return t.show(cmd.Context(), 0, 0)
			}
			return t.live(cmd.Context(), every)
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", listen, "`address` of the running Sonde")
	f.DurationVar(&window, "window", window, "time range of the figures")
	f.DurationVar(&every, "every", every, "how often to look")
	f.BoolVar(&once, "once", once, "print one table and end")
	return cmd
}

type top struct {
	client *client
	window time.Duration
	w      io.Writer
}

// live repaints until ctx ends; it takes the terminal's other screen, so that what was there comes back.
func (t *top) live(ctx context.Context, every time.Duration) error {
	fmt.Fprint(t.w, "\x1b[?1049h\x1b[?25l")
	defer fmt.Fprint(t.w, "\x1b[?25h\x1b[?1049l")
	tick := time.NewTicker(max(every, 200*time.Millisecond))
	defer tick.Stop()
	for {
		width, height, err := term.GetSize(int(os.Stdout.Fd()))
		if err != nil {
			width, height = 100, 40
		}
		fmt.Fprint(t.w, "\x1b[H")
		if err := t.show(ctx, width, height); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			fmt.Fprintf(t.w, "%s\x1b[K\r\n", err)
		}
		fmt.Fprint(t.w, "\x1b[J")
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// show prints one table, cut to the terminal where width and height are not zero.
func (t *top) show(ctx context.Context, width, height int) error {
	var r query.ServicesReply
	if err := t.client.get(ctx, fmt.Sprintf("/api/services?start=now-%ds", int(t.window.Seconds())), &r); err != nil {
		return err
	}
	lines := []string{
		fmt.Sprintf("Sonde   %d of %d services abnormal   last %s   %s%s", r.Abnormal, r.Total, t.window, time.Now().Format(time.TimeOnly), lossNote(r.Loss)),
		"",
		fmt.Sprintf("  %-28s %10s %8s %9s %9s %9s %7s  %s", "SERVICE", "RATE", "ERRORS", "P50", "P95", "P99", "SLOW", "WHAT IS WRONG"),
	}
	for _, s := range r.Services {
		lines = append(lines, topLine(s))
	}
	if len(r.Services) == 0 {
		lines = append(lines, "  no request yet; try `sonde demo`, or curl something on this host")
	}
	if height > 0 && len(lines) > height-1 {
		lines = lines[:height-1]
	}
	for _, l := range lines {
		if rs := []rune(l); width > 0 && len(rs) > width {
			l = string(rs[:width])
		}
		end := "\n"
		if width > 0 {
			end = "\x1b[K\r\n"
		}
		fmt.Fprint(t.w, l+end)
	}
	return nil
}

func topLine(s query.Service) string {
	red, made := s.Server, ""
	if red == nil {
		red, made = s.Client, "→ " // serves nothing: what it calls
	}
	if red == nil {
		red = &query.RED{}
	}
	mark := map[query.Severity]string{query.SeverityCritical: "✖", query.SeverityWarning: "▲"}[s.Severity]
	if mark == "" {
		mark = " "
	}
	reasons := make([]string, 0, len(s.Reasons))
	for _, reason := range s.Reasons {
		reasons = append(reasons, reason.Text)
	}
	name := []rune(made + s.Name)
	if len(name) > 28 {
		name = append(name[:27], '…')
	}
	return fmt.Sprintf("%s %-28s %8.1f/s %7.2f%% %9s %9s %9s %7.0f  %s", mark, string(name), red.Rate, red.ErrorRatio*100,
		seconds(red.P50), seconds(red.P95), seconds(red.P99), red.Slow, strings.Join(reasons, "; "))
}

func lossNote(l query.Loss) string {
	if l.Total == 0 {
		return ""
	}
	return fmt.Sprintf("   %.0f lost: see `sonde status`", l.Total)
}

// seconds writes a duration with three figures.
func seconds(s float64) string {
	switch {
	case s <= 0:
		return "-"
	case s < 1e-3:
		return fmt.Sprintf("%.3g µs", s*1e6)
	case s < 1:
		return fmt.Sprintf("%.3g ms", s*1e3)
	}
	return fmt.Sprintf("%.3g s", s)
}
