package tls

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// function is a function of a file: where its first instruction is, in the address space of the file and in the file.
type function struct {
	address, offset, size uint64
}

// functions looks for functions by name in the symbol tables of a file. Names that are not there are missing in the
// answer. It reads the tables as they are, because a big program has hundreds of thousands of symbols.
func functions(f *elf.File, names []string) (map[string]function, error) {
	found := make(map[string]function)
	for _, s := range f.Sections {
		if s.Type != elf.SHT_DYNSYM && s.Type != elf.SHT_SYMTAB || int(s.Link) >= len(f.Sections) {
			continue
		}
		symbols, err := s.Data()
		if err != nil {
			return nil, fmt.Errorf("read section %s: %w", s.Name, err)
		}
		text, err := f.Sections[s.Link].Data()
		if err != nil {
			return nil, fmt.Errorf("read section %s: %w", f.Sections[s.Link].Name, err)
		}
		if wanted := namesIn(text, names); len(wanted) > 0 {
			findSymbols(f, symbols, wanted, found)
		}
	}
	return found, nil
}

// namesIn returns where in a string table the names are; none for most files, whose symbols need no look then.
func namesIn(text []byte, names []string) map[uint32]string {
	wanted := make(map[uint32]string)
	for _, name := range names {
		z := append([]byte(name), 0)
		for from := 0; ; {
			i := bytes.Index(text[from:], z) // also as the end of a longer name, which tables share
			if i < 0 {
				break
			}
			wanted[uint32(from+i)] = name
			from += i + 1
		}
	}
	return wanted
}

// findSymbols goes through a table of Elf64_Sym (System V ABI, "Symbol Table").
func findSymbols(f *elf.File, symbols []byte, wanted map[uint32]string, found map[string]function) {
	for ; len(symbols) >= elf.Sym64Size; symbols = symbols[elf.Sym64Size:] {
		name, ok := wanted[binary.LittleEndian.Uint32(symbols)]
		value := binary.LittleEndian.Uint64(symbols[8:])
		if !ok || value == 0 || elf.ST_TYPE(symbols[4]) != elf.STT_FUNC {
			continue
		}
		if offset, ok := fileOffset(f, value); ok {
			found[name] = function{value, offset, binary.LittleEndian.Uint64(symbols[16:])}
		}
	}
}

// fileOffset says where in the file an address is.
func fileOffset(f *elf.File, address uint64) (uint64, bool) {
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && address >= p.Vaddr && address < p.Vaddr+p.Filesz {
			return address - p.Vaddr + p.Off, true
		}
	}
	return 0, false
}
