package tls

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/sonde-dev/sonde/agent/probe/stack"
)

// underWay are calls of libraries that threads were in when the libraries were probed: they wait there for the next bytes, as servers
// with a thread for each connection do. No probe has seen them begin, and none will see them end. So their stacks are looked at once,
// for what they were called with and where they return to, and that place is probed for the process until they have returned.
type underWay struct {
	threads, takeOver *ebpf.Program // iterators over the threads of the host
	resume            *ebpf.Program
	waiting           *ebpf.Map // calls to take over, by thread
	ends              []*ends
}

// ends are the places of one process that calls return to.
type ends struct {
	pid   uint32
	links []link.Link
	tids  []uint32
}

// stackBytes is how much of a stack is looked at. Between a call of a library and the system call that waits are at most two pages.
const stackBytes = 32 << 10

// thread is struct tls_waiting_thread of bpf/include/tls_waiting.h.
type thread struct {
	TID, TGID                          uint32
	Switches                           uint64
	PC, SP, BX, BP, R12, R13, R14, R15 uint64
	PutAway                            [8]struct{ At, Address uint64 }
}

// waitingCall is struct tls_waiting of bpf/include/tls_waiting.h, with struct tls_call of tls.h at its begin.
type waitingCall struct {
	Session, Buffer, CountAt, Pointer, Conn uint64
	Kind, HandedOn                          uint16
	Length                                  uint32
	Switches                                uint64
	State                                   uint32
	_                                       uint32
}

// The states of a call that is to be taken over, enum tls_take_over_state.
const (
	stateTaken = 1
	stateSeen  = 2
	stateRan   = 3
)

func newUnderWay(programs map[string]*ebpf.Program, waiting *ebpf.Map) *underWay {
	return &underWay{
		threads: programs["tls_waiting_threads"], takeOver: programs["tls_take_over"], resume: programs["tls_resume"],
		waiting: waiting,
	}
}

// maxRounds bounds how often a thread is looked at that runs while it is looked at.
const maxRounds = 5

// errEnded counts a call of a thread that runs again and again. What it read may be missing.
var errEnded = errors.New("a call was under way and ended while it was looked at")

// search is one search for calls under way.
type search struct {
	*underWay
	// libraries tells which a process maps; lose is told what cannot be followed.
	libraries func(pid uint32) []*file
	lose      func(err error, pid uint32)
	images    stack.Images
	recipes   recipes
	ran       map[uint32]runner // by thread
}

// runner is a thread that ran while it was looked at.
type runner struct {
	pid    uint32
	isCall bool // it looked as if a call was under way
}

// follow takes over the calls that threads are in.
func (u *underWay) follow(libraries func(pid uint32) []*file, lose func(err error, pid uint32)) error {
	l := search{u, libraries, lose, make(stack.Images), newRecipes(), make(map[uint32]runner)}
	defer l.images.Close()
	err := l.round(true)
	for n := 1; n < maxRounds && len(l.ran) > 0 && err == nil; n++ {
		err = l.round(false)
	}
	for _, r := range l.ran {
		if r.isCall {
			lose(errEnded, r.pid)
		}
	}
	u.sweep()
	return err
}

// round looks at all threads, or at those that ran before.
func (l *search) round(isFirst bool) error {
	list, err := l.list()
	if err != nil {
		return err
	}
	byProcess := make(map[uint32][]thread)
	for _, t := range list {
		if _, hasRun := l.ran[t.TID]; hasRun || isFirst {
			byProcess[t.TGID] = append(byProcess[t.TGID], t)
		}
	}
	isAsked := false
	for pid, threads := range byProcess {
		files := l.libraries(pid)
		if len(files) == 0 {
			continue
		}
		p, err := openProcess(pid, files, l.images, l.recipes)
		if err == nil {
			var asked bool
			asked, err = l.ask(pid, l.find(p, threads))
			isAsked = isAsked || asked
			_ = p.memory.Close()
		}
		if err != nil && exists(pid) {
			l.lose(err, pid)
		}
	}
	if !isAsked {
		return nil
	}
	if _, err := readAll(l.takeOver); err != nil {
		return fmt.Errorf("take over calls under way: %w", err)
	}
	l.settle()
	return nil
}

