package probe

import (
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// TestCallStacksFit adds up what the functions of each program need on the stack along every chain of calls. Kernels before 6.13 allow 512 bytes
// for all of them together, each rounded up to 32 (kernel/bpf/verifier.c, check_max_stack_depth), whatever this kernel allows.
func TestCallStacksFit(t *testing.T) {
	const limit = 512
	for _, object := range []string{"socket", "syscall", "tls", "process", "flows"} {
		spec, err := openObject(object)
		if err != nil {
			t.Fatal(err)
		}
		for name, program := range spec.Programs {
			need, calls := frames(program)
			if len(need) == 0 {
				t.Fatalf("%s: no functions: the test is void", name)
			}
			total, chain := deepest(program.Instructions[0].Symbol(), need, calls)
			if total > limit {
				t.Errorf("%s of object %s may need %d bytes of stack, %d are allowed: %v", name, object, total, limit, chain)
			}
		}
	}
}

// frames returns the bytes of stack that each function of a program uses, and which functions it calls.
func frames(p *ebpf.ProgramSpec) (need map[string]int, calls map[string][]string) {
	need, calls = make(map[string]int), make(map[string][]string)
	var fn string
	var isFrame [11]bool // registers that hold the frame pointer, as it is
	for _, ins := range p.Instructions {
		if s := ins.Symbol(); s != "" {
			fn, need[s] = s, max(need[s], 1)
			isFrame = [11]bool{}
		}
		class := ins.OpCode.Class()
		switch {
		case ins.IsFunctionCall():
			calls[fn] = append(calls[fn], ins.Reference())
		case class.IsALU() && ins.OpCode.ALUOp() == asm.Mov && ins.OpCode.Source() == asm.RegSource:
			isFrame[ins.Dst] = ins.Src == asm.R10
		case class.IsALU() && ins.OpCode.ALUOp() == asm.Add && ins.OpCode.Source() == asm.ImmSource && isFrame[ins.Dst]:
			need[fn] = max(need[fn], int(-ins.Constant))
			isFrame[ins.Dst] = false
		case class.IsStore() && ins.Dst == asm.R10, class.IsLoad() && ins.Src == asm.R10:
			need[fn] = max(need[fn], int(-ins.Offset))
		}
	}
	return need, calls
}

// deepest returns the chain of calls from a function on that needs most.
func deepest(fn string, need map[string]int, calls map[string][]string) (total int, chain []string) {
	for _, called := range calls[fn] {
		if n, c := deepest(called, need, calls); n > total {
			total, chain = n, c
		}
	}
	return total + (need[fn]+31)/32*32, append([]string{fn}, chain...)
}
