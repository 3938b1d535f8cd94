package stack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// How pointers are encoded in .eh_frame (Linux Standard Base, Core, §10.5.1): a format and what it is relative to.
const (
	absolute8    = 0x00
	unsigned4    = 0x03
	signed4      = 0x0b
	pcRelative   = 0x10
	dataRelative = 0x30
)

var errCutOff = errors.New("the table of calls is cut off")

// description is what .eh_frame says of a function: an FDE with its CIE (Linux Standard Base, Core, §10.6.1).
type description struct {
	Function
	codeAlign    uint64
	dataAlign    int64
	isSignal     bool   // the frame of a signal handler's caller
	initial, own []byte // instructions
}

// reader reads values one after another from bytes at an address. Behind the end all are zero, and it says so.
type reader struct {
	b       []byte
	address uint64
	isShort bool
}

func (r *reader) next(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.isShort, r.b = true, nil
		return make([]byte, min(n, 8))
	}
	b := r.b[:n]
	r.b, r.address = r.b[n:], r.address+n
	return b
}

func (r *reader) byte() byte     { return r.next(1)[0] }
func (r *reader) uint32() uint32 { return binary.LittleEndian.Uint32(r.next(4)) }

// uleb and sleb read LEB128 (DWARF 5, §7.6).
func (r *reader) uleb() (v uint64) {
	for shift := 0; ; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
}

func (r *reader) sleb() (v int64) {
	for shift := 0; ; {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		shift += 7
		if b < 0x80 {
			if b&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v
		}
	}
}

// pointer reads an encoded pointer. It returns false for an encoding that it does not know.
func (r *reader) pointer(encoding byte) (v uint64, ok bool) {
	from := r.address
	switch encoding & 0x0f {
	case absolute8:
		v = binary.LittleEndian.Uint64(r.next(8))
	case unsigned4:
		v = uint64(r.uint32())
	case signed4:
		v = uint64(int64(int32(r.uint32())))
	default:
		return 0, false
	}
	switch encoding & 0x70 {
	case 0:
		return v, true
	case pcRelative:
		return from + v, true
	}
	return 0, false
}

// maxEntry bounds the bytes of one entry of .eh_frame; the largest in OpenSSL have some hundred.
const maxEntry = 64 << 10

