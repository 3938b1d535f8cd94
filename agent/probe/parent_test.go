package probe

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/probe/event"
)

// child is a running scene, seen from the parent.
type child struct {
	t     testing.TB
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
	errs  *strings.Builder
}

// start starts a scene with its arguments.
func start(t testing.TB, scene string, args ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0]), errs: &strings.Builder{}}
	// Signals of Go's scheduler would cut system calls short.
	c.cmd.Env = append(os.Environ(), childScene+"="+strings.Join(append([]string{scene}, args...), " "), "GODEBUG=asyncpreemptoff=1")
	c.cmd.Stderr = c.errs
	var err error
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReaderSize(out, 1<<20)
	if err := c.cmd.Start(); err != nil {
		t.Fatalf("start a child: %v", err)
	}
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	})
	return c
}

func (c *child) pid() int { return c.cmd.Process.Pid }

func (c *child) line() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		_ = c.cmd.Wait()
		c.t.Fatalf("read from the child: %v; it says: %s", err, c.errs)
	}
	return strings.TrimSpace(line)
}

// untilPause waits until the scene pauses.
func (c *child) untilPause() {
	c.t.Helper()
	if line := c.line(); line != "pause" {
		c.t.Fatalf("the child says %.100q, want a pause", line)
	}
}

// proceed lets a paused scene go on.
func (c *child) proceed() {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.stdin); err != nil {
		c.t.Fatalf("write to the child: %v; it says: %s", err, c.errs)
	}
}

// finish waits for the report. The child is still there afterwards.
func (c *child) finish() (r report) {
	c.t.Helper()
	if err := json.Unmarshal([]byte(c.line()), &r); err != nil {
		c.t.Fatalf("read the child's report: %v", err)
	}
	return r
}

// leave lets the child exit and waits for it.
func (c *child) leave() {
	c.t.Helper()
	_ = c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		c.t.Fatalf("child: %v; it says: %s", err, c.errs)
	}
}

// play runs a scene to its end and returns what the child and what the Probe say about it.
func play(t testing.TB, r *recorder, scene string, args ...string) (report, []event.Event) {
	t.Helper()
	c := start(t, scene, args...)
	rep := c.finish()
	c.leave()
	return rep, r.waitExit(t, rep.PID)
}
