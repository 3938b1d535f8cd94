package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sonde-dev/sonde/test/load"
	"github.com/sonde-dev/sonde/test/sut"
)

// pingPongArgs are the arguments of both ends.
type pingPongArgs struct {
	Port     int
	Seconds  float64
	Request  []byte
	Response []byte
}

// The messages are 120 bytes each way, as small as HTTP gets: the worst case for a cost per message.
func pingPongMessages(kind string) (request, response []byte) {
	if kind == "HTTP" {
		request = []byte("GET /ping HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\nX-Pad: ")
		request = append(append(request, bytes.Repeat([]byte("p"), 120-4-len(request))...), "\r\n\r\n"...)
		response = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 50\r\n\r\n")
		return request, append(response, bytes.Repeat([]byte("r"), 50)...)
	}
	return bytes.Repeat([]byte{0x80, 0x01}, 60), bytes.Repeat([]byte{0x81, 0x02}, 60)
}

// pingPongCPU is where both ends run: on one CPU there are no wake-ups across CPUs, whose cost varies more than what is
// measured. It makes the round trip cheaper, and so the share of Sonde larger, than on two.
const pingPongCPU = "cpu0"

// pin keeps the calling thread on pingPongCPU.
func pin() error {
	runtime.LockOSThread()
	var set unix.CPUSet
	set.Set(0)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("stay on %s: %w", pingPongCPU, err)
	}
	return nil
}

// pingPong measures the CPU time of one round trip over one loopback connection: four socket calls, both ends traced, raw
// system calls without any runtime in between.
func (b *bench) pingPong(kind, budget string) error {
	without, with, err := b.inPairs(func(*sut.Sonde) (map[string]float64, error) {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		request, response := pingPongMessages(kind)
		args := pingPongArgs{port, b.seconds, request, response}
		server, err := startRole("pong", args)
		if err != nil {
			return nil, err
		}
		defer server.stop()
		time.Sleep(100 * time.Millisecond)
		irq := softirq(pingPongCPU)
		client, err := startRole("ping", args)
		if err != nil {
			return nil, err
		}
		if err := client.wait(); err != nil {
			return nil, err
		}
		if err := server.wait(); err != nil { // ends with the connection
			return nil, err
		}
		irq = softirq(pingPongCPU) - irq
		trips, err := strconv.Atoi(strings.TrimSpace(client.stdout.String()))
		if err != nil || trips == 0 {
			return nil, fmt.Errorf("ping said %q", client.stdout.String())
		}
		return map[string]float64{"cpu": float64((client.cpu() + server.cpu() + irq).Nanoseconds()) / float64(trips)}, nil
	})
	if err != nil {
		return err
	}
	b.report.pair("TCP ping-pong, "+kind+", CPU per round trip", "ns", without["cpu"], with["cpu"], budget, 6, false)
	return nil
}

func playRole(role string) error {
	switch role {
	case "steady":
		return playSteady()
	case "ping", "pong":
	default:
		return playGo(role)
	}
	var a pingPongArgs
	if err := json.Unmarshal([]byte(os.Getenv(argsEnv)), &a); err != nil {
		return fmt.Errorf("read arguments: %w", err)
	}
	if err := pin(); err != nil {
		return err
	}
	if role == "pong" {
		return pong(a)
	}
	return ping(a)
}

func pong(a pingPongArgs) error {
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return fmt.Errorf("make a socket: %w", err)
	}
	unix.SetsockoptInt(listener, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := unix.Bind(listener, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.Listen(listener, 1); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fd, _, err := unix.Accept(listener)
	if err != nil {
		return fmt.Errorf("accept: %w", err)
	}
	buf := make([]byte, 4096)
	for {
		n, err := call(unix.SYS_READ, fd, buf)
		if n <= 0 {
			return err
		}
		if n != len(a.Request) {
			return fmt.Errorf("received %d bytes, want %d", n, len(a.Request))
		}
		if _, err := call(unix.SYS_WRITE, fd, a.Response); err != nil {
			return err
		}
	}
}

func ping(a pingPongArgs) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return fmt.Errorf("make a socket: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	buf := make([]byte, 4096)
	end, trips := time.Now().Add(time.Duration(a.Seconds*float64(time.Second))), 0
	for ; trips%64 != 0 || time.Now().Before(end); trips++ {
		if _, err := call(unix.SYS_WRITE, fd, a.Request); err != nil {
			return err
		}
		n, err := call(unix.SYS_READ, fd, buf)
		if err != nil || n != len(a.Response) {
			return fmt.Errorf("received %d bytes, want %d: %w", n, len(a.Response), err)
		}
	}
	fmt.Println(trips)
	return unix.Close(fd)
}

// call is a bare system call: Go's scheduler, which would hand work to other threads while one blocks, is not what is
// measured.
func call(number uintptr, fd int, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall(number, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

func playSteady() error {
	var p load.Plan
	if err := json.Unmarshal([]byte(os.Getenv(argsEnv)), &p); err != nil {
		return fmt.Errorf("read arguments: %w", err)
	}
	l, err := load.Run(p)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(l)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
