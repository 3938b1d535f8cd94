package stack

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/probe/stack/stacktest"
)

// TestWalk follows a stack of a program that says by itself what it was called through, as the unwinder of its compiler sees it.
func TestWalk(t *testing.T) {
	for _, cc := range []string{"clang-19", "gcc"} {
		for _, flags := range []string{"-O0", "-O1", "-O2", "-O3", "-Os", "-O2 -fno-omit-frame-pointer", "-O2 -fcf-protection=full -fstack-protector-all", "-O2 -no-pie"} {
			t.Run(cc+" "+flags, func(t *testing.T) {
				checkWalk(t, stacktest.Compile(t, cc, "testdata/deep.c", append(strings.Fields(flags), "-fasynchronous-unwind-tables")...))
			})
		}
	}
}

func checkWalk(t *testing.T, program string) {
	t.Helper()
	running := stacktest.Start(t, program)
	defer running.Close()
	line, err := running.Said.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, r := running.PID, running.Registers(t)
	regions, err := Regions(pid)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	thread := Thread{PC: r.Rip}
	for n, v := range map[int]uint64{RSP: r.Rsp, RBX: r.Rbx, RBP: r.Rbp, R12: r.R12, R13: r.R13, R14: r.R14, R15: r.R15} {
		thread.Registers.Set(n, v)
	}
	if thread.Stack, err = ReadStack(memory, r.Rsp, 64<<10); err != nil {
		t.Fatal(err)
	}
	images := make(Images)
	defer images.Close()
	var frames []Frame
	err = images.Walk(pid, regions, thread, func(f Frame) bool {
		frames = append(frames, f)
		return true
	})
	if !errors.Is(err, ErrOutermost) {
		t.Errorf("the walk ends with: %v", err)
	}
	first := slices.IndexFunc(frames, func(f Frame) bool { return f.Region.Path == program })
	if first < 0 {
		t.Fatalf("no frame of the program among %d", len(frames))
	}
	var got strings.Builder
	for _, f := range frames[first:] {
		fmt.Fprintf(&got, "%#x ", f.Return)
		if w, ok := thread.Stack.Word(f.Pointer); !ok || w != f.Return {
			t.Errorf("%#x is on the stack at %#x, want the return address %#x", w, f.Pointer, f.Return)
		}
	}
	if got, want := strings.Fields(got.String()), strings.Fields(line); !slices.Equal(got, want) {
		t.Errorf("called through\n%v, the program says\n%v", got, want)
	}
	if at, ok := thread.LastMention(regions[:1]); !ok || at < frames[first].Pointer {
		t.Errorf("the program is mentioned last at %#x, %t", at, ok)
	}
	io.WriteString(running.Stdin, "x")
}

// TestPutAway follows a return address that a tracer has put away, and finds the mention of it.
func TestPutAway(t *testing.T) {
	const trampoline, code = 0x7fffffffe000, 0x5000
	s := Stack{from: 0x1000, bytes: make([]byte, 64)}
	for i, v := range []uint64{1, 2, trampoline, 4} {
		for b := range 8 {
			s.bytes[8*i+b] = byte(v >> (8 * b))
		}
	}
	th := Thread{Stack: s, Put: map[uint64]uint64{0x1010: code + 7}}
	th.Registers.Set(RSP, 0x1000)
	var w row
	w.base, w.offset = RSP, 0x18
	w.rules[rip] = rule{saved, -8}
	c, err := w.caller(th.Registers, th)
	if pc, ok := c.Get(rip); err != nil || !ok || pc != code+7 {
		t.Errorf("the caller is at %#x, %t, %v", pc, ok, err)
	}
	if at, ok := th.LastMention([]Region{{From: code, To: code + 0x100}}); !ok || at != 0x1010 {
		t.Errorf("mentioned at %#x, %t", at, ok)
	}
	if _, ok := th.LastMention([]Region{{From: 0x9000, To: 0x9100}}); ok {
		t.Error("code is mentioned that is not there")
	}
}

func TestRegions(t *testing.T) {
	pid := uint32(os.Getpid())
	list, err := Regions(pid)
	if err != nil {
		t.Fatal(err)
	}
	exe, _ := os.Executable()
	i := slices.IndexFunc(list, func(r Region) bool { return r.Path == exe })
	if i < 0 {
		t.Fatalf("%s is not among %v", exe, list)
	}
	f, err := list[i].OpenFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := f.Stat()
	want, wantErr := os.Stat(exe)
	if err != nil || wantErr != nil || !os.SameFile(got, want) {
		t.Errorf("%s is another file than %s: %v, %v", f.Name(), exe, err, wantErr)
	}
	r := list[i]
	r.Open = "/nowhere"
	if f, err = r.OpenFile(pid); err != nil {
		t.Fatalf("by its path: %v", err)
	}
	f.Close()
}

// FuzzDescription runs tables of any bytes.
func FuzzDescription(f *testing.F) {
	// gcc's usual entry, x86-64: def_cfa rsp 8, rip at -8; then pushes of rbp and rbx, and their end
	f.Add([]byte{0, 0, 0, 0, 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1}, []byte{0x41, 0x0e, 16, 0x86, 2, 0x42, 0x0d, 6, 0x0a, 0x0c, 7, 8, 0x44, 0x0b, 0xc6}, uint64(5))
	f.Add([]byte{0, 0, 0, 0, 3, 0, 1, 0x78, 16}, []byte{0x0f, 3, 1, 2, 3, 0x10, 6, 2, 1, 1, 0x2e, 8, 0x16, 3, 1, 1}, uint64(0))
	f.Fuzz(func(t *testing.T, cie, own []byte, pc uint64) {
		var d description
		if _, _, err := d.common(&reader{b: cie, address: 0x1000}); err != nil {
			return
		}
		d.own = own
		w, err := d.rowAt(pc)
		if err != nil {
			return
		}
		s := Stack{from: 0x1000, bytes: make([]byte, 256)}
		th := Thread{Stack: s}
		th.Registers.Set(RSP, 0x1000)
		if c, err := w.caller(th.Registers, th); err == nil {
			if _, ok := c.Get(RSP); !ok {
				t.Error("a caller without a stack")
			}
		}
	})
}
