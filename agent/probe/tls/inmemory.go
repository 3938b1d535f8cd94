package tls

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// memoryTries is in how many socket calls a thread may turn out to move the bytes of its TLS library by itself. Each costs as much as
// a call inside the library; then the thread is left alone.
const memoryTries = 1024

// expectInMemory tells the socket tier that the main thread of a process, which was running before its library was probed, may be one that keeps
// the library in memory (Node, Python's asyncio). What it receives next may be for a session, before the library's first call
// would show that.
func expectInMemory(threads *ebpf.Map, pid uint32) error {
	fd, err := unix.PidfdOpen(int(pid), 0)
	if errors.Is(err, unix.ESRCH) {
		return nil // it has ended
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer func() { _ = unix.Close(fd) }()
	value := make([]byte, threads.ValueSize()) // struct tls_thread of bpf/include/tls.h, which begins with by_memory
	binary.LittleEndian.PutUint32(value, memoryTries)
	err = threads.Update(uint32(fd), value, ebpf.UpdateNoExist)
	if errors.Is(err, ebpf.ErrKeyExist) || errors.Is(err, unix.ESRCH) {
		return nil // the thread has called the library meanwhile, or ended
	}
	if err != nil {
		return fmt.Errorf("prepare the state of thread %d: %w", pid, err)
	}
	return nil
}
