package tls

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// places are where in a file to probe.
type places struct {
	library            string
	isGo               bool
	enter, leave, free spots
	reads              []read // the functions of enter that read
	deferred           spots  // of Go: ends of functions, in what they defer
	readsUnderWay      bool   // of Go: the end of a read tells all of it, so that one is seen that began before it was probed
}

// spots are offsets in a file with the cookie of each.
type spots struct {
	offsets, cookies []uint64
}

func (s *spots) add(offset, cookie uint64) {
	s.offsets, s.cookies = append(s.offsets, offset), append(s.cookies, cookie)
}

// inspect returns the places to probe in a file, nil if there is nothing to.
func inspect(file *os.File) (*places, error) {
	f, err := elf.NewFile(file)
	if err != nil {
		return nil, nil // not a program: a script, a font, a JAR
	}
	if f.Machine != elf.EM_X86_64 {
		return nil, nil
	}
	for _, find := range []func(*elf.File) (*places, error){openssl.find, gnutls.find, findGo} {
		if p, err := find(f); p != nil || err != nil {
			return p, err
		}
	}
	return nil, nil
}

// attach probes the file that path leads to. What is attached stays until the links are closed.
func (p *places) attach(path string, programs map[string]*ebpf.Program) (links []link.Link, err error) {
	ex, err := link.OpenExecutable(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	type hook struct {
		program string
		at      spots
		attach  func([]string, *ebpf.Program, *link.UprobeMultiOptions) (link.Link, error)
	}
	// Returns first: one without its entry is ignored, an entry without its return would be taken for a call under way.
	hooks := []hook{
		{"tls_leave", p.leave, ex.UretprobeMulti}, {"tls_free", p.free, ex.UprobeMulti}, {"tls_enter", p.enter, ex.UprobeMulti},
	}
	if p.isGo {
		hooks = []hook{{"go_leave", p.leave, ex.UprobeMulti}, {"go_deferred", p.deferred, ex.UprobeMulti}, {"go_enter", p.enter, ex.UprobeMulti}}
	}
	for _, h := range hooks {
		if len(h.at.offsets) == 0 {
			continue
		}
		l, err := h.attach(nil, programs[h.program], &link.UprobeMultiOptions{Addresses: h.at.offsets, Cookies: h.at.cookies})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("attach %s to %s: %w", h.program, path, err), detach(links))
		}
		links = append(links, l)
	}
	return links, nil
}

// detach removes probes, those of entries first.
func detach(links []link.Link) error {
	var errs []error
	for i := len(links) - 1; i >= 0; i-- {
		errs = append(errs, links[i].Close())
	}
	return errors.Join(errs...)
}
