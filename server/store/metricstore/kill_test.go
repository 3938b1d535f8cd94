package metricstore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/signal"
)

const killDirEnv = "SONDE_TEST_KILL_DIR"

// TestMain makes the test binary its own victim: with killDirEnv set it writes batches until it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killDirEnv); dir != "" {
		writeForever(dir)
	}
	os.Exit(m.Run())
}

func writeForever(dir string) {
	s := open(&testing.T{}, dir)
	for i := 1; ; i++ {
		b := &signal.Batch{Time: time.UnixMilli(1_700_000_000_000 + int64(i)*1000)}
		for id := range 50 {
			b.Series = append(b.Series, counter(uint64(id+1), time.UnixMilli(1_700_000_000_000), float64(i), strconv.Itoa(id), ""))
		}
		b.Series = append(b.Series, hist(1000, time.UnixMilli(1_700_000_000_000), uint64(i), uint64(2*i)))
		if err := s.Append(context.Background(), b); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(i) // the truth: this batch was acknowledged
	}
}

// A child writes and says after each batch that it was acknowledged; it is killed in the middle. All that it
// acknowledged must be there, twice over (killed, reopened, killed again).
func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	for round := range 2 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killDirEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		last := 0
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatalf("child: %s", lines.Text())
			}
			if last = n; n == 200 {
				_ = cmd.Process.Signal(syscall.SIGKILL)
			}
		}
		_ = cmd.Wait()
		if last < 200 {
			t.Fatalf("child ended after %d batches", last)
		}

		s := open(t, dir)
		series := read(t, s, "test_total")
		if len(series) != 50 {
			t.Errorf("round %d: %d counters, want 50", round, len(series))
		}
		for name, xs := range series {
			if got := xs[len(xs)-1]; got.v < float64(last) || len(xs) < last+1 {
				t.Errorf("round %d: %s ends with %v after %d samples, want at least %d", round, name, got, len(xs), last)
			}
		}
		for _, xs := range read(t, s, "test_seconds") {
			if got := xs[len(xs)-1].v; got < float64(3*last) {
				t.Errorf("round %d: histogram ends with count %v, want at least %d", round, got, 3*last)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
