package tls

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"github.com/sonde-dev/sonde/agent/probe/stack"
)

// read is a function that reads plain text, by its address in the file.
type read struct {
	address uint64
	call    call
}

// recipe says where on a stack that looks the same a call's session, buffer and pointer to the count are.
type recipe struct {
	frame                  int // of the call, or of the function that returns in its place
	session, buffer, count place
}

// place is where a value is: in a register that functions preserve as it is in a frame, or on the stack.
type place struct {
	frame    int
	register int   // by its number in .eh_frame; 0: on the stack
	at       int64 // there, from where the stack pointer was when the function was entered
	ok       bool
}

// recipes remembers what was found out. Threads that wait for bytes of the same library wait at the same place.
type recipes struct {
	known   map[string]recipe
	jumpers map[jumpKey][]uint64
}

type jumpKey struct {
	image  *stack.Image
	target uint64
}

func newRecipes() recipes {
	return recipes{make(map[string]recipe), make(map[jumpKey][]uint64)}
}

var (
	errNoCall   = errors.New("no call is under way")
	errUnderWay = errors.New("a call is under way")
	errKept     = errors.New("it does not show where its functions keep what they were called with")
)

// read looks for a call of a function that reads among frames, and reads from them what it was called with.
func (rs recipes) read(frames []stack.Frame, reads map[stack.FileID][]read, s stack.Stack) (found, error) {
	frame, fns, isInPlace := rs.callAmong(frames, reads)
	if len(fns) == 0 {
		return found{}, errNoCall
	}
	var key bytes.Buffer
	fmt.Fprintf(&key, "%x ", fns[0].address)
	for _, f := range frames[:frame+1] {
		fmt.Fprintf(&key, "%s %x ", f.Region.ID, f.At)
	}
	r, ok := rs.known[key.String()]
	if !ok {
		var err error
		if r, err = rs.find(frames, frame, fns, isInPlace); err != nil {
			return found{}, err
		}
		rs.known[key.String()] = r
	}
	var c waitingCall
	for _, v := range []struct {
		at   place
		into *uint64
	}{{r.session, &c.Session}, {r.buffer, &c.Buffer}, {r.count, &c.CountAt}} {
		if !v.at.ok {
			continue
		}
		f, ok := frames[v.at.frame], false
		if v.at.register != 0 {
			*v.into, ok = f.Registers.Get(v.at.register)
		} else {
			*v.into, ok = s.Word(f.Pointer + uint64(v.at.at))
		}
		if !ok || *v.into == 0 {
			return found{}, errKept
		}
	}
	c.Kind, c.Pointer = kindRead, frames[frame].Pointer
	return found{call: c, returns: frames[frame].Return}, nil
}

// callAmong finds the outermost call of a function that reads. Where that function has jumped into another one, the frame is that one's
// (isInPlace); then it may have been one of several, which jump there.
func (rs recipes) callAmong(frames []stack.Frame, reads map[stack.FileID][]read) (frame int, fns []read, isInPlace bool) {
	for i := len(frames) - 1; i >= 0; i-- {
		f := frames[i]
		list := reads[f.Region.ID]
		if len(list) == 0 {
			continue
		}
		if n := slices.IndexFunc(list, func(r read) bool { return r.address == f.Begin }); n >= 0 {
			return i, list[n : n+1], false
		}
		if i+1 < len(frames) && frames[i+1].Region.ID == f.Region.ID {
			target, isDirect := calledBy(frames[i+1])
			n := slices.IndexFunc(list, func(r read) bool { return isDirect && r.address == target })
			if n >= 0 {
				return i, list[n : n+1], true
			}
		} else if fns := rs.jumpInto(f, list); len(fns) > 0 {
			return i, fns, true
		}
	}
	return 0, nil, false
}

