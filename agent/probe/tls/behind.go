package tls

import (
	"debug/elf"

	"golang.org/x/arch/x86/x86asm"
)

// spot is where a call is probed: an offset in the file and what is to be known there.
type spot struct {
	offset   uint64
	function uint64 // the address of the function that it is in
	call     call
}

// cheapest returns where to probe a function of a C library so that it costs one trap and not two, and its return none: at an
// instruction that the kernel emulates, which comes before anything happens; or in the function that it is a wrapper of. If there
// is neither, that is its first instruction.
func cheapest(f *elf.File, fn function, c call) spot {
	const enough = 128 // of a prologue, or of a wrapper
	code := codeFrom(f, fn.address, enough)
	if at, here, ok := emulatedEntry(code, c); ok {
		return spot{fn.offset + uint64(at), fn.address, here}
	}
	target, behind, ok := wrapped(code, fn.address, c)
	if !ok {
		return spot{fn.offset, fn.address, c}
	}
	at, behind, ok := emulatedEntry(codeFrom(f, target, enough), behind)
	offset, isCode := fileOffset(f, target)
	if !ok || !isCode {
		return spot{fn.offset, fn.address, c}
	}
	return spot{offset + uint64(at), target, behind}
}

// emulatedEntry looks for an emulated instruction that every call of the function passes with its arguments where they were, but for
// the one that points to the count, and its return address on top of the stack, where a return is probed.
func emulatedEntry(code []byte, c call) (at int, here call, ok bool) {
	for v := atEntry(); at < len(code); {
		if v[rsp].n != 0 || !v.hold(c) {
			return 0, c, false
		}
		if isEmulated(code[at:]) {
			here = c
			if c.countAt != 0 {
				here.countAt = v.countAt(func(x value) bool { return x == value{argument, int64(c.countAt)} })
			}
			return at, here, here.countAt != 0 || c.countAt == 0
		}
		inst, err := decode(code[at:])
		if err != nil || !v.after(inst) {
			return 0, c, false
		}
		at += inst.Len
	}
	return 0, c, false
}

// wrapped returns the function that a wrapper calls with its own session, buffer and length, and which tells the number of bytes
// by a pointer. That is how SSL_read and SSL_read_ex of OpenSSL 1.1.1 and later use ssl_read_internal:
//
//	int SSL_read(SSL *s, void *buf, int num) {
//		size_t n;
//		if (num < 0) { … return -1; }
//		int ret = ssl_read_internal(s, buf, num, &n);
//		if (ret > 0) ret = n;
//		return ret;
//	}
//
// The only jump before the call may be that for a negative length. What the call returns must be used as it is above.
func wrapped(code []byte, address uint64, c call) (target uint64, behind call, ok bool) {
	if c.kind != kindRead && c.kind != kindWrite {
		return 0, c, false
	}
	var last x86asm.Inst
	for v, at := atEntry(), 0; at < len(code); {
		inst, err := decode(code[at:])
		if err != nil {
			return 0, c, false
		}
		at += inst.Len
		if inst.Op == x86asm.CALL {
			to, isNear := inst.Args[0].(x86asm.Rel)
			behind, ok = v.countBehind(c)
			return address + uint64(at) + uint64(int64(to)), behind, isNear && ok && v.hold(c) && returnsThat(code[at:], v, behind, c)
		}
		isCheck := inst.Op == x86asm.JS && last.Op == x86asm.TEST && last.Args[0] == x86asm.EDX && last.Args[1] == x86asm.EDX
		if !isCheck && !v.after(inst) {
			return 0, c, false
		}
		last = inst
	}
	return 0, c, false
}

// countBehind finds the pointer to the count among the arguments of the function behind: the wrapper's own one, or the address of a
// variable of it.
func (v *registers) countBehind(c call) (call, bool) {
	want := func(x value) bool { return x.kind == frame && x.n < 0 && x.n >= v[rsp].n }
	if c.countAt != 0 {
		want = func(x value) bool { return x == value{argument, int64(c.countAt)} }
	}
	c.countAt = v.countAt(want)
	return c, c.countAt != 0
}

// returnsThat looks at what follows the call in a wrapper: the result is tested as a whole, and if the wrapper returns the count, that
// is loaded from where the function behind has put it.
func returnsThat(code []byte, v *registers, behind, wrapper call) bool {
	isTested := false
	for range 4 {
		inst, err := decode(code)
		if err != nil {
			return false
		}
		code = code[inst.Len:]
		to, _, _ := number(inst.Args[0])
		switch inst.Op {
		case x86asm.TEST:
			isTested = inst.Args[0] == x86asm.EAX && inst.Args[1] == x86asm.EAX
			if isTested && wrapper.countAt != 0 {
				return true
			}
		case x86asm.XOR:
			if to == 0 { // the result is lost
				return false
			}
		case x86asm.JLE:
			if !isTested {
				return false
			}
		case x86asm.MOV, x86asm.CMOVG:
			from, ok := inst.Args[1].(x86asm.Mem)
			at := v[map[uint8]int{4: rcx, 5: r8}[behind.countAt]].n
			return isTested && to == 0 && ok && from.Base == x86asm.RSP && from.Index == 0 && v[rsp].n+from.Disp == at
		default:
			return false
		}
	}
	return false
}

// codeFrom reads at most n bytes of code, fewer at the end of a segment.
func codeFrom(f *elf.File, address uint64, n int) []byte {
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && address >= p.Vaddr && address < p.Vaddr+p.Filesz {
			code := make([]byte, min(uint64(n), p.Vaddr+p.Filesz-address))
			if _, err := p.ReadAt(code, int64(address-p.Vaddr)); err != nil {
				return nil
			}
			return code
		}
	}
	return nil
}
