package tls

import (
	"maps"

	"golang.org/x/arch/x86/x86asm"
)

// moment is what is known at one place of a function of what it was called with: in registers, and in its frame, by the distance
// from where the stack pointer was at the first instruction.
type moment struct {
	registers registers
	kept      map[int64]value
}

// called is the moment at the first instruction.
func called() moment { return moment{registers: *atEntry()} }

// passedOn is the moment at the first instruction of a function that another one calls, or jumps to, at this moment.
func (m moment) passedOn() moment {
	next := moment{registers: registers{rsp: {frame, 0}}}
	for _, r := range []int{rdi, rsi, rdx, rcx, r8, r9} {
		if v := m.registers[r]; v.kind == argument {
			next.registers[r] = v
		}
	}
	return next
}

// and is what is known at a place that two ways lead to.
func (m moment) and(other moment) moment {
	for r := range m.registers {
		if m.registers[r] != other.registers[r] {
			m.registers[r] = value{}
		}
	}
	m.kept = maps.Clone(m.kept)
	maps.DeleteFunc(m.kept, func(at int64, v value) bool { return other.kept[at] != v })
	return m
}

func (m moment) equal(other moment) bool {
	return m.registers == other.registers && maps.Equal(m.kept, other.kept)
}

// isPreserved says whether a function gives a register back as it was (System V ABI, "Function Calling Sequence").
func isPreserved(r int) bool { return r == rbx || r == rsp || r == rbp || r >= 12 }

// where says where in the frame an operand is; false if it is elsewhere, or that is not known.
func (m *moment) where(a x86asm.Arg) (at int64, ok bool) {
	mem, isMemory := a.(x86asm.Mem)
	if !isMemory || mem.Segment != 0 || mem.Index != 0 {
		return 0, false
	}
	base, isWhole, isRegister := number(mem.Base)
	if !isRegister || !isWhole || m.registers[base].kind != frame {
		return 0, false
	}
	return m.registers[base].n + mem.Disp, true
}

// store notes that n bytes of the frame are something else now.
func (m *moment) store(at int64, n int, v value) {
	maps.DeleteFunc(m.kept, func(other int64, _ value) bool { return other+wordSize > at && other < at+int64(n) })
	if n == wordSize && v.kind != unknown {
		if m.kept == nil {
			m.kept = make(map[int64]value)
		}
		m.kept[at] = v
	}
}

// held is what an operand of 8 bytes holds.
func (m *moment) held(a x86asm.Arg) value {
	if r, isWhole, ok := number(a); ok && isWhole {
		return m.registers[r]
	}
	if at, ok := m.where(a); ok {
		return m.kept[at]
	}
	return value{}
}

// after makes of the moment before an instruction the one after it. What the instruction changes in a way that is not followed is
// not known afterwards.
func (m moment) after(inst x86asm.Inst) moment {
	m.kept = maps.Clone(m.kept)
	sp := &m.registers[rsp]
	by, isNumber := inst.Args[1].(x86asm.Imm)
	to, isWhole, isRegister := number(inst.Args[0])
	switch inst.Op {
	case x86asm.TEST, x86asm.CMP, x86asm.NOP, x86asm.RET:
		return m
	case x86asm.PUSH:
		v := m.held(inst.Args[0])
		sp.n -= wordSize
		m.store(sp.n, wordSize, v)
		return m
	case x86asm.POP:
		v := m.kept[sp.n]
		sp.n += wordSize
		if isRegister {
			m.registers[to] = v
		}
		return m
	case x86asm.LEAVE:
		*sp = m.registers[rbp]
		m.registers[rbp] = m.kept[sp.n]
		sp.n += wordSize
		return m
	case x86asm.CALL:
		for r := range m.registers {
			if !isPreserved(r) {
				m.registers[r] = value{}
			}
		}
		return m
	case x86asm.SUB, x86asm.ADD:
		if isRegister && isWhole && isNumber && m.registers[to].kind == frame {
			if inst.Op == x86asm.SUB {
				by = -by
			}
			m.registers[to].n += int64(by)
			return m
		}
	case x86asm.XCHG, x86asm.XADD, x86asm.CMPXCHG:
		if other, _, ok := number(inst.Args[1]); ok {
			m.registers[other] = value{}
		}
		m.registers[rax] = value{}
	case x86asm.CPUID:
		for _, r := range []int{rax, rbx, rcx, rdx} {
			m.registers[r] = value{}
		}
	case x86asm.MOV, x86asm.LEA:
		held := value{}
		if at, ok := m.where(inst.Args[1]); ok && inst.Op == x86asm.LEA {
			held = value{frame, at}
		} else if inst.Op == x86asm.MOV {
			held = m.held(inst.Args[1])
		}
		if isRegister && isWhole {
			m.registers[to] = held
			return m
		}
		if at, ok := m.where(inst.Args[0]); ok {
			m.store(at, inst.MemBytes, held)
			return m
		}
	case x86asm.MUL, x86asm.IMUL, x86asm.DIV, x86asm.IDIV, x86asm.CDQ, x86asm.CQO, x86asm.CWDE, x86asm.CDQE, x86asm.RDTSC, x86asm.XGETBV:
		m.registers[rax], m.registers[rdx] = value{}, value{}
	case x86asm.MOVSB, x86asm.MOVSW, x86asm.MOVSD, x86asm.MOVSQ, x86asm.STOSB, x86asm.STOSW, x86asm.STOSD, x86asm.STOSQ,
		x86asm.CMPSB, x86asm.SCASB, x86asm.LODSB:
		for _, r := range []int{rax, rcx, rsi, rdi} {
			m.registers[r] = value{}
		}
	}
	if isRegister {
		m.registers[to] = value{}
	}
	if at, ok := m.where(inst.Args[0]); ok {
		m.store(at, max(inst.MemBytes, 1), value{})
	}
	return m
}

