// Package stack reads the calls that a waiting thread of another process is in, without touching it.
//
// In: the thread's registers, its stack, and the files whose code it runs. Out: frames from the inside out, with what the registers hold
// that functions preserve. It follows the tables that compilers write for exceptions (.eh_frame), which stripped programs have
// too; it guesses nothing: where the tables end, the frames do. It must not know what the functions are for.
package stack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// The registers that are followed, by their numbers in the tables (System V ABI for AMD64, figure 3.36).
const (
	RBX           = 3
	RBP           = 6
	RSP           = 7
	R12           = 12
	R13           = 13
	R14           = 14
	R15           = 15
	rip           = 16 // the return address
	registerCount = 17
)

// Registers are values of registers, those of them that are known.
type Registers struct {
	values [registerCount]uint64
	known  uint32
}

// Set notes what a register holds.
func (r *Registers) Set(register int, value uint64) {
	r.values[register] = value
	r.known |= 1 << register
}

// Get returns what a register holds, if that is known.
func (r *Registers) Get(register int) (value uint64, ok bool) {
	if register < 0 || register >= registerCount {
		return 0, false
	}
	return r.values[register], r.known>>register&1 != 0
}

// Stack is a copy of a thread's stack from the stack pointer on.
type Stack struct {
	from  uint64
	bytes []byte
}

// ReadStack copies at most size bytes of a process's memory from the stack pointer on.
func ReadStack(memory io.ReaderAt, pointer uint64, size int) (Stack, error) {
	b := make([]byte, size)
	n, err := memory.ReadAt(b, int64(pointer))
	if n == 0 {
		return Stack{}, fmt.Errorf("read the stack: %w", err)
	}
	return Stack{pointer, b[:n]}, nil
}

// Word returns the 8 bytes at an address.
func (s Stack) Word(address uint64) (uint64, bool) {
	at := address - s.from
	if address < s.from || at > uint64(len(s.bytes)) || uint64(len(s.bytes))-at < 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(s.bytes[at:]), true
}

// Frame is a call that is under way: of a function that has itself called the one of the frame before.
type Frame struct {
	Function
	Image  *Image
	Region Region
	// At is the place in the image behind the call that is under way; in the first frame, where the thread waits.
	At uint64
	// Pointer is what the stack pointer was when the function was entered, at the return address.
	Pointer uint64
	// Return is the address that the function returns to.
	Return uint64
	// Registers are those that functions preserve, as they are in this function at At.
	Registers Registers
}

// Thread is what the frames are found from.
type Thread struct {
	PC        uint64
	Registers Registers // RSP and what is known of others that functions preserve
	Stack     Stack
	// Put are return addresses that a tracer has put away, by where on the stack they were: there is another one now.
	Put map[uint64]uint64
}

// LastMention returns the highest place on the stack at which there is an address in one of the regions. Where there is none, no
// call of them is under way.
func (t Thread) LastMention(regions []Region) (at uint64, ok bool) {
	isThere := func(v uint64) bool {
		return slices.ContainsFunc(regions, func(r Region) bool { return v >= r.From && v < r.To })
	}
	for n := len(t.Stack.bytes)/8 - 1; n >= 0 && !ok; n-- {
		at, ok = t.Stack.from+8*uint64(n), isThere(binary.LittleEndian.Uint64(t.Stack.bytes[8*n:]))
	}
	for put, v := range t.Put {
		if isThere(v) && (!ok || put > at) {
			at, ok = put, true
		}
	}
	return at, ok
}

// Images opens files of code, and keeps them open until Close.
type Images map[FileID]*Image

// Close closes all.
func (is Images) Close() {
	for _, i := range is {
		if i != nil {
			i.Close()
		}
	}
}

// open returns the image of a region of a process; nil if it cannot be read, which is asked once.
func (is Images) open(pid uint32, r Region) *Image {
	if i, ok := is[r.ID]; ok {
		return i
	}
	var i *Image
	if f, err := r.OpenFile(pid); err == nil {
		i, _ = OpenImage(f)
	}
	is[r.ID] = i
	return i
}

// ErrOutermost means that the whole stack was followed, to the function that a thread or program begins with.
var ErrOutermost = errors.New("the outermost function")

// maxFrames bounds the calls that are followed, from the inside out.
const maxFrames = 128

// Walk returns the frames of a thread from the inside out, until visit returns false for one, and returns why there are no more.
func (is Images) Walk(pid uint32, regions []Region, t Thread, visit func(Frame) bool) error {
	pc, registers := t.PC, t.Registers
	for range maxFrames {
		r := slices.IndexFunc(regions, func(r Region) bool { return pc-1 >= r.From && pc-1 < r.To })
		if r < 0 {
			return fmt.Errorf("no code of a file at %#x", pc)
		}
		image := is.open(pid, regions[r])
		if image == nil {
			return fmt.Errorf("%s cannot be read", regions[r].Path)
		}
		at, ok := image.Address(pc - regions[r].From + regions[r].Offset)
		if !ok {
			return fmt.Errorf("no code at %#x of %s", pc, regions[r].Path)
		}
		f := Frame{Image: image, Region: regions[r], At: at, Registers: registers}
		d, err := image.describe(at - 1)
		if err != nil {
			return fmt.Errorf("%s: %w", regions[r].Path, err)
		}
		if d.isSignal {
			return errors.New("a signal handler")
		}
		f.Function = d.Function
		row, err := d.rowAt(at - 1)
		if err != nil {
			return fmt.Errorf("%s: %w", regions[r].Path, err)
		}
		if registers, err = row.caller(registers, t); err != nil {
			return fmt.Errorf("%s: %w", regions[r].Path, err)
		}
		pc, _ = registers.Get(rip)
		after, _ := registers.Get(RSP)
		f.Pointer, f.Return = after-8, pc
		if !visit(f) {
			return nil
		}
	}
	return fmt.Errorf("more than %d calls", maxFrames)
}

// caller returns the registers as they are in the caller.
func (w row) caller(r Registers, t Thread) (Registers, error) {
	var c Registers
	base, ok := r.Get(int(w.base))
	if w.isByRule || !ok {
		return c, fmt.Errorf("where the frame is depends on what is not known")
	}
	if w.rules[rip].how == undefined {
		return c, ErrOutermost
	}
	frame := base + uint64(w.offset)
	for _, n := range []int{RBX, RBP, R12, R13, R14, R15, rip} {
		v, ok := uint64(0), false
		switch rule := w.rules[n]; rule.how {
		case same:
			v, ok = r.Get(n)
			ok = ok && n != rip
		case saved:
			v, ok = t.Stack.Word(frame + uint64(rule.n))
			if put, isPut := t.Put[frame+uint64(rule.n)]; n == rip && isPut {
				v = put
			}
		case calculated:
			v, ok = frame+uint64(rule.n), true
		case moved:
			v, ok = r.Get(int(rule.n))
		}
		if ok {
			c.Set(n, v)
		}
	}
	if _, ok := c.Get(rip); !ok {
		return c, errors.New("the return address is not known")
	}
	c.Set(RSP, frame)
	return c, nil
}
