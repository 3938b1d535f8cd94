package tls

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/sonde-dev/sonde/agent/probe/stack"
	"github.com/sonde-dev/sonde/agent/probe/stack/stacktest"
)

// TestCallsUnderWay finds what a program's read was called with, while it waits there, however the program was compiled. The program
// itself says what it was.
func TestCallsUnderWay(t *testing.T) {
	for _, shape := range []string{"1", "2", "3"} {
		for _, flags := range []string{
			"-O0", "-O1", "-O2", "-O3", "-Os", "-O2 -fno-omit-frame-pointer", "-O2 -fcf-protection=full -fstack-protector-all", "-O2 -static-pie -fPIE",
			"-O2 -fno-optimize-sibling-calls",
		} {
			for _, cc := range []string{"clang-19", "gcc"} {
				t.Run(fmt.Sprint(cc, " shape ", shape, " ", flags), func(t *testing.T) {
					program := stacktest.Compile(t, cc, "testdata/waits.c", append(strings.Fields(flags), "-DSHAPE="+shape)...)
					for _, how := range []string{"plain", "ex", "plain peek"} {
						checkCall(t, program, strings.Fields(how)...)
					}
				})
			}
		}
	}
}

// TestStays tells a thread that waits all the time from one that has run, by how often the scheduler says that it was switched.
func TestStays(t *testing.T) {
	cat := stacktest.Start(t, "cat")
	defer cat.Close()
	w := waits(t, cat)
	time.Sleep(100 * time.Millisecond) // it goes back to sleep
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/sched", w.TGID))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if name, text, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "nr_switches" {
			fmt.Sscan(text, &w.Switches)
		}
	}
	if !w.stays() {
		t.Errorf("it was switched %d times, and waits", w.Switches)
	}
	io.WriteString(cat.Stdin, "x")
	time.Sleep(100 * time.Millisecond)
	if w.stays() {
		t.Error("it has run")
	}
	w.TID = 1 << 30
	if w.stays() {
		t.Error("there is no such thread")
	}
}

// TestRecordsAreThoseOfTheKernelSide holds what is exchanged with the programs against their type information.
func TestRecordsAreThoseOfTheKernelSide(t *testing.T) {
	const object = "../objects/tls.o"
	spec, err := ebpf.LoadCollectionSpec(object)
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skipf("%s is missing: run `make bpf`", object)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]any{"tls_waiting_thread": thread{}, "tls_waiting": waitingCall{}} {
		var typ *btf.Struct
		if err := spec.Types.TypeByName(name, &typ); err != nil {
			t.Fatal(err)
		}
		if got := binary.Size(in); got != int(typ.Size) {
			t.Errorf("%s has %d bytes here, %d there", name, got, typ.Size)
		}
		var there []uint32
		for _, m := range typ.Members {
			at := m.Offset.Bytes()
			if inner, ok := m.Type.(*btf.Struct); ok {
				for _, m := range inner.Members {
					there = append(there, at+m.Offset.Bytes())
				}
				continue
			}
			there = append(there, at)
		}
		var here []uint32
		for i := range reflect.TypeOf(in).NumField() {
			here = append(here, uint32(reflect.TypeOf(in).Field(i).Offset))
		}
		if !slices.Equal(here, there) {
			t.Errorf("%s has its fields at %v here, at %v there", name, here, there)
		}
	}
}

func checkCall(t *testing.T, program string, args ...string) {
	t.Helper()
	running := stacktest.Start(t, program, args...)
	defer running.Close()
	var session, buffer, count uint64
	if _, err := fmt.Fscanf(running.Said, "%v %v %v\n", &session, &buffer, &count); err != nil {
		t.Fatalf("what the program says: %v", err)
	}
	pid, waiting := running.PID, waits(t, running)
	list, err := mappings(pid)
	if err != nil {
		t.Fatal(err)
	}
	file0, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file0.Close()
	at, err := inspect(file0)
	if err != nil || at == nil {
		t.Fatalf("inspect = %+v, %v", at, err)
	}
	images := make(stack.Images)
	defer images.Close()
	p, err := openProcess(pid, []*file{{id: list[0].ID, reads: at.reads}}, images, newRecipes())
	if err != nil {
		t.Fatal(err)
	}
	defer p.memory.Close()
	c, err := p.find(waiting)
	if err != nil {
		t.Fatalf("%v: find = %+v, %v", args, c, err)
	}
	if c.call.Session != session || c.call.Buffer != buffer {
		t.Errorf("%v: session %#x and buffer %#x, want %#x and %#x", args, c.call.Session, c.call.Buffer, session, buffer)
	}
	if args[0] == "ex" && c.call.CountAt != 0 && c.call.CountAt != count {
		t.Errorf("%v: the count at %#x, want %#x", args, c.call.CountAt, count)
	}
	if c.call.Kind != kindRead || c.tid != waiting.TID || c.call.Switches != waiting.Switches {
		t.Errorf("%v: %+v", args, c)
	}
	io.WriteString(running.Stdin, "hello")
	if line, err := running.Said.ReadString('\n'); err != nil || !strings.HasSuffix(line, " hello\n") {
		t.Errorf("%v: afterwards the program says %q, %v", args, line, err)
	}
}

// waits returns the thread of a program as the kernel side reports it, once it waits in a read.
func waits(t *testing.T, p *stacktest.Program) thread {
	t.Helper()
	r := p.Registers(t)
	return thread{
		TID: p.PID, TGID: p.PID, Switches: 7, PC: r.Rip, SP: r.Rsp, BX: r.Rbx, BP: r.Rbp, R12: r.R12, R13: r.R13, R14: r.R14, R15: r.R15,
	}
}