// coder returns the code of the function, or the piece of one, that has an address in it.
type coder func(address uint64) (begin uint64, code []byte, ok bool)

// body is the code of a function, followed along all its ways from a given moment on.
type body struct {
	pieces []piece
	before map[uint64]moment      // by the address of an instruction
	list   map[uint64]x86asm.Inst // the instructions on these ways
	tails  []tail
}

// piece is a range of code. What is rarely done of a function, compilers put far from the rest of it.
type piece struct {
	begin uint64
	code  []byte
}

// tail is a jump out of a function whose frame is gone: another function returns in its place.
type tail struct {
	target uint64 // 0: not known
	moment moment
}

// Bounds of one function: how often an instruction is looked at, and in how many pieces it is.
const (
	maxSteps  = 1 << 16
	maxPieces = 4
)

// follow goes all ways through a function. It returns false if it cannot tell where all of them lead.
func follow(read coder, begin uint64, entry moment) (*body, bool) {
	b := &body{before: map[uint64]moment{begin: entry}, list: make(map[uint64]x86asm.Inst)}
	if !b.add(read, begin) || b.pieces[0].begin != begin {
		return nil, false
	}
	todo := []uint64{begin}
	reach := func(address uint64, m moment) {
		old, known := b.before[address]
		if known {
			if m = old.and(m); m.equal(old) {
				return
			}
		}
		b.before[address] = m
		todo = append(todo, address)
	}
	for steps := 0; len(todo) > 0; steps++ {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		inst, err := decode(b.from(at))
		if err != nil || steps == maxSteps || b.before[at].registers[rsp].kind != frame {
			return nil, false
		}
		b.list[at] = inst
		m, next := b.before[at].after(inst), at+uint64(inst.Len)
		to, isJump, isAlways := jump(inst, next)
		switch {
		case !isJump || m.registers[rsp].n == 0 && len(b.from(to)) == 0:
		case to != 0 && (len(b.from(to)) > 0 || b.add(read, to)):
			reach(to, m)
		default:
			return nil, false // a table of jumps, or more pieces than are followed
		}
		if !isAlways && len(b.from(next)) > 0 {
			reach(next, m)
		}
	}
	for at, inst := range b.list {
		if to, isJump, _ := jump(inst, at+uint64(inst.Len)); isJump && len(b.from(to)) == 0 {
			b.tails = append(b.tails, tail{to, b.before[at]})
		}
	}
	return b, true
}

// add makes the piece with an address in it one of the function.
func (b *body) add(read coder, address uint64) bool {
	begin, code, ok := read(address)
	if ok {
		b.pieces = append(b.pieces, piece{begin, code})
	}
	return ok && len(b.pieces) <= maxPieces
}

// from returns the code at an address to the end of its piece; none if that is not of the function.
func (b *body) from(address uint64) []byte {
	for _, p := range b.pieces {
		if address-p.begin < uint64(len(p.code)) {
			return p.code[address-p.begin:]
		}
	}
	return nil
}

// jump says whether an instruction goes elsewhere than to the next one: where to (0: not known), or nowhere; and whether it always does.
func jump(inst x86asm.Inst, next uint64) (to uint64, isJump, isAlways bool) {
	switch inst.Op {
	case x86asm.RET, x86asm.UD2, x86asm.HLT:
		return 0, false, true
	case x86asm.JMP:
		isAlways = true
	case x86asm.JA, x86asm.JAE, x86asm.JB, x86asm.JBE, x86asm.JCXZ, x86asm.JE, x86asm.JECXZ, x86asm.JG, x86asm.JGE, x86asm.JL, x86asm.JLE,
		x86asm.JNE, x86asm.JNO, x86asm.JNP, x86asm.JNS, x86asm.JO, x86asm.JP, x86asm.JRCXZ, x86asm.JS:
	default:
		return 0, false, false
	}
	if by, isNear := inst.Args[0].(x86asm.Rel); isNear {
		to = next + uint64(int64(by))
	}
	return to, true, isAlways
}

// callBefore returns the call that ends at an address, with the moment before it.
func (b *body) callBefore(address uint64) (inst x86asm.Inst, m moment, ok bool) {
	for n := uint64(2); n <= 8; n++ { // the shortest and longest forms of a call
		inst, ok := b.list[address-n]
		if ok && inst.Op == x86asm.CALL && inst.Len == int(n) {
			return inst, b.before[address-n], true
		}
	}
	return x86asm.Inst{}, moment{}, false
}
