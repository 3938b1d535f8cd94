package probe

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sender is one way of sending bytes: one system call.
type sender struct {
	name    string
	isBlind bool // the bytes are not in the memory of the caller
	isUring bool // no system call moves them
	call    func(fd int, b []byte) (int, error)
}

// receiver is one way of receiving bytes.
type receiver struct {
	name     string
	isBlind  bool // the bytes do not reach the memory of the caller
	isUring  bool // no system call moves them
	isUnseen bool // the socket tracepoints do not see the call
	// isDiscarded: over TCP the bytes are thrown away and the buffer keeps what it held (tcp(7), MSG_TRUNC).
	isDiscarded bool
	call        func(fd int, b []byte) (int, error)
}

func senders() []sender {
	return []sender{
		{name: "write", call: unix.Write},
		{name: "writev", call: func(fd int, b []byte) (int, error) { return vector(unix.SYS_WRITEV, fd, thirds(b)) }},
		{name: "pwritev2", call: func(fd int, b []byte) (int, error) { return vector(unix.SYS_PWRITEV2, fd, thirds(b)) }},
		{name: "sendto", call: func(fd int, b []byte) (int, error) { return buffer(unix.SYS_SENDTO, fd, b, 0) }},
		{name: "sendmsg", call: func(fd int, b []byte) (int, error) { return message(unix.SYS_SENDMSG, fd, thirds(b), 0) }},
		{name: "sendmmsg", call: func(fd int, b []byte) (int, error) { return messages(unix.SYS_SENDMMSG, fd, halves(b), 0) }},
		{name: "uring", isBlind: true, isUring: true, call: func(fd int, b []byte) (int, error) { return uringOp(uringSend, fd, b) }},
		{name: "sendfile", isBlind: true, call: sendfile},
		{name: "splice", isBlind: true, call: spliceOut},
	}
}

func receivers() []receiver {
	return []receiver{
		{name: "read", call: unix.Read},
		{name: "readv", call: func(fd int, b []byte) (int, error) { return vector(unix.SYS_READV, fd, thirds(b)) }},
		{name: "preadv2", call: func(fd int, b []byte) (int, error) { return vector(unix.SYS_PREADV2, fd, thirds(b)) }},
		{name: "recvfrom", call: func(fd int, b []byte) (int, error) { return buffer(unix.SYS_RECVFROM, fd, b, 0) }},
		{name: "recvfrom-waitall", call: func(fd int, b []byte) (int, error) { return buffer(unix.SYS_RECVFROM, fd, b, unix.MSG_WAITALL) }},
		{name: "recvmsg", call: func(fd int, b []byte) (int, error) { return message(unix.SYS_RECVMSG, fd, thirds(b), 0) }},
		{name: "recvmmsg", call: func(fd int, b []byte) (int, error) { return messages(unix.SYS_RECVMMSG, fd, halves(b), 0) }},
		{name: "peek-then-read", call: func(fd int, b []byte) (int, error) {
			if n, err := buffer(unix.SYS_RECVFROM, fd, b, unix.MSG_PEEK); err != nil {
				return n, err
			}
			if n, err := message(unix.SYS_RECVMSG, fd, thirds(b), unix.MSG_PEEK); err != nil {
				return n, err
			}
			return unix.Read(fd, b)
		}},
		{name: "recvfrom-trunc", isBlind: true, isDiscarded: true, call: func(fd int, b []byte) (int, error) {
			return buffer(unix.SYS_RECVFROM, fd, b, unix.MSG_TRUNC)
		}},
		{name: "recvmsg-trunc", isBlind: true, isDiscarded: true, call: func(fd int, b []byte) (int, error) {
			return message(unix.SYS_RECVMSG, fd, thirds(b), unix.MSG_TRUNC)
		}},
		{name: "splice", isBlind: true, isUnseen: true, call: spliceIn},
		{name: "uring", isBlind: true, isUring: true, call: func(fd int, b []byte) (int, error) { return uringOp(uringRecv, fd, b) }},
	}
}

func senderNamed(name string) sender {
	for _, s := range senders() {
		if s.name == name {
			return s
		}
	}
	panic("no sender " + name)
}

