package demo

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopGrace is how long a service may take to end by itself; then it is killed.
const stopGrace = 3 * time.Second

// children are the processes of a shop. They die with this process, however it dies.
//
// Each child is started and awaited on a locked thread that outlives it: Linux sends PR_SET_PDEATHSIG when the *thread*
// that made the child ends (prctl(2)), and a Go thread may end at any time otherwise.
type children struct {
	log  *slog.Logger
	died chan *child // those that ended without being asked; buffered, never blocks
	jobs context.Context
	halt context.CancelFunc

	mu      sync.Mutex
	running []*child
	wg      sync.WaitGroup
}

type child struct {
	name    string
	cmd     *exec.Cmd
	output  tailBuffer // read only after done
	done    chan struct{}
	err     error
	stopped bool // asked to end; under children.mu
}

func newChildren(log *slog.Logger) *children {
	jobs, halt := context.WithCancel(context.Background())
	return &children{log: log, died: make(chan *child, 64), jobs: jobs, halt: halt}
}

// start returns once the process runs.
func (k *children) start(name string, cmd *exec.Cmd) error {
	c, err := k.launch(name, cmd)
	if err != nil {
		return err
	}
	k.wg.Go(func() {
		<-c.done
		k.mu.Lock()
		asked := c.stopped
		k.mu.Unlock()
		if !asked {
			select {
			case k.died <- c:
			default:
			}
		}
	})
	return nil
}

func (k *children) launch(name string, cmd *exec.Cmd) (*child, error) {
	c := &child{name: name, cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &c.output, &c.output
	cmd.WaitDelay = stopGrace
	// Its own group: Ctrl-C in a terminal reaches only the parent, which then ends all in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine, after the child
		defer close(c.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start demo service %s: %w", name, err)
	}
	k.mu.Lock()
	k.running = append(k.running, c)
	k.mu.Unlock()
	return c, nil
}

// repeat runs a job now and then until it is stopped.
func (k *children) repeat(name string, cmd func() *exec.Cmd, every time.Duration) {
	k.wg.Go(func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			c, err := k.launch(name, cmd())
			if err != nil {
				k.log.Warn("demo job", "job", name, "err", err)
			} else {
				<-c.done
				k.forget(c)
			}
			select {
			case <-k.jobs.Done():
				return
			case <-t.C:
			}
		}
	})
}

func (k *children) forget(c *child) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running = slices.DeleteFunc(k.running, func(o *child) bool { return o == c })
}

// stop ends services by name and waits for them. Repeated jobs are not started again; one that runs is left to finish.
func (k *children) stop(names ...string) {
	k.halt()
	k.mu.Lock()
	var chosen []*child
	for _, c := range k.running {
		if slices.Contains(names, c.name) {
			c.stopped = true
			chosen = append(chosen, c)
		}
	}
	k.mu.Unlock()
	for _, c := range chosen {
		c.signal(syscall.SIGTERM)
	}
	deadline := time.Now().Add(stopGrace)
	for _, c := range chosen {
		select {
		case <-c.done:
		case <-time.After(time.Until(deadline)):
			k.log.Warn("demo service does not end, killing it", "service", c.name)
			c.signal(syscall.SIGKILL)
			<-c.done
		}
		k.forget(c)
	}
}

// stopAll ends what still runs, callers before whom they call, and waits for everything.
func (k *children) stopAll() {
	k.mu.Lock()
	var names []string
	for _, c := range k.running {
		names = append(names, c.name)
	}
	k.mu.Unlock()
	k.stop(names...)
	k.wg.Wait()
}

// signal reaches the child's whole group: nginx has workers.
func (c *child) signal(s syscall.Signal) {
	select {
	case <-c.done: // its number may belong to another by now
	default:
		syscall.Kill(-c.cmd.Process.Pid, s)
	}
}

// tail is what a child that ended said last.
func (c *child) tail() string {
	lines := strings.Split(strings.TrimSpace(string(c.output.b)), "\n")
	return fmt.Sprintf("%v: %s", c.err, strings.Join(lines[max(0, len(lines)-5):], " | "))
}

// outputKept is how much of a child's output is kept: enough for a stack trace.
const outputKept = 4096

// A tailBuffer keeps the end of what is written to it.
type tailBuffer struct{ b []byte }

func (t *tailBuffer) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if extra := len(t.b) - outputKept; extra > 0 {
		t.b = append(t.b[:0], t.b[extra:]...)
	}
	return len(p), nil
}
