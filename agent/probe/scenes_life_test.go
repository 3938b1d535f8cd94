package probe

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// sceneSteps makes exchanges on one connection, each after a pause.
func sceneSteps(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	steps, _ := strconv.Atoi(args[1])
	for i := range steps {
		if err := k.pause(); err != nil {
			return err
		}
		req, resp := request(fmt.Sprint("/step/", i), 10), response(20)
		if err := converse(client, server, senderNamed("write"), receiverNamed("read"), req, resp); err != nil {
			return err
		}
	}
	return nil
}

// joinedAt is how far into a request the Probe comes.
const joinedAt = 10000

// sceneJoined pauses in the middle of a long request body, with an exchange before and one after.
func sceneJoined(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	write, read := senderNamed("write"), receiverNamed("read")
	if err := converse(client, server, write, read, request("/before", 10), response(20)); err != nil {
		return err
	}
	long := request("/middle", 30000)
	if err := client.send(write, long[:joinedAt], 0); err != nil {
		return err
	}
	if err := server.receive(read, joinedAt, 0); err != nil {
		return err
	}
	if err := k.pause(); err != nil {
		return err
	}
	if err := client.send(write, long[joinedAt:], 0); err != nil {
		return err
	}
	if err := server.receive(read, len(long)-joinedAt, 0); err != nil {
		return err
	}
	resp := response(20)
	if err := server.send(write, resp, headLen(resp)); err != nil {
		return err
	}
	if err := client.receive(read, len(resp), headLen(resp)); err != nil {
		return err
	}
	return converse(client, server, write, read, request("/after", 10), response(20))
}

// sceneForeign sends the first words of a dialogue that is not HTTP, then HTTP in many turns.
func sceneForeign(k *kid, args []string) error {
	client, server, err := k.pair("tcp4")
	if err != nil {
		return err
	}
	write, read := senderNamed("write"), receiverNamed("read")
	first := map[string][]byte{
		"tls":    []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on"),
		"opaque": []byte("binary words"),
		"bulk":   bytes.Repeat([]byte("\xff\x00\xfe\x01"), 16<<10), // 32 of these are one turn
		"proxy":  []byte("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"),
		"proxy2": []byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02"),
	}[args[0]]
	foreignTurns, _ := strconv.Atoi(args[1])
	if args[0] == "bulk" {
		foreignTurns = 32
	}
	from, to := client, server
	for range foreignTurns {
		if err := from.send(write, first, 0); err != nil {
			return err
		}
		if err := to.receive(read, len(first), 0); err != nil {
			return err
		}
		if args[0] == "tls" || args[0] == "opaque" {
			from, to = to, from
		}
	}
	for range 2 {
		if err := converse(client, server, write, read, request("/http", 10), response(20)); err != nil {
			return err
		}
	}
	return nil
}

// sceneMany makes exchanges on one connection between two pauses.
func sceneMany(k *kid, args []string) error {
	client, server, err := k.pair("tcp4")
	if err != nil {
		return err
	}
	if err := k.pause(); err != nil {
		return err
	}
	n, _ := strconv.Atoi(args[0])
	write, read := senderNamed("write"), receiverNamed("read")
	for i := range n {
		req := request(fmt.Sprint("/many/", i), 10+i%300)
		if err := converse(client, server, write, read, req, response(20)); err != nil {
			return err
		}
	}
	return k.pause()
}

// sceneFamily starts processes: one that ends at once, one with many threads that end together, one with a given
// environment. Their ids are the output.
func sceneFamily(k *kid, args []string) error {
	for _, args := range [][]string{{"/bin/true", "with", "an argument", ""}, {"/bin/sh", "-c", "exit 3"}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = []string{"OTEL_SERVICE_NAME=short", "SPACED=a b"}
		began := time.Now()
		err := cmd.Run()
		if _, isExit := err.(*exec.ExitError); err != nil && !isExit {
			return err
		}
		k.report.Family = append(k.report.Family, relative{PID: cmd.Process.Pid, Args: args, Env: cmd.Env, Life: time.Since(began)})
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for range 10 {
		cmd := exec.Command(self)
		cmd.Env = []string{childScene + "=threads"}
		if err := cmd.Run(); err != nil {
			return err
		}
		k.report.Family = append(k.report.Family, relative{PID: cmd.Process.Pid, Args: []string{self}, Env: cmd.Env})
	}
	return nil
}

// sceneThreads ends with many threads alive, which the kernel ends all at once.
func sceneThreads(*kid, []string) error {
	var ready sync.WaitGroup
	for range 40 {
		ready.Add(1)
		go func() {
			var p [2]int
			_ = unix.Pipe2(p[:], unix.O_CLOEXEC)
			ready.Done()
			_, _ = unix.Read(p[0], make([]byte, 1)) // blocks a thread for good
		}()
	}
	ready.Wait()
	os.Exit(0)
	return nil
}

// sceneExec replaces its program by a given one, with a long environment and long arguments.
func sceneExec(k *kid, args []string) error {
	if err := k.pause(); err != nil {
		return err
	}
	argv := []string{"cat", "-", string(slices.Repeat([]byte("x"), 2000))}
	env := []string{"FIRST=1", "LONG=" + string(slices.Repeat([]byte("y"), 9000)), "LAST=1"}
	return unix.Exec("/bin/cat", argv[:2+len(args)], env)
}

// sceneHold opens a Probe, says what it consists of, and waits to be killed.
func sceneHold(k *kid, args []string) error {
	p, err := Open(testConfig(Tier(args[0])), discard())
	if err != nil {
		return err
	}
	k.report.Kernel = kernelObjects(p)
	return nil
}
