package tls

import (
	"debug/elf"
	"slices"

	"golang.org/x/arch/x86/x86asm"
)

// goEntry looks for an emulated instruction that every call of a Go function passes with its arguments, its goroutine and the stack as at
// its start: the push of the frame pointer, or the jump for a stack that is too small. A call whose stack has to grow passes the
// latter twice.
//
//	cmp 0x10(%r14),%rsp   or   lea -n(%rsp),%r12; cmp 0x10(%r14),%r12
//	jbe …
//	push %rbp             since Go 1.21; before, sub $n,%rsp
func goEntry(code []byte) (at int, ok bool) {
	const r12, r13 = 12, 13
	for i := 0; i < len(code); {
		inst, err := x86asm.Decode(code[i:], 64)
		if err != nil {
			break
		}
		to, _, _ := number(inst.Args[0])
		switch {
		case inst.Op == x86asm.PUSH && isEmulated(code[i:]):
			return i, true
		case (inst.Op == x86asm.JBE || inst.Op == x86asm.JB) && isEmulated(code[i:]):
			at, ok = i, true
		case inst.Op == x86asm.CMP:
		case (inst.Op == x86asm.LEA || inst.Op == x86asm.MOV || inst.Op == x86asm.SUB) && (to == r12 || to == r13):
		default:
			return at, ok
		}
		i += inst.Len
	}
	return at, ok
}

// deferred is a function that another one defers, as a place to learn of the end of that other one.
type deferred struct {
	offset      uint64 // of an emulated instruction of it, before it makes its frame
	resultAt    uint16 // where the first result is by then, from the stack pointer of the function that defers
	argumentsAt uint16 // the same of its first two arguments; 0: not known
	back        int64  // from the start of the function that defers to the emulated instruction
}

// wordSize is what everything on the stack is aligned to, in bytes.
const wordSize = 8

// cookie tells the kernel side where to look: COOKIE_DEFERRED_KIND and those behind it in bpf/tls.bpf.c.
func (d *deferred) cookie(kind uint8, size uint64) uint64 {
	return uint64(kind) | uint64(d.resultAt/wordSize)<<3 | uint64(d.argumentsAt/wordSize)<<16 | size<<29 | uint64(d.back)<<45
}

// fits says whether the cookie has the bits for all that.
func (d *deferred) fits(size uint64) bool {
	return d.resultAt%wordSize == 0 && size < 1<<16 && d.back == d.back<<45>>45
}

// findDeferred looks for a function that fn defers and that most of its returns run at their very end, and says which returns those
// are. Go compiles `defer c.in.Unlock()` to a function that is kept in a variable, and a return that runs it to
//
//	mov %rcx,0x20(%rsp)      the results
//	mov 0x50(%rsp),%rdx      the variable
//	mov (%rdx),%rax
//	call *%rax
//	mov 0x20(%rsp),%rax      the results again
//	…
//	add $0x58,%rsp
//	pop %rbp
//	ret
//
// It returns nil if there is none, for any compiler that does it another way.
func findDeferred(f *elf.File, fn function, list []instruction, ends []int) (best *deferred, through []int) {
	targets := jumpTargets(list)
	isCode := func(address uint64) bool { _, ok := fileOffset(f, address); return ok }
	for slot, address := range closures(fn.address, list, isCode) {
		var d deferred
		var passing []int
		for _, end := range ends {
			resultAt, ok := runsBefore(list, end, slot, targets)
			if !ok {
				continue
			}
			if len(passing) > 0 && resultAt != d.resultAt {
				passing = nil
				break
			}
			d.resultAt, passing = resultAt, append(passing, end)
		}
		at, ok := goEntry(codeFrom(f, address, 64))
		offset, _ := fileOffset(f, address)
		d.offset, d.back = offset+uint64(at), int64(address)+int64(at)-int64(fn.address)
		if ok && len(passing) > len(through) && d.fits(fn.size) {
			best, through = &d, passing
		}
	}
	return best, through
}

// jumpTargets returns where jumps within a function lead to.
func jumpTargets(list []instruction) map[int]bool {
	targets := make(map[int]bool)
	for _, inst := range list {
		if to, ok := inst.Args[0].(x86asm.Rel); ok && inst.Op != x86asm.CALL {
			targets[inst.at+inst.Len+int(to)] = true
		}
	}
	return targets
}

