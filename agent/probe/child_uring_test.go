package probe

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// System calls and numbers of io_uring, include/uapi/linux/io_uring.h.
const (
	sysUringSetup = 425
	sysUringEnter = 426

	uringSend      = 26 // IORING_OP_SEND
	uringRecv      = 27 // IORING_OP_RECV
	uringGetEvents = 1  // IORING_ENTER_GETEVENTS

	uringOffCQ   = 0x8000000  // IORING_OFF_CQ_RING
	uringOffSQEs = 0x10000000 // IORING_OFF_SQES
)

// uringParams is struct io_uring_params.
type uringParams struct {
	sqEntries, cqEntries, flags, cpu, idle, features, wq uint32
	_                                                    [3]uint32
	sq                                                   struct{ head, tail, mask, entries, flags, dropped, array, _, _, _ uint32 }
	cq                                                   struct{ head, tail, mask, entries, overflow, cqes, flags, _, _, _ uint32 }
}

// uringOp makes one transfer through an io_uring of its own.
func uringOp(op byte, fd int, b []byte) (int, error) {
	var p uringParams
	ring, _, errno := unix.Syscall(sysUringSetup, 1, uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return -1, fmt.Errorf("set up an io_uring: %w", errno)
	}
	defer unix.Close(int(ring))
	const page = 4096
	var maps [3][]byte
	for i, off := range []int64{0, uringOffCQ, uringOffSQEs} {
		m, err := unix.Mmap(int(ring), off, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return -1, fmt.Errorf("map an io_uring: %w", err)
		}
		defer func() { _ = unix.Munmap(m) }()
		maps[i] = m
	}
	u32 := func(m []byte, at uint32) *uint32 { return (*uint32)(unsafe.Pointer(&m[at])) }
	sqe := maps[2]
	sqe[0] = op
	*(*int32)(unsafe.Pointer(&sqe[4])) = int32(fd)
	*(*uintptr)(unsafe.Pointer(&sqe[16])) = uintptr(unsafe.Pointer(&b[0]))
	*u32(sqe, 24) = uint32(len(b))
	*u32(maps[0], p.sq.array) = 0
	*u32(maps[0], p.sq.tail)++
	if n, _, errno := unix.Syscall6(sysUringEnter, ring, 1, 1, uringGetEvents, 0, 0); errno != 0 || n != 1 {
		return -1, fmt.Errorf("enter an io_uring: %d, %w", n, errno)
	}
	runtime.KeepAlive(b)
	if n := *(*int32)(unsafe.Pointer(&maps[1][p.cq.cqes+8])); n < 0 {
		return -1, unix.Errno(-n)
	} else {
		return int(n), nil
	}
}
