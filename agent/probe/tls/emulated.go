package tls

import "golang.org/x/arch/x86/x86asm"

// isEmulated says whether the kernel itself carries out the first instruction of code when it is probed. It does so for short and
// near jumps, near calls, a plain nop and pushes of registers (arch/x86/kernel/uprobes.c, branch_setup_xol_ops and
// push_setup_xol_ops). All others it lets the processor execute elsewhere, single-stepped: a second trap, which is much dearer
// than the first one where a hypervisor takes it.
func isEmulated(code []byte) bool {
	if len(code) == 0 {
		return false
	}
	switch b := code[0]; {
	case b >= 0x50 && b <= 0x57, // push
		b >= 0x70 && b <= 0x7f,                     // jcc rel8
		b == 0x90, b == 0xe8, b == 0xe9, b == 0xeb: // nop, call rel32, jmp rel32, jmp rel8
		return true
	case b == 0x41 && len(code) > 1: // push of r8 to r15
		return code[1] >= 0x50 && code[1] <= 0x57
	case b == 0x0f && len(code) > 1: // jcc rel32
		return code[1]&0xf0 == 0x80
	}
	return false
}

// value is what a register is known to hold within a function.
type value struct {
	kind valueKind
	n    int64
}

type valueKind uint8

const (
	unknown  valueKind = iota
	argument           // the function's argument n, from 1
	frame              // the address n bytes from where the stack pointer was at the first instruction
)

// registers are what is known of the registers, by their number in instructions (rax 0, rcx 1, …, r15 15).
type registers [16]value

const (
	rax = 0
	rcx = 1
	rdx = 2
	rbx = 3
	rsp = 4
	rsi = 6
	rdi = 7
	rbp = 5
	r8  = 8
	r9  = 9
)

// atEntry is what registers hold at the first instruction of a C function (System V ABI, "Parameter Passing").
func atEntry() *registers {
	return &registers{
		rdi: {argument, 1}, rsi: {argument, 2}, rdx: {argument, 3}, rcx: {argument, 4}, r8: {argument, 5}, rsp: {frame, 0},
	}
}

// number returns the number of a general register and whether all 64 bits are meant.
func number(a x86asm.Arg) (n int, isWhole, ok bool) {
	r, isReg := a.(x86asm.Reg)
	switch {
	case !isReg:
		return 0, false, false
	case r >= x86asm.RAX && r <= x86asm.R15:
		return int(r - x86asm.RAX), true, true
	case r >= x86asm.EAX && r <= x86asm.R15L:
		return int(r - x86asm.EAX), false, true
	case r >= x86asm.AX && r <= x86asm.R15W:
		return int(r - x86asm.AX), false, true
	case r >= x86asm.SPB && r <= x86asm.R15B:
		return int(r-x86asm.SPB) + rsp, false, true
	case r >= x86asm.AL && r <= x86asm.BH:
		return int(r-x86asm.AL) & 3, false, true
	}
	return 0, false, false
}

// after makes of the registers before an instruction those after it. It returns false if it does not know the instruction, or if
// another one need not follow.
func (v *registers) after(inst x86asm.Inst) bool {
	switch inst.Op {
	case x86asm.TEST, x86asm.CMP, x86asm.NOP:
		return true
	case x86asm.PUSH:
		v[rsp].n -= 8
		return true
	case x86asm.MOV, x86asm.MOVSXD, x86asm.LEA, x86asm.SUB, x86asm.XOR, x86asm.MOVZX:
	default:
		return false
	}
	to, isWhole, ok := number(inst.Args[0])
	if !ok {
		_, isMemory := inst.Args[0].(x86asm.Mem)
		return isMemory
	}
	if to == rsp {
		by, ok := inst.Args[1].(x86asm.Imm)
		v[rsp].n -= int64(by)
		return ok && isWhole && inst.Op == x86asm.SUB
	}
	held := value{}
	from, fromWhole, isReg := number(inst.Args[1])
	memory, _ := inst.Args[1].(x86asm.Mem)
	switch {
	case inst.Op == x86asm.MOV && isReg && isWhole && fromWhole, inst.Op == x86asm.MOVSXD && isReg && isWhole:
		held = v[from] // an int that was checked not to be negative is the same number of 64 bits
	case inst.Op == x86asm.LEA && isWhole && memory.Base == x86asm.RSP && memory.Index == 0:
		held = value{frame, v[rsp].n + memory.Disp}
	}
	v[to] = held
	return true
}

// countAt returns which argument, to a function that is called now, is the value; 0: none.
func (v *registers) countAt(want func(value) bool) uint8 {
	for _, at := range []struct{ register, argument int }{{rcx, 4}, {r8, 5}} {
		if want(v[at.register]) {
			return uint8(at.argument)
		}
	}
	return 0
}

// hold says whether the session, and the buffer and its length of a call that has them, are where a function finds its arguments.
func (v *registers) hold(c call) bool {
	return v[rdi] == value{argument, 1} &&
		(c.kind != kindRead && c.kind != kindWrite || v[rsi] == value{argument, 2} && v[rdx] == value{argument, 3})
}

// decode reads the instruction at the start of code. ENDBR64, which x86asm may not know, is a nop to a program.
func decode(code []byte) (x86asm.Inst, error) {
	if len(code) >= 4 && [4]byte(code) == [4]byte{0xf3, 0x0f, 0x1e, 0xfa} {
		return x86asm.Inst{Op: x86asm.NOP, Len: 4}, nil
	}
	return x86asm.Decode(code, 64)
}
