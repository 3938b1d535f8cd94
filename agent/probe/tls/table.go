package tls

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/sonde-dev/sonde/agent/probe/stack"
)

// ahead stands for a process that maps what is probed in advance; no process has that id.
const ahead uint32 = 0

// maxRefused bounds the memory of files that are no TLS libraries; beyond it all are looked at again.
const maxRefused = 16384

// table knows which files are probed and which processes map them. It is safe for concurrent use.
type table struct {
	programs map[string]*ebpf.Program
	probed   *ebpf.Variable

	mu      sync.Mutex
	files   map[stack.FileID]*file
	users   map[uint32]map[stack.FileID]bool // by process
	refused map[stack.FileID]bool
}

// file is one that is probed.
type file struct {
	id     stack.FileID
	path   string
	reads  []read
	isGo   bool
	links  []link.Link
	users  int
	unused time.Time // since when there are none
}

func newTable(programs map[string]*ebpf.Program, probed *ebpf.Variable) *table {
	return &table{
		programs: programs, probed: probed,
		files: make(map[stack.FileID]*file), users: make(map[uint32]map[stack.FileID]bool), refused: make(map[stack.FileID]bool),
	}
}

func (t *table) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.files)
}

// refuse remembers a file that is not to be probed.
func (t *table) refuse(id stack.FileID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.refused) >= maxRefused {
		clear(t.refused)
	}
	t.refused[id] = true
}

// use notes that a process maps a file. It returns false if that file was never looked at.
func (t *table) use(pid uint32, id stack.FileID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.refused[id] {
		return true
	}
	f, ok := t.files[id]
	if !ok {
		return false
	}
	if t.users[pid] == nil {
		t.users[pid] = make(map[stack.FileID]bool)
	}
	if !t.users[pid][id] {
		t.users[pid][id] = true
		f.users++
	}
	return true
}

// uses says whether a process maps a file that is probed.
func (t *table) uses(pid uint32) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.users[pid]) > 0
}

// libraries returns the probed libraries for C programs that a process maps.
func (t *table) libraries(pid uint32) (list []*file) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range t.users[pid] {
		if f := t.files[id]; f != nil && !f.isGo {
			list = append(list, f)
		}
	}
	return list
}

// copy notes that a process maps what its parent does.
func (t *table) copy(parent, pid uint32) {
	t.mu.Lock()
	ids := t.users[parent]
	t.mu.Unlock()
	for id := range ids {
		t.use(pid, id)
	}
}

// forget notes that a process maps nothing any more.
func (t *table) forget(pid uint32, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range t.users[pid] {
		if f := t.files[id]; f != nil {
			f.users--
			f.unused = now
		}
	}
	delete(t.users, pid)
}

// attach probes a file.
func (t *table) attach(m mapping, at *places) error {
	links, err := at.attach(m.Open, t.programs)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.files[m.ID] = &file{id: m.ID, path: m.Path, reads: at.reads, isGo: at.isGo, links: links, unused: time.Now()}
	return t.announce()
}

// sweep detaches files that nobody has mapped for a while, and forgets processes that ended unheard.
func (t *table) sweep(now time.Time, keep time.Duration) {
	t.mu.Lock()
	var gone []uint32
	for pid := range t.users {
		if pid != ahead && !exists(pid) {
			gone = append(gone, pid)
		}
	}
	t.mu.Unlock()
	for _, pid := range gone {
		t.forget(pid, now)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.files)
	for id, f := range t.files {
		if f.users == 0 && now.Sub(f.unused) > keep {
			_ = detach(f.links) // closing a link of this process does not fail
			delete(t.files, id)
		}
	}
	if len(t.files) != before {
		_ = t.announce() // what is announced too much costs time only
	}
}

// The bits of tls_probed in bpf/include/tls_socket.h.
const (
	probedLibraries = 1
	probedGo        = 2
)

// announce tells the socket tier what there is to listen for. The caller holds the lock.
func (t *table) announce() error {
	var probed uint32
	for _, f := range t.files {
		if f.isGo {
			probed |= probedGo
		} else {
			probed |= probedLibraries
		}
	}
	if err := t.probed.Set(probed); err != nil {
		return fmt.Errorf("tell the socket tier: %w", err)
	}
	return nil
}

func (t *table) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, f := range t.files {
		errs = append(errs, detach(f.links))
	}
	clear(t.files)
	clear(t.users)
	_ = errors.Join(errs...) // the kernel closes what is left with the process
}
