package probe

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// kid is the child's side of a test: it moves bytes by one system call at a time and writes down what it moved. That
// report is the oracle.
type kid struct {
	report report
	in     *bufio.Reader
}

// report is what a child says about itself and its sockets, in their order of creation.
type report struct {
	PID, TID int
	Socks    []*sock
	// Calls is the number of socket calls that moved bytes.
	Calls int
	// Family are the processes that the child started and that have ended.
	Family []relative
	// Kernel is what a Probe of the child consists of.
	Kernel objectIDs
}

// relative is a process as its parent knows it.
type relative struct {
	PID       int
	Args, Env []string
	Life      time.Duration
}

// sock is one socket of the child.
type sock struct {
	fd            int
	k             *kid
	Name          string
	IsUnix        bool
	Local, Remote netip.AddrPort
	In, Out       []moved
}

// moved is what one call moved.
type moved struct {
	Data []byte
	// Must is how many of these bytes, from the first on, have to be in a payload.
	Must int
	// Tail is how many bytes the tail has to have where not all of the call is in a payload.
	Tail int
	// Gap says that the socket tracepoints do not see the call, Uring that the system-call tracepoints do not.
	Gap, Uring bool
}

func playScene(name string) error {
	runtime.LockOSThread()
	words := strings.Fields(name)
	scene, ok := scenes()[words[0]]
	if !ok {
		return fmt.Errorf("no such scene")
	}
	k := &kid{in: bufio.NewReader(os.Stdin)}
	k.report.PID, k.report.TID = os.Getpid(), unix.Gettid()
	if err := scene(k, words[1:]); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(k.report); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	_, _ = k.in.ReadString('\n') // stay until the parent has looked at /proc
	return nil
}

// pause tells the parent that a point of the scene is reached and waits for its word.
func (k *kid) pause() error {
	fmt.Println("pause")
	_, err := k.in.ReadString('\n')
	return err
}

// pair returns the two ends of a new connection: tcp4, tcp6, mapped (IPv4 in an IPv6 server socket), unix or socketpair.
func (k *kid) pair(kind string) (client, server *sock, err error) {
	if kind == "socketpair" {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, nil, fmt.Errorf("make a socket pair: %w", err)
		}
		return k.add("client", fds[0], true), k.add("server", fds[1], true), nil
	}
	l, to, err := listen(kind)
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(l)
	c, err := dial(to)
	if err != nil {
		return nil, nil, err
	}
	s, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
	if err != nil {
		return nil, nil, fmt.Errorf("accept: %w", err)
	}
	isUnix := kind == "unix"
	client, server = k.add("client", c, isUnix), k.add("server", s, isUnix)
	for _, e := range []*sock{client, server} {
		if err := e.name(); err != nil {
			return nil, nil, err
		}
	}
	return client, server, nil
}

func listen(kind string) (fd int, to unix.Sockaddr, err error) {
	var at unix.Sockaddr
	family := unix.AF_INET
	switch kind {
	case "tcp4":
		at = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	case "tcp6":
		family, at = unix.AF_INET6, &unix.SockaddrInet6{Addr: netip.IPv6Loopback().As16()}
	case "mapped":
		family, at = unix.AF_INET6, &unix.SockaddrInet6{}
	case "unix":
		family, at = unix.AF_UNIX, &unix.SockaddrUnix{Name: fmt.Sprintf("@sonde-probe-test-%d", os.Getpid())}
	default:
		return -1, nil, fmt.Errorf("no such kind of connection: %s", kind)
	}
	if fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, nil, fmt.Errorf("make a listening socket: %w", err)
	}
	if err = unix.Bind(fd, at); err != nil {
		return -1, nil, fmt.Errorf("bind: %w", err)
	}
	if err = unix.Listen(fd, 16); err != nil {
		return -1, nil, fmt.Errorf("listen: %w", err)
	}
	if to, err = unix.Getsockname(fd); err != nil {
		return -1, nil, fmt.Errorf("read the address of the listener: %w", err)
	}
	if v6, ok := to.(*unix.SockaddrInet6); ok && kind == "mapped" {
		to = &unix.SockaddrInet4{Port: v6.Port, Addr: [4]byte{127, 0, 0, 1}}
	}
	return fd, to, nil
}

