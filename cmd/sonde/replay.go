package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol/all"
	"github.com/sonde-dev/sonde/agent/replay"
	"github.com/sonde-dev/sonde/agent/replay/report"
	"github.com/sonde-dev/sonde/signal"
)

func replayCommand() *cobra.Command {
	side, summary, only := "server", false, []string(nil)
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Show the requests in a packet capture (pcap, pcapng), no kernel needed",
		Long: `Read a packet capture as if its traffic passed on this host now: the same code finds the protocols, pairs requests with
responses and counts them. Needs no privileges and changes nothing.

One line of JSON is written for each request, in the order in which they ended:

  sonde replay shop.pcap
  sonde replay shop.pcap | jq 'select(.error != "")'
  sonde replay --summary shop.pcapng          count, errors, percentiles by interface
  sonde replay --protocol dns --side client shop.pcap
  tcpdump -i any -w - port 80 | sonde replay -

Times are those of the capture: where it was recorded, which may be neither end. --side says from which end an exchange is told; the
two differ only in what is an error (HTTP 404 is one for the client and none for the server), and both tells each request twice.

Record whole packets (tcpdump -s 0) and both directions. What a capture lacks is said, not guessed: "partial" marks a request
of which bytes are missing where they matter, or that the capture's end cut off, and the last line on standard error counts what
was lost. Connections that began before the capture are read from their next request on.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg := report.Config{Client: side != "server", Server: side != "client", Only: only}
			if side != "client" && side != "server" && side != "both" {
				return fmt.Errorf("--side %q: must be client, server or both", side)
			}
			if err := knowProtocols(only); err != nil {
				return err
			}
			return replayFile(cmd.Context(), args[0], cfg, summary, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&side, "side", side, "`end` that tells: client, server or both")
	f.BoolVar(&summary, "summary", summary, "print a table of golden metrics instead of each request")
	f.StringSliceVar(&only, "protocol", only, "only these `protocols`, such as http,dns")
	return cmd
}

func knowProtocols(names []string) error {
	var known []string
	for _, p := range all.Protocols() {
		known = append(known, p.Name())
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return fmt.Errorf("--protocol %q: known are %s", n, strings.Join(known, ", "))
		}
	}
	return nil
}

// replayFile writes what can be read, and then returns the first error.
func replayFile(ctx context.Context, path string, cfg report.Config, summary bool, stdout, stderr io.Writer) error {
	f := os.Stdin
	if path != "-" {
		var err error
		if f, err = os.Open(path); err != nil {
			return err
		}
		defer f.Close()
	}
	source, err := replay.New(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if term.IsTerminal(int(os.Stderr.Fd())) && !term.IsTerminal(int(os.Stdout.Fd())) {
		p := progress{w: stderr, file: f, began: time.Now()}
		source.Progress = p.show
		defer p.clear()
	}
	w := bufio.NewWriterSize(stdout, 64<<10)
	table, write := report.NewSummary(), report.Lines(w)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	told, failed := 0, error(nil)
	lost, err := report.Run(ctx, source, all.Protocols(), cfg, func(x *exchange.Exchange) {
		told++
		if summary {
			table.Add(x)
		} else if failed == nil {
			if failed = write(x); failed != nil {
				stop() // nobody reads any more
			}
		}
	})
	if summary {
		failed = table.Write(w)
	}
	if failed = errors.Join(failed, w.Flush()); failed != nil {
		return failed
	}
	fmt.Fprintf(stderr, "%d packets, %d of them neither TCP nor UDP; %d requests; lost: %s\n", source.Packets, source.Skipped, told, inWords(lost))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func inWords(lost signal.Losses) string {
	var words []string
	for _, c := range signal.Causes() {
		if n := lost[c]; n > 0 {
			words = append(words, fmt.Sprintf("%s %d", c, n))
		}
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// progress shows how far a large file is read.
type progress struct {
	w           io.Writer
	file        *os.File
	began, last time.Time
}

func (p *progress) show(packets uint64) {
	const patience, interval = time.Second, 200 * time.Millisecond
	now := time.Now()
	if now.Sub(p.began) < patience || now.Sub(p.last) < interval {
		return
	}
	p.last = now
	fmt.Fprintf(p.w, "\r%d packets%s\x1b[K", packets, p.share())
}

// share is how much of the file is read, "" for a pipe.
func (p *progress) share() string {
	at, err := p.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return ""
	}
	info, err := p.file.Stat()
	if err != nil || info.Size() == 0 {
		return ""
	}
	return fmt.Sprintf(", %.0f %%", 100*float64(at)/float64(info.Size()))
}

func (p *progress) clear() {
	if !p.last.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
