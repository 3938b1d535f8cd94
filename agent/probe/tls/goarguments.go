package tls

import "golang.org/x/arch/x86/x86asm"

// keptArguments returns where a function keeps its first two arguments, from its stack pointer, when its frame is made: above the frame,
// where its caller left room for them (Go's internal ABI, "spill space"). They must not change there afterwards.
//
//	push %rbp             since Go 1.21
//	sub  $0x58,%rsp
//	…
//	mov  %rax,0x68(%rsp)
//	mov  %rcx,0x78(%rsp)
//	mov  %rbx,0x70(%rsp)
func keptArguments(list []instruction) (at uint16, ok bool) {
	above := int64(wordSize) // the return address
	kept := map[x86asm.Arg]int64{}
	i := 0
	for ; i < len(list) && len(kept) < 2; i++ {
		inst := list[i]
		changed, _, isRegister := number(inst.Args[0])
		n, isNumber := inst.Args[1].(x86asm.Imm)
		to, isStack := onStack(inst.Args[0])
		switch {
		case inst.Op == x86asm.CALL || inst.Op == x86asm.RET:
			return 0, false
		case inst.Op == x86asm.PUSH:
			above += wordSize
		case inst.Op == x86asm.SUB && isNumber && isRegister && changed == rsp:
			above += int64(n)
		case inst.Op == x86asm.MOV && isStack && (inst.Args[1] == x86asm.RAX || inst.Args[1] == x86asm.RBX):
			kept[inst.Args[1]] = to
		case inst.Op != x86asm.CMP && inst.Op != x86asm.TEST && isRegister && (changed == rax || changed == rbx):
			return 0, false // it is another value now
		}
	}
	if len(kept) < 2 || kept[x86asm.RAX] != above || kept[x86asm.RBX] != above+wordSize || above >= 1<<16 {
		return 0, false
	}
	for _, inst := range list[i:] {
		to, isStack := onStack(inst.Args[0])
		isStore := inst.Op != x86asm.CMP && inst.Op != x86asm.TEST
		if isStack && isStore && to > above-2*wordSize && to < above+2*wordSize { // the widest store has two words
			return 0, false
		}
	}
	return uint16(above), true
}
