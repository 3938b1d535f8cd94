// Package sut runs a real Sonde, the system under test, and asks it through its public API.
//
// In: bin/sonde. Out: a running process, and its answers as plain numbers. It must know only what is documented: command
// line, HTTP API, names of metrics.
package sut

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options say how Sonde is started.
type Options struct {
	Binary        string        // "" is bin/sonde of this repository
	Data          string        // folder of the store; it must exist
	Capture       string        // "socket", "syscall"; "" is auto
	FlushInterval time.Duration // 0 is one second
	Args          []string      // further arguments of "sonde run"
}

// Sonde is a running Sonde.
type Sonde struct {
	URL     string
	Started time.Time

	cmd    *exec.Cmd
	output lockedBuffer
	done   chan struct{}
	err    error
}

// Times: a start loads BPF programs (a second or two; much more on an emulated machine), a stop flushes the store.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
)

// Start returns once /healthz answers. The process dies with ctx, or with Stop.
func Start(ctx context.Context, o Options) (*Sonde, error) {
	if o.Binary == "" {
		o.Binary = filepath.Join(Root(), "bin", "sonde")
	}
	if _, err := os.Stat(o.Binary); err != nil {
		return nil, fmt.Errorf("find Sonde: %w (run make build)", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a port for Sonde: %w", err)
	}
	addr := l.Addr().String()
	l.Close()
	if o.FlushInterval == 0 {
		o.FlushInterval = time.Second
	}
	args := []string{"run", "--listen", addr, "--data", o.Data, "--flush-interval", o.FlushInterval.String()}
	if o.Capture != "" {
		args = append(args, "--capture="+o.Capture)
	}
	s := &Sonde{URL: "http://" + addr, Started: time.Now(), done: make(chan struct{})}
	s.cmd = exec.Command(o.Binary, append(args, o.Args...)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	if err := s.waitHealthy(ctx); err != nil {
		s.Kill()
		return nil, fmt.Errorf("start Sonde: %w; it said:\n%s", err, s.Output())
	}
	return s, nil
}

// run starts the process on a thread that lives as long as it: PR_SET_PDEATHSIG is about the thread (prctl(2)).
func (s *Sonde) run(ctx context.Context) error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer close(s.done)
		err := s.cmd.Start()
		started <- err
		if err == nil {
			s.err = s.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start Sonde: %w", err)
	}
	context.AfterFunc(ctx, s.Kill)
	return nil
}

func (s *Sonde) waitHealthy(ctx context.Context) error {
	deadline := time.Now().Add(startTimeout)
	for {
		resp, err := http.Get(s.URL + "/healthz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(resp.Status)
		}
		select {
		case <-s.done:
			return fmt.Errorf("it ended: %v", s.err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("/healthz not ok after %v: %w", startTimeout, err)
		}
	}
}

// Stop ends Sonde by SIGTERM and returns an error unless it exits with 0 in time.
func (s *Sonde) Stop() error {
	select {
	case <-s.done:
		return fmt.Errorf("stop Sonde: it had ended before: %v; it said:\n%s", s.err, s.Output())
	default:
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(stopTimeout):
		s.Kill()
		return fmt.Errorf("stop Sonde: still there %v after SIGTERM; it said:\n%s", stopTimeout, s.Output())
	}
	if s.err != nil {
		return fmt.Errorf("stop Sonde: %w; it said:\n%s", s.err, s.Output())
	}
	return nil
}

// Kill ends Sonde by SIGKILL and waits. It may be called at any time.
func (s *Sonde) Kill() {
	select {
	case <-s.done:
	default:
		s.cmd.Process.Kill()
		<-s.done
	}
}

// Alive says whether the process still runs.
func (s *Sonde) Alive() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// PID is Sonde's process.
func (s *Sonde) PID() int { return s.cmd.Process.Pid }

// Output is what Sonde wrote so far.
func (s *Sonde) Output() string { return s.output.String() }

// RSS is Sonde's resident memory in bytes, by the kernel.
func (s *Sonde) RSS() int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.PID()))
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// CPU is the time Sonde's process has used, by the kernel, in ticks of 10 ms.
func (s *Sonde) CPU() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID()))
	if err != nil {
		return 0
	}
	// proc(5): fields 14 and 15 (utime, stime) counted after the name, which may hold spaces.
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100 on every architecture Sonde runs on
}

// Root is the repository's folder, found upwards from the working directory.
func Root() string {
	dir, _ := os.Getwd()
	for d := dir; d != "/"; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d
		}
	}
	return dir
}
