package stack

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"sort"
)

// maxTable bounds the bytes of a table of functions that are kept: of a program with two million of them.
const maxTable = 16 << 20

// Image is a file of code: what is where, and how its functions use the stack.
type Image struct {
	file  *os.File
	progs []*elf.Prog
	// table is the binary search table of .eh_frame_hdr, pairs of the distances from base to a function and to its entry in
	// .eh_frame (Linux Standard Base, Core, §10.6.2).
	table []byte
	base  uint64
}

// Function is where the code of a function is, as the file numbers addresses. A function may be in several pieces.
type Function struct {
	Begin, End uint64
}

// OpenImage reads the tables of a file, which belongs to the image from then on.
func OpenImage(file *os.File) (*Image, error) {
	f, err := elf.NewFile(file)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("read %s: %w", file.Name(), err)
	}
	i := &Image{file: file, progs: f.Progs}
	if err := i.openTable(); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("read the table of functions of %s: %w", file.Name(), err)
	}
	return i, nil
}

// Close ends the use of an image.
func (i *Image) Close() { _ = i.file.Close() }

func (i *Image) openTable() error {
	for _, p := range i.progs {
		if p.Type != elf.PT_GNU_EH_FRAME {
			continue
		}
		header := make([]byte, 12)
		if p.Filesz < 12 || p.Filesz > maxTable {
			return fmt.Errorf("a size of %d bytes", p.Filesz)
		}
		if _, err := p.ReadAt(header, 0); err != nil {
			return err
		}
		// version 1; a pointer that is not used here; how many, in 4 bytes; pairs of 4 bytes from the table's own address
		if header[0] != 1 || header[1] != pcRelative|signed4 || header[2] != unsigned4 || header[3] != dataRelative|signed4 {
			return fmt.Errorf("unknown encoding % x", header[:4])
		}
		n := uint64(binary.LittleEndian.Uint32(header[8:]))
		if 12+8*n > p.Filesz {
			return fmt.Errorf("%d functions in %d bytes", n, p.Filesz)
		}
		i.base, i.table = p.Vaddr, make([]byte, 8*n)
		_, err := p.ReadAt(i.table, 12)
		return err
	}
	return fmt.Errorf("there is none")
}

// entry returns the address of the entry in .eh_frame of the function that may have the address in it.
func (i *Image) entry(address uint64) (uint64, bool) {
	at := func(k int) uint64 { return i.base + uint64(int64(int32(binary.LittleEndian.Uint32(i.table[4*k:])))) }
	n := sort.Search(len(i.table)/8, func(k int) bool { return at(2*k) > address })
	if n == 0 {
		return 0, false
	}
	return at(2*n - 1), true
}

// Read fills b with what the file has at an address. It returns false where that is not in the file.
func (i *Image) Read(b []byte, address uint64) bool {
	for _, p := range i.progs {
		if p.Type == elf.PT_LOAD && address >= p.Vaddr && address-p.Vaddr < p.Filesz {
			if p.Filesz-(address-p.Vaddr) < uint64(len(b)) {
				return false
			}
			_, err := p.ReadAt(b, int64(address-p.Vaddr))
			return err == nil
		}
	}
	return false
}

// Address says which address an offset in the file has.
func (i *Image) Address(offset uint64) (uint64, bool) {
	for _, p := range i.progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && offset >= p.Off && offset-p.Off < p.Filesz {
			return p.Vaddr + offset - p.Off, true
		}
	}
	return 0, false
}

// FunctionAt returns the function that has an address in it.
func (i *Image) FunctionAt(address uint64) (Function, bool) {
	e, err := i.describe(address)
	return e.Function, err == nil
}

// Code yields the code of the file, in pieces with the address of each. They are at most a given size.
func (i *Image) Code(max uint64, yield func(address uint64, code []byte)) {
	for _, p := range i.progs {
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_X == 0 || p.Filesz > max {
			continue
		}
		b := make([]byte, p.Filesz)
		if _, err := p.ReadAt(b, 0); err == nil {
			yield(p.Vaddr, b)
		}
	}
}
