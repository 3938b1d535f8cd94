package truth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// A process is one observed program. It is called service for Sonde, and is told nothing else of it.
type process struct {
	service string
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	stdout  bytes.Buffer // to be read when done
	stderr  lockedBuffer
	done    chan struct{}
	err     error
	stopped atomic.Bool
}

// start runs a program until the test ends.
func start(t *testing.T, service string, env []string, argv ...string) *process {
	t.Helper()
	p := &process{service: service, cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	p.cmd.Env = append(append(os.Environ(), "OTEL_SERVICE_NAME="+service, "PYTHONDONTWRITEBYTECODE=1"), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	p.stdin, _ = p.cmd.StdinPipe()
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // PR_SET_PDEATHSIG is about the thread that started the child (prctl(2))
		defer close(p.done)
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v", service, err)
	}
	t.Cleanup(p.stop)
	return p
}

// startRole runs this test program as a role, with its argument as JSON.
func startRole(t *testing.T, service, role string, args any) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startRoleOf(t, self, service, role, args)
}

// startRoleOf does so with a copy of this program.
func startRoleOf(t *testing.T, self, service, role string, args any) *process {
	t.Helper()
	b, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, service, []string{roleEnv + "=" + role, argsEnv + "=" + string(b)}, self)
}

// stop ends a server by SIGTERM, and its group after a while.
func (p *process) stop() {
	if p.stopped.Swap(true) {
		<-p.done
		return
	}
	select {
	case <-p.done:
		return
	default:
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// log waits for a load generator to end and returns the account it printed.
func (p *process) log(t *testing.T) *wire.Log {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(3 * time.Minute):
		p.stop()
		t.Fatalf("%s did not end; it said: %s", p.service, p.stderr.String())
	}
	if p.err != nil && !p.stopped.Load() {
		t.Fatalf("%s: %v: %s", p.service, p.err, p.stderr.String())
	}
	l := &wire.Log{}
	if err := json.Unmarshal(p.stdout.Bytes(), l); err != nil {
		t.Fatalf("read the log of %s: %v: %.300s %s", p.service, err, p.stdout.String(), p.stderr.String())
	}
	return l
}

// waitPort waits until a server accepts. It sends nothing, so it makes no request.
func (p *process) waitPort(t *testing.T, network, addr string) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute) // RabbitMQ on a busy machine
	for {
		c, err := net.Dial(network, addr)
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-p.done:
			t.Fatalf("%s ended: %v: %s", p.service, p.err, p.stderr.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen on %s: %v", p.service, addr, err)
		}
	}
}

// freePort returns a port that nobody listens on. Tests run side by side: no two are given the same.
func freePort(t *testing.T) int {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		if _, isTaken := givenPorts.LoadOrStore(port, true); !isTaken {
			return port
		}
	}
}

// givenPorts are those of freePort so far.
var givenPorts sync.Map

// program is the path of a program that must be there.
func program(t *testing.T, names ...string) string {
	t.Helper()
	for _, n := range names {
		if path, err := exec.LookPath(n); err == nil {
			return path
		}
	}
	t.Fatalf("%s not found: `make test-packages` installs what truth tests need", strings.Join(names, ", "))
	return ""
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// said is what the process wrote to its standard error so far.
func (p *process) said() string { return p.stderr.String() }

// A lockedBuffer may be read while a process writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
