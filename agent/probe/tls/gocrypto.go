package tls

import (
	"bytes"
	"debug/elf"
	"debug/gosym"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/arch/x86/x86asm"
)

// goCalls are the functions of crypto/tls, Go 1.17 or later: before, arguments were passed on the stack. The handshakes
// are those that run once, under HandshakeContext. Read comes before Write: whether its end tells of reads that began before the
// probes decides what a write may assume.
var goCalls = []call{
	{symbol: "crypto/tls.(*Conn).Read", kind: kindRead},
	{symbol: "crypto/tls.(*Conn).Write", kind: kindWrite},
	{symbol: "crypto/tls.(*Conn).clientHandshake", kind: kindHandshake},
	{symbol: "crypto/tls.(*Conn).serverHandshake", kind: kindHandshake},
}

var errOldGo = errors.New("built with Go before 1.17, whose calling convention is not read")

// findGo returns the places to probe in a program written in Go that uses crypto/tls, nil for others. Returns are probed
// at each instruction that returns: a return probe changes the stack, which Go inspects and moves.
func findGo(f *elf.File) (*places, error) {
	table := f.Section(".gopclntab")
	if table == nil {
		table = f.Section(".data.rel.ro.gopclntab") // of position-independent programs
	}
	if table == nil {
		return nil, nil
	}
	pcln, err := table.Data()
	if err != nil {
		return nil, fmt.Errorf("read section %s: %w", table.Name, err)
	}
	if !bytes.Contains(pcln, []byte("\x00crypto/tls.(*Conn).Write\x00")) {
		return nil, nil
	}
	at, err := goFunctions(f, pcln)
	if err != nil {
		return nil, err
	}
	p := &places{library: "go", isGo: true}
	for _, c := range goCalls {
		fn, ok := at[c.symbol]
		if !ok {
			continue // not linked in
		}
		c.isAlone = c.kind == kindWrite && p.readsUnderWay
		if err := p.addGo(f, fn, c); err != nil {
			return nil, fmt.Errorf("find the ends of %s: %w", c.symbol, err)
		}
	}
	return p, nil
}

// addGo adds where to probe one function: behind its check of the stack, if the kernel emulates an instruction there, and where its
// results are known.
func (p *places) addGo(f *elf.File, fn function, c call) error {
	code, err := codeOf(f, fn)
	if err != nil {
		return err
	}
	list, err := instructions(code)
	if err != nil {
		return fmt.Errorf("decode the instructions from %#x: %w", fn.address, err)
	}
	at, _ := goEntry(code) // else its first instruction
	p.enter.add(fn.offset+uint64(at), c.cookie())
	ends := returnsOf(list)
	if len(ends) == 0 {
		return errors.New("it does not return")
	}
	if c.kind == kindRead || c.kind == kindWrite {
		if d, through := findDeferred(f, fn, list, ends); d != nil {
			if c.kind == kindRead {
				d.argumentsAt, p.readsUnderWay = keptArguments(list)
			}
			p.deferred.add(d.offset, d.cookie(c.kind, fn.size))
			ends = slices.DeleteFunc(ends, func(i int) bool { return slices.Contains(through, i) })
		}
	}
	for _, i := range ends {
		p.leave.add(fn.offset+uint64(list[i].at), c.cookie())
	}
	return nil
}

// goFunctions finds the functions by symbol, or in a stripped program by the table that the runtime uses for its stack traces.
func goFunctions(f *elf.File, pcln []byte) (map[string]function, error) {
	names := make([]string, len(goCalls))
	for i, c := range goCalls {
		names[i] = c.symbol
	}
	// Magic numbers of the table: runtime/symtab.go, pcHeader. Go 1.18 and 1.20 changed it.
	if len(pcln) < 4 || pcln[0] == 0xfb || pcln[0] == 0xfa && !hasRegisterABI(f) {
		return nil, errOldGo
	}
	at, err := functions(f, names)
	if err != nil || len(at) > 0 {
		return at, err
	}
	text := f.Section(".text")
	if text == nil {
		return nil, errors.New("no section .text")
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(pcln, text.Addr))
	if err != nil {
		return nil, fmt.Errorf("read the table of functions: %w", err)
	}
	for _, name := range names {
		fn := table.LookupFunc(name)
		if fn == nil {
			continue
		}
		if offset, ok := fileOffset(f, fn.Entry); ok {
			at[name] = function{fn.Entry, offset, fn.End - fn.Entry}
		}
	}
	return at, nil
}

// hasRegisterABI tells Go 1.17 from 1.16, whose tables look alike.
func hasRegisterABI(f *elf.File) bool {
	s := f.Section(".go.buildinfo")
	if s == nil {
		return false
	}
	b, err := s.Data()
	return err == nil && !bytes.Contains(b, []byte("go1.16"))
}

// instruction is one with its place in the code of its function.
type instruction struct {
	at int
	x86asm.Inst
}

func instructions(code []byte) (list []instruction, err error) {
	for at := 0; at < len(code); {
		inst, err := x86asm.Decode(code[at:], 64)
		if err != nil || inst.Len == 0 {
			return nil, fmt.Errorf("the one at +%#x: %w", at, err)
		}
		list = append(list, instruction{at, inst})
		at += inst.Len
	}
	return list, nil
}

// returnsOf returns which instructions return.
func returnsOf(list []instruction) (at []int) {
	for i, inst := range list {
		if inst.Op == x86asm.RET {
			at = append(at, i)
		}
	}
	return at
}

// codeOf reads the instructions of a function.
func codeOf(f *elf.File, fn function) ([]byte, error) {
	const most = 1 << 20 // no function is that long: the table is not what it seems
	if fn.size == 0 || fn.size > most {
		return nil, fmt.Errorf("its length is %d", fn.size)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && fn.address >= p.Vaddr && fn.address+fn.size <= p.Vaddr+p.Filesz {
			code := make([]byte, fn.size)
			if _, err := p.ReadAt(code, int64(fn.address-p.Vaddr)); err != nil {
				return nil, fmt.Errorf("read the code: %w", err)
			}
			return code, nil
		}
	}
	return nil, errors.New("it is in no segment of the file")
}
