// Package stacktest starts programs that wait in a read, for tests of who looks at their stacks.
//
// In: a program's source in C. Out: a process that waits, what it said before, and its registers as a debugger sees them.
package stacktest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Compile makes a program of a file in C.
func Compile(t *testing.T, cc, source string, flags ...string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "waits")
	if out, err := exec.Command(cc, append(flags, "-o", program, source)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cc, err, out)
	}
	return program
}

// Program is a process that was started.
type Program struct {
	PID   uint32
	Stdin io.WriteCloser
	Said  *bufio.Reader // its standard output
	cmd   *exec.Cmd
}

// Start runs a program. The caller closes it.
func Start(t *testing.T, program string, args ...string) *Program {
	t.Helper()
	p := &Program{cmd: exec.Command(program, args...)}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.PID, p.Stdin, p.Said = uint32(p.cmd.Process.Pid), stdin, bufio.NewReader(stdout)
	return p
}

// Close ends the program's input, and waits for its end.
func (p *Program) Close() {
	_ = p.Stdin.Close()
	_ = p.cmd.Wait()
}

// Registers waits until the program is in a read, and asks for its registers by ptrace, as a debugger does.
func (p *Program) Registers(t *testing.T) (r unix.PtraceRegs) {
	t.Helper()
	for range 500 {
		if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", p.PID)); strings.HasPrefix(string(b), "0 ") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid := int(p.PID)
	if err := unix.PtraceAttach(pid); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Wait4(pid, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	if err := unix.PtraceGetRegs(pid, &r); err != nil {
		t.Fatal(err)
	}
	if err := unix.PtraceDetach(pid); err != nil {
		t.Fatal(err)
	}
	return r
}