// find looks for calls of the threads of a process. It keeps those in mind that ran meanwhile, so that what was found of them may be wrong.
func (l *search) find(p *process, threads []thread) (calls []found) {
	for _, t := range threads {
		c, err := p.find(t)
		before := l.ran[t.TID]
		switch isCall := before.isCall || errors.Is(err, errUnderWay); {
		case err == nil:
			calls = append(calls, c)
		case !t.stays():
			l.ran[t.TID] = runner{p.pid, isCall}
		default:
			delete(l.ran, t.TID)
			if errors.Is(err, errNoCall) && before.isCall {
				err = errEnded
			}
			if !errors.Is(err, errNoCall) {
				l.lose(err, p.pid)
			}
		}
	}
	return calls
}

// settle forgets the calls that could not be taken over.
func (l *search) settle() {
	for _, e := range l.ends {
		for _, tid := range e.tids {
			var c waitingCall
			if l.waiting.Lookup(tid, &c) == nil && c.State != stateTaken {
				_ = l.waiting.Delete(tid)
			}
			before := l.ran[tid]
			switch c.State {
			case stateTaken:
				delete(l.ran, tid)
			case stateSeen:
				delete(l.ran, tid)
				if before.isCall { // that was another one
					l.lose(errEnded, e.pid)
				}
			case stateRan:
				l.ran[tid] = runner{e.pid, true}
			}
		}
	}
}

// list returns the threads of the host that wait for bytes or for a CPU.
func (u *underWay) list() ([]thread, error) {
	b, err := readAll(u.threads)
	if err != nil {
		return nil, fmt.Errorf("list waiting threads: %w", err)
	}
	list := make([]thread, len(b)/binary.Size(thread{}))
	if _, err := binary.Decode(b, binary.LittleEndian, list); err != nil {
		return nil, fmt.Errorf("read the list of waiting threads: %w", err)
	}
	return list, nil
}

// readAll runs an iterator, and returns what it writes.
func readAll(program *ebpf.Program) ([]byte, error) {
	it, err := link.AttachIter(link.IterOptions{Program: program})
	if err != nil {
		return nil, fmt.Errorf("attach the iterator: %w", err)
	}
	defer it.Close()
	r, err := it.Open()
	if err != nil {
		return nil, fmt.Errorf("open the iterator: %w", err)
	}
	defer r.Close()
	return io.ReadAll(r)
}

// found is a call under way, and the address that it returns to.
type found struct {
	tid     uint32
	call    waitingCall
	returns uint64
	region  stack.Region // of that address
}

// process is what is needed to look for calls of one.
type process struct {
	pid       uint32
	regions   []stack.Region
	libraries []stack.Region
	reads     map[stack.FileID][]read
	memory    *os.File
	images    stack.Images
	recipes   recipes
}

func openProcess(pid uint32, files []*file, images stack.Images, recipes recipes) (*process, error) {
	p := &process{pid: pid, reads: make(map[stack.FileID][]read), images: images, recipes: recipes}
	for _, f := range files {
		p.reads[f.id] = f.reads
	}
	var err error
	if p.regions, err = stack.Regions(pid); err != nil {
		return nil, err
	}
	for _, r := range p.regions {
		if len(p.reads[r.ID]) > 0 {
			p.libraries = append(p.libraries, r)
		}
	}
	p.memory, err = os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	return p, err
}

// find looks for a call that a thread reads with. It returns errNoCall if there is none.
func (p *process) find(t thread) (found, error) {
	s, err := stack.ReadStack(p.memory, t.SP, stackBytes)
	if err != nil {
		return found{}, err
	}
	from := t.on(s)
	mentioned, isMentioned := from.LastMention(p.libraries)
	if !isMentioned {
		return found{}, errNoCall
	}
	beyond, isInside := uint64(0), false
	var frames []stack.Frame
	walked := p.images.Walk(p.pid, p.regions, from, func(f stack.Frame) bool {
		frames, beyond = append(frames, f), f.Pointer
		isInside = isInside || len(p.reads[f.Region.ID]) > 0 && mapping{f.Region}.isShared()
		return beyond <= mentioned // and the one that it was called from
	})
	c, err := p.recipes.read(frames, p.reads, s)
	switch {
	case errors.Is(err, errNoCall) && isInside:
		return c, fmt.Errorf("%w: of a function that is not known", errUnderWay)
	case errors.Is(err, errNoCall) && beyond <= mentioned && !errors.Is(walked, stack.ErrOutermost):
		return c, fmt.Errorf("a call may be under way: %w", walked)
	case errors.Is(err, errNoCall):
		return c, err
	case err != nil:
		return c, fmt.Errorf("%w: %w", errUnderWay, err)
	}
	i := slices.IndexFunc(p.regions, func(r stack.Region) bool { return c.returns >= r.From && c.returns < r.To })
	if i < 0 {
		return c, fmt.Errorf("%w: it returns to %#x, where no file is", errUnderWay, c.returns)
	}
	c.tid, c.call.Switches, c.region = t.TID, t.Switches, p.regions[i]
	return c, nil
}

