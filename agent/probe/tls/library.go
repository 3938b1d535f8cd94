package tls

import (
	"debug/elf"
	"slices"
)

// library describes the functions of a TLS library for C programs.
type library struct {
	name  string
	needs []string // it is this library if it has these
	calls []call
	free  string // function that gives a session's memory back
}

// call is a function that moves plain text, or shakes hands. Its first arguments are a session, a buffer and a length.
type call struct {
	symbol  string
	kind    uint8
	isAlone bool  // no other call of its session may be under way
	countAt uint8 // number of the argument, from 1, that points to how many bytes were moved; 0: it returns that
}

// The kinds of calls, enum tls_kind of bpf/include/tls.h.
const (
	kindRead      = 1
	kindWrite     = 2
	kindHandshake = 3
)

// cookie tells the kernel side what a probed function does.
func (c call) cookie() uint64 {
	cookie := uint64(c.kind) | uint64(c.countAt)<<8
	if c.isAlone {
		cookie |= 1 << 16
	}
	return cookie
}

func (l *library) symbols() []string {
	names := append([]string{l.free}, l.needs...)
	for _, c := range l.calls {
		names = append(names, c.symbol)
	}
	return names
}

// find returns the places to probe, nil if the file is not this library.
func (l *library) find(f *elf.File) (*places, error) {
	at, err := functions(f, l.symbols())
	if err != nil {
		return nil, err
	}
	for _, name := range l.needs {
		if _, ok := at[name]; !ok {
			return nil, nil
		}
	}
	p := &places{library: l.name}
	for _, c := range l.calls {
		fn, ok := at[c.symbol]
		if !ok {
			continue
		}
		at := cheapest(f, fn, c)
		if slices.Contains(p.enter.offsets, at.offset) { // two functions are wrappers of one
			continue
		}
		if c.kind == kindRead {
			p.reads = append(p.reads, read{at.function, at.call})
		}
		p.enter.add(at.offset, at.call.cookie())
		p.leave.add(at.offset, at.call.cookie())
	}
	if fn, ok := at[l.free]; ok {
		p.free.add(cheapest(f, fn, call{}).offset, 0)
	}
	return p, nil
}