func dial(to unix.Sockaddr) (int, error) {
	family := unix.AF_INET
	switch to.(type) {
	case *unix.SockaddrInet6:
		family = unix.AF_INET6
	case *unix.SockaddrUnix:
		family = unix.AF_UNIX
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("make a socket: %w", err)
	}
	if family != unix.AF_UNIX {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err := unix.Connect(fd, to); err != nil {
		return -1, fmt.Errorf("connect: %w", err)
	}
	return fd, nil
}

func (k *kid) add(name string, fd int, isUnix bool) *sock {
	s := &sock{fd: fd, k: k, Name: name, IsUnix: isUnix}
	k.report.Socks = append(k.report.Socks, s)
	return s
}

// name asks the kernel, by the calls every program has, for the addresses of the socket.
func (s *sock) name() error {
	local, err := unix.Getsockname(s.fd)
	if err != nil {
		return fmt.Errorf("getsockname: %w", err)
	}
	remote, err := unix.Getpeername(s.fd)
	if err != nil {
		return fmt.Errorf("getpeername: %w", err)
	}
	s.Local, s.Remote = addrPort(local), addrPort(remote)
	return nil
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// send sends b in as many calls as it takes. The first must bytes have to be in payloads, if the call shows any.
func (s *sock) send(how sender, b []byte, must int) error {
	if how.isBlind {
		must = 0
	}
	for len(b) > 0 {
		n, err := how.call(s.fd, b)
		if err != nil || n <= 0 {
			return fmt.Errorf("%s on %s: %d, %w", how.name, s.Name, n, err)
		}
		s.Out = append(s.Out, moved{Data: b[:n], Must: max(0, min(n, must)), Uring: how.isUring})
		s.k.report.Calls++
		b, must = b[n:], must-n
	}
	return nil
}

// receive receives n bytes in as many calls as it takes. must is as for send.
func (s *sock) receive(how receiver, n, must int) error {
	if how.isBlind {
		must = 0
	}
	for n > 0 {
		b := bytes.Repeat([]byte{filler}, n)
		got, err := how.call(s.fd, b)
		if err != nil || got <= 0 {
			return fmt.Errorf("%s on %s: %d, %w", how.name, s.Name, got, err)
		}
		if how.isDiscarded && !s.IsUnix && bytes.IndexByte(b, filler) < 0 {
			return fmt.Errorf("%s on %s wrote to the buffer", how.name, s.Name)
		}
		if how.isDiscarded { // whatever a payload shows of the buffer is wrong
			clear(b)
		}
		s.In = append(s.In, moved{Data: b[:got], Must: max(0, min(got, must)), Gap: how.isUnseen, Uring: how.isUring})
		s.k.report.Calls++
		n, must = n-got, must-got
	}
	return nil
}

// exactly sends or receives b in one call of the caller's making and writes it down.
func (s *sock) exactly(what string, into *[]moved, m moved, call func() (int, error)) error {
	n, err := call()
	if err != nil || n != len(m.Data) {
		return fmt.Errorf("%s on %s: %d of %d, %w", what, s.Name, n, len(m.Data), err)
	}
	*into = append(*into, m)
	s.k.report.Calls++
	return nil
}

// waitFor waits until poll(2) says that something happened to the socket: bytes or the end of the stream arrived.
func (s *sock) waitFor(events int16) error {
	p := []unix.PollFd{{Fd: int32(s.fd), Events: events}}
	for {
		if n, err := unix.Poll(p, int(patience.Milliseconds())); err == nil && n == 1 && p[0].Revents&events != 0 {
			return nil
		} else if err != nil && err != unix.EINTR || err == nil {
			return fmt.Errorf("wait for %#x on %s: %d, %#x, %w", events, s.Name, n, p[0].Revents, err)
		}
	}
}

// filler is what buffers hold before something is received into them.
const filler = 0xee

func (s *sock) close() { _ = unix.Close(s.fd) }