// record reads an entry of .eh_frame: its length, then as many bytes.
func (i *Image) record(address uint64) (*reader, error) {
	var head [4]byte
	if !i.Read(head[:], address) {
		return nil, errCutOff
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n < 4 || n > maxEntry {
		return nil, fmt.Errorf("an entry of %d bytes", n)
	}
	b := make([]byte, n)
	if !i.Read(b, address+4) {
		return nil, errCutOff
	}
	return &reader{b: b, address: address + 4}, nil
}

// describe finds what is said of the function at an address.
func (i *Image) describe(address uint64) (description, error) {
	var d description
	at, ok := i.entry(address)
	if !ok {
		return d, fmt.Errorf("no function is known at %#x", address)
	}
	fde, err := i.record(at)
	if err != nil {
		return d, err
	}
	at = fde.address
	back := fde.uint32()
	cie, err := i.record(at - uint64(back))
	if err != nil {
		return d, err
	}
	encoding, isAugmented, err := d.common(cie)
	if err != nil {
		return d, err
	}
	begin, ok := fde.pointer(encoding)
	size, sizeOK := fde.pointer(encoding & 0x0f)
	if isAugmented {
		fde.next(fde.uleb())
	}
	d.Begin, d.End, d.own = begin, begin+size, fde.b
	switch {
	case fde.isShort || cie.isShort:
		return d, errCutOff
	case !ok || !sizeOK:
		return d, fmt.Errorf("addresses in the encoding %#x", encoding)
	case address < d.Begin || address >= d.End:
		return d, fmt.Errorf("no function is known at %#x", address)
	}
	return d, nil
}

// common reads the part that functions have in common, and returns how their addresses are encoded.
func (d *description) common(cie *reader) (encoding byte, isAugmented bool, err error) {
	cie.uint32()
	version := cie.byte()
	end := bytes.IndexByte(cie.b, 0)
	if version != 1 && version != 3 || end < 0 {
		return 0, false, fmt.Errorf("an entry of version %d", version)
	}
	augmentation := cie.next(uint64(end) + 1)[:end]
	d.codeAlign, d.dataAlign = cie.uleb(), cie.sleb()
	returns := uint64(0)
	if version == 1 {
		returns = uint64(cie.byte())
	} else {
		returns = cie.uleb()
	}
	if returns != rip {
		return 0, false, fmt.Errorf("the return address in register %d", returns)
	}
	isAugmented = len(augmentation) > 0
	if isAugmented {
		if augmentation[0] != 'z' {
			return 0, false, fmt.Errorf("the augmentation %q", augmentation)
		}
		n := cie.uleb()
		data := &reader{address: cie.address}
		data.b = cie.next(n)
		for _, c := range augmentation[1:] {
			switch c {
			case 'R':
				encoding = data.byte()
			case 'L':
				data.byte()
			case 'P':
				if _, ok := data.pointer(data.byte() & 0x0f); !ok {
					return 0, false, fmt.Errorf("a personality in an unknown encoding")
				}
			case 'S':
				d.isSignal = true
			case 'B': // AArch64's keys
			default:
				return 0, false, fmt.Errorf("the augmentation %q", augmentation)
			}
		}
		cie.isShort = cie.isShort || data.isShort
	}
	d.initial = cie.b
	return encoding, isAugmented, nil
}

// rule says how to find what a register held in the caller.
type rule struct {
	how ruleKind
	n   int64
}

type ruleKind uint8

const (
	same       ruleKind = iota // it holds that still, if it is one that functions preserve
	undefined                  // nowhere
	saved                      // at n bytes from the canonical frame address
	calculated                 // n bytes from the canonical frame address
	moved                      // in register n
	expressed                  // by a program, which is not run here
)

// row are the rules at one place of a function.
type row struct {
	rules    [registerCount]rule
	base     uint64 // the canonical frame address is offset bytes from this register
	offset   int64
	isByRule bool // it is calculated by a program
}

// maxRemembered bounds the rows that are remembered at a time; compilers remember one.
const maxRemembered = 16

// rowAt runs the instructions of a function up to an address.
func (d *description) rowAt(address uint64) (row, error) {
	var first, now row
	var remembered []row
	at := d.Begin
	for _, r := range []*reader{{b: d.initial}, {b: d.own}} {
		for len(r.b) > 0 {
			op := r.byte()
			low := op & 0x3f
			switch op >> 6 { // DWARF 5, §7.24
			case 1: // DW_CFA_advance_loc
				at += uint64(low) * d.codeAlign
			case 2: // DW_CFA_offset
				now.set(uint64(low), rule{saved, int64(r.uleb()) * d.dataAlign})
			case 3: // DW_CFA_restore
				now.set(uint64(low), first.get(uint64(low)))
			case 0:
				switch low {
				case 0x00: // nop
				case 0x02: // advance_loc1
					at += uint64(r.byte()) * d.codeAlign
				case 0x03: // advance_loc2
					at += uint64(binary.LittleEndian.Uint16(r.next(2))) * d.codeAlign
				case 0x04: // advance_loc4
					at += uint64(r.uint32()) * d.codeAlign
				case 0x0a: // remember_state
					if len(remembered) == maxRemembered {
						return now, fmt.Errorf("more than %d states are remembered", maxRemembered)
					}
					remembered = append(remembered, now)
				case 0x0b: // restore_state
					if len(remembered) == 0 {
						return now, fmt.Errorf("no state is remembered")
					}
					now, remembered = remembered[len(remembered)-1], remembered[:len(remembered)-1]
				default:
					if !now.do(low, r, d.dataAlign, &first) {
						return now, fmt.Errorf("unknown instruction %#x", op)
					}
				}
			}
			if r.isShort {
				return now, errCutOff
			}
			if at > address {
				return now, nil
			}
		}
		first = now
	}
	return now, nil
}

// do runs an instruction that says how to find registers.
func (w *row) do(op byte, r *reader, align int64, first *row) bool {
	switch op {
	case 0x05: // offset_extended
		n := r.uleb()
		w.set(n, rule{saved, int64(r.uleb()) * align})
	case 0x06: // restore_extended
		n := r.uleb()
		w.set(n, first.get(n))
	case 0x07: // undefined
		w.set(r.uleb(), rule{how: undefined})
	case 0x08: // same_value
		w.set(r.uleb(), rule{how: same})
	case 0x09: // register
		n := r.uleb()
		w.set(n, rule{moved, int64(r.uleb())})
	case 0x0c: // def_cfa
		w.base, w.offset, w.isByRule = r.uleb(), int64(r.uleb()), false
	case 0x0d: // def_cfa_register
		w.base = r.uleb()
	case 0x0e: // def_cfa_offset
		w.offset = int64(r.uleb())
	case 0x0f: // def_cfa_expression
		r.next(r.uleb())
		w.isByRule = true
	case 0x10, 0x16: // expression, val_expression
		w.set(r.uleb(), rule{how: expressed})
		r.next(r.uleb())
	case 0x11: // offset_extended_sf
		n := r.uleb()
		w.set(n, rule{saved, r.sleb() * align})
	case 0x12: // def_cfa_sf
		w.base, w.offset, w.isByRule = r.uleb(), r.sleb()*align, false
	case 0x13: // def_cfa_offset_sf
		w.offset = r.sleb() * align
	case 0x14: // val_offset
		n := r.uleb()
		w.set(n, rule{calculated, int64(r.uleb()) * align})
	case 0x15: // val_offset_sf
		n := r.uleb()
		w.set(n, rule{calculated, r.sleb() * align})
	case 0x2e: // GNU_args_size
		r.uleb()
	default:
		return false
	}
	return true
}

// set and get leave out registers that are not followed: vectors.
func (w *row) set(register uint64, to rule) {
	if register < registerCount {
		w.rules[register] = to
	}
}

func (w *row) get(register uint64) rule {
	if register < registerCount {
		return w.rules[register]
	}
	return rule{}
}