func receiverNamed(name string) receiver {
	for _, r := range receivers() {
		if r.name == name {
			return r
		}
	}
	panic("no receiver " + name)
}

func thirds(b []byte) [][]byte { return cut(b, (len(b)+2)/3) }
func halves(b []byte) [][]byte { return cut(b, (len(b)+1)/2) }

// cut returns the parts of b, n bytes each but the last.
func cut(b []byte, n int) (parts [][]byte) {
	for len(b) > n {
		parts, b = append(parts, b[:n:n]), b[n:]
	}
	return append(parts, b)
}

func result(n uintptr, errno unix.Errno) (int, error) {
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

func buffer(number uintptr, fd int, b []byte, flags int) (int, error) {
	n, _, errno := unix.Syscall6(number, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), uintptr(flags), 0, 0)
	return result(n, errno)
}

func iovecs(parts [][]byte) []unix.Iovec {
	vs := make([]unix.Iovec, len(parts))
	for i, p := range parts {
		if len(p) > 0 {
			vs[i].Base = &p[0]
		}
		vs[i].SetLen(len(p))
	}
	return vs
}

// vector is readv, writev, preadv2 or pwritev2; the offset -1 of the latter means the stream.
func vector(number uintptr, fd int, parts [][]byte) (int, error) {
	vs := iovecs(parts)
	n, _, errno := unix.Syscall6(number, uintptr(fd), uintptr(unsafe.Pointer(&vs[0])), uintptr(len(vs)), ^uintptr(0), ^uintptr(0), 0)
	return result(n, errno)
}

func message(number uintptr, fd int, parts [][]byte, flags int) (int, error) {
	vs := iovecs(parts)
	h := &unix.Msghdr{Iov: &vs[0], Iovlen: uint64(len(vs))}
	n, _, errno := unix.Syscall(number, uintptr(fd), uintptr(unsafe.Pointer(h)), uintptr(flags))
	return result(n, errno)
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   uint32
}

// messages is sendmmsg or recvmmsg with one message for each part.
func messages(number uintptr, fd int, parts [][]byte, flags int) (int, error) {
	return messagesIn(make([]mmsghdr, len(parts)), number, fd, parts, flags)
}

// messagesIn is messages with an array of the caller's, which programs use over and over.
func messagesIn(array []mmsghdr, number uintptr, fd int, parts [][]byte, flags int) (total int, err error) {
	vs := iovecs(parts)
	for i := range parts {
		array[i] = mmsghdr{hdr: unix.Msghdr{Iov: &vs[i], Iovlen: 1}}
	}
	n, _, errno := unix.Syscall6(number, uintptr(fd), uintptr(unsafe.Pointer(&array[0])), uintptr(len(parts)), uintptr(flags), 0, 0)
	if errno != 0 {
		return -1, errno
	}
	for _, m := range array[:n] {
		total += int(m.len)
	}
	return total, nil
}

func sendfile(fd int, b []byte) (int, error) {
	f, err := os.CreateTemp("", "sonde-probe-test")
	if err != nil {
		return -1, fmt.Errorf("make a file to send: %w", err)
	}
	defer f.Close()
	defer os.Remove(f.Name())
	if _, err := f.Write(b); err != nil {
		return -1, err
	}
	var from int64
	return unix.Sendfile(fd, int(f.Fd()), &from, len(b))
}

// pipeMax is the size of a pipe, pipe(7).
const pipeMax = 65536

func spliceOut(fd int, b []byte) (int, error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return -1, err
	}
	defer unix.Close(p[0])
	defer unix.Close(p[1])
	n, err := unix.Write(p[1], b[:min(len(b), pipeMax)])
	if err != nil {
		return -1, err
	}
	moved, err := unix.Splice(p[0], nil, fd, nil, n, 0)
	return int(moved), err
}

func spliceIn(fd int, b []byte) (int, error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return -1, err
	}
	defer unix.Close(p[0])
	defer unix.Close(p[1])
	moved, err := unix.Splice(fd, nil, p[1], nil, min(len(b), pipeMax), 0)
	if err != nil {
		return -1, err
	}
	return unix.Read(p[0], b[:moved])
}
