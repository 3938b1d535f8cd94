package probe

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// waiter lets the reading goroutine rest until the ring buffer is worth a look.
//
// It waits in the runtime's own poller. A goroutine that rests in a system call, as ringbuf.Reader does, keeps its P until
// the runtime's monitor takes it away, and each time it comes back the monitor begins anew to look every 20 µs
// (runtime/proc.go, sysmon): hundreds of times a second on an idle host, thousands on a busy one.
type waiter struct {
	file *os.File
	conn syscall.RawConn
}

func newWaiter(ring *ebpf.Map) (*waiter, error) {
	fd, err := unix.FcntlInt(uintptr(ring.FD()), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate the ring buffer's descriptor: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // os.NewFile hands only such descriptors to the poller
		_ = unix.Close(fd)
		return nil, fmt.Errorf("prepare the ring buffer for polling: %w", err)
	}
	w := &waiter{file: os.NewFile(uintptr(fd), "ring buffer")}
	if w.conn, err = w.file.SyscallConn(); err == nil {
		err = w.file.SetReadDeadline(time.Time{})
	}
	if err != nil {
		_ = w.file.Close()
		return nil, fmt.Errorf("poll the ring buffer: %w", err)
	}
	return w, nil
}

// wait returns when the kernel side wakes the reader, at a time, or soon after interrupt. asleep is called before, and reports
// whether there is a reason not to.
func (w *waiter) wait(until time.Time, asleep func() bool) error {
	if err := w.file.SetReadDeadline(until); err != nil {
		return fmt.Errorf("wait for the ring buffer: %w", err)
	}
	first := true
	err := w.conn.Read(func(uintptr) bool {
		if !first {
			return true
		}
		first = false
		return asleep()
	})
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("wait for the ring buffer: %w", err)
	}
	return nil
}

// interrupt ends a wait. One that begins later has to see the reason by itself.
func (w *waiter) interrupt() { _ = w.file.SetReadDeadline(time.Unix(1, 0)) }

func (w *waiter) close() { _ = w.file.Close() }