// jumpInto returns the functions of the list that jump into the one of a frame which was called from outside the library, if only these do:
// then one of them was called.
func (rs recipes) jumpInto(f stack.Frame, list []read) (fns []read) {
	for _, from := range rs.jumpersTo(f.Image, f.Begin) {
		n := slices.IndexFunc(list, func(r read) bool { return r.address == from })
		if n < 0 || list[n].call.countAt != list[0].call.countAt {
			return nil
		}
		fns = append(fns, list[n])
	}
	return fns
}

// calledBy returns the function that a frame has called directly: by the call of 5 bytes before where it is.
func calledBy(f stack.Frame) (target uint64, ok bool) {
	var b [5]byte
	if !f.Image.Read(b[:], f.At-5) || b[0] != 0xe8 {
		return 0, false
	}
	return f.At + uint64(int64(int32(binary.LittleEndian.Uint32(b[1:])))), true
}

// find works out where the arguments of a call are kept: by its function, or by those that it has passed them on to.
func (rs recipes) find(frames []stack.Frame, frame int, fns []read, isInPlace bool) (recipe, error) {
	r := recipe{frame: frame}
	image, countAt := frames[frame].Image, fns[0].call.countAt
	m := called()
	if isInPlace {
		var list []moment
		for _, fn := range fns {
			m, ok := rs.intoPlace(image, called(), fn.address, frames[frame].Begin, maxJumps)
			if !ok {
				return r, errKept
			}
			list = append(list, m)
		}
		m, _ = all(list)
	}
	for i := frame; i >= 0 && frames[i].Image == image; i-- {
		b, ok := follow(coderOf(image), frames[i].Begin, m)
		if !ok {
			return r, errKept
		}
		inst, before, ok := b.callBefore(frames[i].At)
		if !ok {
			return r, errKept
		}
		after := before.after(inst)
		r.session.keep(after, i, 1)
		r.buffer.keep(after, i, 2)
		if countAt != 0 {
			r.count.keep(after, i, int64(countAt))
		}
		if r.session.ok && r.buffer.ok && (r.count.ok || countAt == 0) {
			return r, nil
		}
		if i == 0 {
			break
		}
		m, ok = before.passedOn(), true
		if to, isNear := inst.Args[0].(x86asm.Rel); !isNear {
			m, ok = rs.throughJumps(image, m, frames[i-1].Begin)
		} else if target := frames[i].At + uint64(int64(to)); target != frames[i-1].Begin {
			m, ok = rs.intoPlace(image, m, target, frames[i-1].Begin, maxJumps)
		}
		if !ok {
			return r, errKept
		}
	}
	return r, errKept
}

// preservedRegisters are the registers that functions preserve, by their numbers in instructions and in .eh_frame.
var preservedRegisters = [...]struct{ inCode, inTable int }{
	{rbx, stack.RBX}, {rbp, stack.RBP}, {12, stack.R12}, {13, stack.R13}, {14, stack.R14}, {15, stack.R15},
}

// keep notes where an argument is after a call, unless that is known.
func (p *place) keep(after moment, frame int, n int64) {
	if p.ok {
		return
	}
	want := value{argument, n}
	for _, r := range preservedRegisters {
		if after.registers[r.inCode] == want {
			*p = place{frame: frame, register: r.inTable, ok: true}
			return
		}
	}
	for at, v := range after.kept {
		if v == want && at < 0 && at >= after.registers[rsp].n {
			*p = place{frame: frame, at: at, ok: true}
			return
		}
	}
}

// maxJumps bounds how many functions in a row return in each other's place.
const maxJumps = 3

// intoPlace is the moment at the first instruction of a function (to), which returns in the place of the one that was called at a
// moment (from).
func (rs recipes) intoPlace(image *stack.Image, m moment, from, to uint64, depth int) (moment, bool) {
	b, ok := follow(coderOf(image), from, m)
	if !ok || depth == 0 {
		return m, false
	}
	var direct, open, behind []moment
	for _, t := range b.tails {
		switch next := t.moment.passedOn(); t.target {
		case to:
			direct = append(direct, next)
		case 0:
			open = append(open, next)
		default:
			if m, ok := rs.intoPlace(image, next, t.target, to, depth-1); ok {
				behind = append(behind, m)
			}
		}
	}
	switch {
	case len(direct) > 0:
		return all(direct)
	case len(behind) > 0:
		return all(behind)
	}
	if m, ok = all(open); !ok {
		return m, false
	}
	return rs.throughJumps(image, m, to)
}