// stays says whether a thread has not run since it was listed.
func (t thread) stays() bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/status", t.TGID, t.TID))
	if err != nil {
		return false
	}
	var switches uint64
	for line := range strings.Lines(string(b)) {
		name, text, _ := strings.Cut(line, ":")
		switch text = strings.TrimSpace(text); name {
		case "State":
			if strings.HasPrefix(text, "R") {
				return false
			}
		case "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches": // proc_pid_status(5)
			n, _ := strconv.ParseUint(text, 10, 64)
			switches += n
		}
	}
	return switches == t.Switches
}

// on is what the frames of a thread are found from.
func (t thread) on(s stack.Stack) stack.Thread {
	from := stack.Thread{PC: t.PC, Stack: s, Put: make(map[uint64]uint64)}
	for register, v := range map[int]uint64{
		stack.RSP: t.SP, stack.RBX: t.BX, stack.RBP: t.BP, stack.R12: t.R12, stack.R13: t.R13, stack.R14: t.R14, stack.R15: t.R15,
	} {
		from.Registers.Set(register, v)
	}
	for _, p := range t.PutAway {
		// Of several at one place, the outermost uretprobe has the program's own address: it is the last one.
		if p.Address != 0 {
			from.Put[p.At] = p.Address
		}
	}
	return from
}

// ask probes the places of a process that calls return to, and asks for the calls to be taken over. It returns false if there are none
// that were not taken over before.
func (u *underWay) ask(pid uint32, calls []found) (bool, error) {
	calls = slices.DeleteFunc(calls, func(c found) bool {
		var taken waitingCall
		return u.waiting.Lookup(c.tid, &taken) == nil
	})
	if len(calls) == 0 {
		return false, nil
	}
	offsets := make(map[stack.Region][]uint64)
	for _, c := range calls {
		offset := c.returns - c.region.From + c.region.Offset
		if !slices.Contains(offsets[c.region], offset) {
			offsets[c.region] = append(offsets[c.region], offset)
		}
	}
	e := &ends{pid: pid}
	for region, at := range offsets {
		l, err := u.probe(pid, region, at)
		if err != nil {
			return false, errors.Join(fmt.Errorf("%w: %w", errUnderWay, err), detach(e.links))
		}
		e.links = append(e.links, l)
	}
	var errs []error
	for _, c := range calls {
		if err := u.waiting.Update(c.tid, &c.call, ebpf.UpdateAny); err != nil {
			errs = append(errs, fmt.Errorf("%w: %w", errUnderWay, err))
			continue
		}
		e.tids = append(e.tids, c.tid)
	}
	u.ends = append(u.ends, e)
	return len(e.tids) > 0, errors.Join(errs...)
}

// probe probes places of a file for one process.
func (u *underWay) probe(pid uint32, r stack.Region, offsets []uint64) (link.Link, error) {
	f, err := r.OpenFile(pid)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ex, err := link.OpenExecutable(f.Name())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", f.Name(), err)
	}
	l, err := ex.UprobeMulti(nil, u.resume, &link.UprobeMultiOptions{Addresses: offsets, PID: pid})
	if err != nil {
		return nil, fmt.Errorf("attach tls_resume to %s: %w", f.Name(), err)
	}
	return l, nil
}

// sweep takes the probes away of processes all of whose calls have returned.
func (u *underWay) sweep() {
	u.ends = slices.DeleteFunc(u.ends, func(e *ends) bool {
		e.tids = slices.DeleteFunc(e.tids, func(tid uint32) bool {
			var c waitingCall
			if u.waiting.Lookup(tid, &c) != nil {
				return true
			}
			if _, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", e.pid, tid)); err == nil {
				return false
			}
			_ = u.waiting.Delete(tid) // the thread has ended in its call
			return true
		})
		if len(e.tids) == 0 {
			_ = detach(e.links) // closing a link of this process does not fail
		}
		return len(e.tids) == 0
	})
}

// close takes all probes away.
func (u *underWay) close() {
	for _, e := range u.ends {
		_ = detach(e.links)
	}
	u.ends = nil
}
