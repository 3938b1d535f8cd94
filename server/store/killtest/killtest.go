// Package killtest kills a writer in the middle of its work.
//
// In: how a store is opened and written to, from the tests of that store. Out: how much a child said was acknowledged before SIGKILL. It must not know what
// is stored, nor how it is read again.
package killtest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// dirEnv names the folder to write to, in a child.
const dirEnv = "SONDE_TEST_KILL_DIR"

// Main makes the test binary its own victim. To be called by TestMain: it runs the tests, or, in a child that Kill started, opens the store of a folder and
// writes batches to it, from 1, until it is killed.
func Main(m *testing.M, open func(dir string) (write func(i int) error)) {
	if dir := os.Getenv(dirEnv); dir != "" {
		write := open(dir)
		for i := 1; ; i++ {
			if err := write(i); err != nil {
				fmt.Println("error", err)
				os.Exit(1)
			}
			fmt.Println(i) // the truth: this batch was acknowledged
		}
	}
	os.Exit(m.Run())
}

// Kill lets a child write to a folder, kills it once n batches were acknowledged, and returns the last that was: n or more.
func Kill(t *testing.T, dir string, n int) (last int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), dirEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		i, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("child: %s", lines.Text())
		}
		if last = i; last == n {
			_ = cmd.Process.Signal(syscall.SIGKILL)
		}
	}
	_ = cmd.Wait()
	if last < n {
		t.Fatalf("child ended after %d batches", last)
	}
	return last
}