// throughJumps is the moment at the first instruction of a function which was called by a pointer at a moment: itself, or if there are
// functions that jump to it, one of those.
func (rs recipes) throughJumps(image *stack.Image, m moment, to uint64) (moment, bool) {
	var list []moment
	for _, from := range rs.jumpersTo(image, to) {
		b, ok := follow(coderOf(image), from, m)
		if !ok {
			return m, false
		}
		for _, t := range b.tails {
			if t.target == to {
				list = append(list, t.moment.passedOn())
			}
		}
	}
	if len(list) == 0 {
		return m, true
	}
	return all(list)
}

// all is what is known at all of the moments.
func all(list []moment) (m moment, ok bool) {
	if len(list) == 0 {
		return m, false
	}
	for m = list[0]; len(list) > 0; list = list[1:] {
		m = m.and(list[0])
	}
	return m, true
}

// maxCode bounds the code that is searched for jumps.
const maxCode = 32 << 20

// jumpersTo returns the functions that have a jump to another one in them.
func (rs recipes) jumpersTo(image *stack.Image, to uint64) []uint64 {
	key := jumpKey{image, to}
	if list, ok := rs.jumpers[key]; ok {
		return list
	}
	seen := make(map[uint64]bool)
	list := []uint64{}
	image.Code(maxCode, func(address uint64, code []byte) {
		for i := range code {
			if !mayJumpTo(code[i:], to-address-uint64(i)) {
				continue
			}
			f, ok := image.FunctionAt(address + uint64(i))
			if ok && f.Begin >= address && f.Begin != to && !seen[f.Begin] && isInstruction(code[f.Begin-address:i+1]) {
				seen[f.Begin] = true
				list = append(list, f.Begin)
			}
		}
	})
	rs.jumpers[key] = list
	return list
}

// mayJumpTo says whether code begins with the bytes of a jump over a distance from its first byte.
func mayJumpTo(code []byte, distance uint64) bool {
	n, width := 2, 1
	switch b := code[0]; {
	case b == 0xe9: // JMP rel32
		n, width = 5, 4
	case b == 0x0f && len(code) > 1 && code[1]&0xf0 == 0x80: // Jcc rel32
		n, width = 6, 4
	case b == 0xeb || b&0xf0 == 0x70: // JMP, Jcc rel8
	default:
		return false
	}
	if len(code) < n {
		return false
	}
	by := int64(int8(code[n-1]))
	if width == 4 {
		by = int64(int32(binary.LittleEndian.Uint32(code[n-4:])))
	}
	return uint64(n)+uint64(by) == distance
}

// isInstruction says whether an instruction begins at the last byte of code, which begins with a function.
func isInstruction(code []byte) bool {
	last := len(code) - 1
	padded := append(code[:last:last], make([]byte, 16)...) // no instruction has more than 15 bytes
	at := 0
	for at < last {
		inst, err := decode(padded[at:])
		if err != nil {
			return false
		}
		at += inst.Len
	}
	return at == last
}

// coderOf reads the code of functions of an image.
func coderOf(image *stack.Image) coder {
	return func(address uint64) (uint64, []byte, bool) {
		f, ok := image.FunctionAt(address)
		if !ok || f.End-f.Begin > maxFunction {
			return 0, nil, false
		}
		code := make([]byte, f.End-f.Begin)
		return f.Begin, code, image.Read(code, f.Begin)
	}
}

// maxFunction bounds the code of a function that is followed.
const maxFunction = 64 << 10
