package entity

import (
	"net/netip"
	"strconv"

	"github.com/sonde-dev/sonde/agent/entity/proc"
)

// searchInterval bounds how often all descriptors of the host are looked through; foundKept is how long a listening
// process is remembered, so that a server whose traffic cannot be seen is searched for once and not for each connection.
const (
	searchInterval = 1e9
	foundKept      = 30e9
	maxFound       = 4096
)

// finder asks the kernel's tables which process has a socket. It works on a goroutine of its own, one search at a time,
// since a search takes tens of milliseconds; its methods are for one goroutine.
type finder struct {
	fs    *proc.FS
	netns uint32 // of the agent

	found   map[listener]finding
	result  chan []answer
	busy    bool
	asked   uint64
	instant []answer // from memory
}

// question asks for the process that has the socket local → remote, or listens on local.
type question struct {
	e             *end
	local, remote netip.AddrPort
	netns         uint32
	pid           uint32 // a process in that namespace
	listening     bool   // a listening socket will do
}

type answer struct {
	e        *end
	pid      uint32
	listener listener // key to remember it by; zero for a connected socket
	at       uint64
}

type listener struct {
	netns uint32
	local netip.AddrPort
}

type finding struct {
	pid   uint32
	ticks uint64 // start of the process, in case the pid is used again
	until uint64
}

func newFinder(fs *proc.FS) *finder {
	return &finder{fs: fs, netns: fs.Netns("self"), found: make(map[listener]finding), result: make(chan []answer, 1)}
}

// ask starts a search. It returns false if one is under way or was a short time ago: ask again later.
func (f *finder) ask(questions []question, now uint64) bool {
	if f.busy || (f.asked != 0 && now-f.asked < searchInterval) {
		return false
	}
	var open []question
	for _, q := range questions {
		if pid, ok := f.remembered(q, now); ok {
			f.instant = append(f.instant, answer{e: q.e, pid: pid})
		} else {
			open = append(open, q)
		}
	}
	if len(open) > 0 {
		f.busy, f.asked = true, now
		go func() { f.result <- search(f.fs, f.netns, open, now) }()
	}
	return true
}

// remembered returns a listening process found before that is still the same.
func (f *finder) remembered(q question, now uint64) (uint32, bool) {
	have, ok := f.found[listener{q.netns, q.local}]
	if !q.listening || !ok || have.until < now {
		return 0, false
	}
	st, err := f.fs.Stat(have.pid)
	return have.pid, err == nil && st.StartTicks == have.ticks
}

// answers returns what was found since the last call.
func (f *finder) answers() []answer {
	all := f.instant
	f.instant = nil
	select {
	case found := <-f.result:
		f.busy = false
		for _, a := range found {
			f.remember(a)
		}
		all = append(all, found...)
	default:
	}
	return all
}

func (f *finder) remember(a answer) {
	st, err := f.fs.Stat(a.pid)
	if a.listener == (listener{}) || err != nil {
		return
	}
	if len(f.found) >= maxFound {
		clear(f.found)
	}
	f.found[a.listener] = finding{a.pid, st.StartTicks, a.at + foundKept}
}

func (f *finder) wait() {
	if f.busy {
		<-f.result
		f.busy = false
	}
}

// search reads the socket tables of the namespaces in question, then looks for the owners of what fits.
func search(fs *proc.FS, own uint32, questions []question, now uint64) []answer {
	tables := make(map[uint32][]proc.Socket)
	inodes := make(map[uint64]bool)
	chosen := make([]proc.Socket, len(questions))
	for i, q := range questions {
		table, ok := tables[q.netns]
		if !ok {
			pid := "self"
			if q.netns != own && q.pid != 0 {
				pid = strconv.FormatUint(uint64(q.pid), 10)
			}
			table = fs.Sockets(pid)
			tables[q.netns] = table
		}
		if s, ok := choose(table, q); ok {
			chosen[i], inodes[s.Inode] = s, true
		}
	}
	owners := fs.Owners(inodes)
	var answers []answer
	for i, q := range questions {
		pid, ok := owners[chosen[i].Inode]
		if !ok {
			continue
		}
		a := answer{e: q.e, pid: pid, at: now}
		if chosen[i].Listening {
			a.listener = listener{q.netns, q.local}
		}
		answers = append(answers, a)
	}
	return answers
}

// choose prefers the connection itself, then a socket that listens on the very address, then one on any address.
func choose(table []proc.Socket, q question) (best proc.Socket, ok bool) {
	rank := 0
	for _, s := range table {
		r := 0
		switch {
		case s.Inode == 0:
		case !s.Listening && s.Local == q.local && s.Remote == q.remote:
			r = 3
		case s.Listening && q.listening && s.Local == q.local:
			r = 2
		case s.Listening && q.listening && s.Local.Port() == q.local.Port() && s.Local.Addr().IsUnspecified():
			r = 1
		}
		if r > rank {
			best, rank = s, r
		}
	}
	return best, rank > 0
}