// onStack returns where a variable is from the stack pointer, and whether that is what the argument is.
func onStack(a x86asm.Arg) (int64, bool) {
	m, ok := a.(x86asm.Mem)
	return m.Disp, ok && m.Base == x86asm.RSP && m.Index == 0
}

// closures returns the functions that code keeps in variables, by the variable: the address of the function is put into a structure
// on the stack, and the address of that into the variable.
func closures(begin uint64, list []instruction, isCode func(address uint64) bool) map[int64]uint64 {
	const near = 16 // instructions for all that; it takes 6 to 10
	found := make(map[int64]uint64)
	for i, inst := range list {
		m, ok := inst.Args[1].(x86asm.Mem)
		if inst.Op != x86asm.LEA || !ok || m.Base != x86asm.RIP {
			continue
		}
		address := begin + uint64(inst.at+inst.Len) + uint64(m.Disp)
		if !isCode(address) {
			continue
		}
		rest := list[i+1 : min(i+1+near, len(list))]
		closure, rest, ok := stored(rest, inst.Args[0])
		if !ok {
			continue
		}
		j := slices.IndexFunc(rest, func(x instruction) bool {
			at, ok := onStack(x.Args[1])
			return x.Op == x86asm.LEA && ok && at == closure
		})
		if j < 0 {
			continue
		}
		if slot, _, ok := stored(rest[j+1:], rest[j].Args[0]); ok {
			found[slot] = address
		}
	}
	return found
}

// stored returns where on the stack a register is stored before it is used for something else, and what follows.
func stored(list []instruction, register x86asm.Arg) (at int64, rest []instruction, ok bool) {
	for i, inst := range list {
		if at, ok := onStack(inst.Args[0]); ok && inst.Op == x86asm.MOV && inst.Args[1] == register {
			return at, list[i+1:], true
		}
		if inst.Args[0] == register || inst.Op == x86asm.CALL || inst.Op == x86asm.RET {
			return 0, nil, false
		}
	}
	return 0, nil, false
}

// runsBefore says whether a return runs the function in the variable slot without any way around it, and where the first result, which
// ends in rax, is at that time.
func runsBefore(list []instruction, end int, slot int64, targets map[int]bool) (resultAt uint16, ok bool) {
	begin := -1
	for i := end - 1; i >= 0 && begin < 0; i-- {
		switch inst := list[i]; inst.Op {
		case x86asm.MOV, x86asm.ADD, x86asm.POP, x86asm.NOP, x86asm.XCHG: // XCHG: nops of two bytes
		case x86asm.CALL:
			if _, isDirect := inst.Args[0].(x86asm.Rel); isDirect {
				return 0, false
			}
		default:
			return 0, false
		}
		if at, ok := onStack(list[i].Args[1]); ok && at == slot && list[i].Op == x86asm.MOV && callsLoaded(list[i:end]) {
			begin = i
		}
	}
	if begin < 0 {
		return 0, false
	}
	at, loaded := int64(-1), false
	for _, inst := range list[begin+1 : end+1] {
		if targets[inst.at] {
			return 0, false // something jumps behind the call
		}
		if from, ok := onStack(inst.Args[1]); ok && inst.Op == x86asm.MOV && inst.Args[0] == x86asm.RAX {
			at, loaded = from, true
		} else if to, _, ok := number(inst.Args[0]); ok && to == 0 && inst.Op != x86asm.CALL && inst.Op != x86asm.XCHG {
			loaded = false // rax is something else now
		}
	}
	for _, inst := range list[begin:end] {
		if to, ok := onStack(inst.Args[0]); ok && to == at {
			return 0, false // the result changes after it
		}
	}
	return uint16(at), loaded && at >= 0 && at < 1<<16
}

// callsLoaded says whether code loads a variable, then what it points to, and calls that.
func callsLoaded(list []instruction) bool {
	holder, pointed := list[0].Args[0], x86asm.Arg(nil)
	for _, inst := range list[1:] {
		m, isMemory := inst.Args[1].(x86asm.Mem)
		switch {
		case inst.Op == x86asm.MOV && isMemory && m.Base == holder && m.Index == 0 && m.Disp == 0:
			pointed = inst.Args[0]
		case inst.Op == x86asm.CALL:
			return pointed != nil && inst.Args[0] == pointed
		case inst.Args[0] == holder || pointed != nil && inst.Args[0] == pointed && inst.Op != x86asm.XCHG:
			return false
		}
	}
	return false
}
