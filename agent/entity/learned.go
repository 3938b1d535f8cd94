package entity

import "net/netip"

// maxLearned bounds the addresses whose names are remembered: 3 MB.
const maxLearned = 16_384

// learned is the names that programs of this host were told for addresses. An address may have several names (one front end for many
// sites); the last one asked for counts, since who connects has mostly just asked.
type learned map[address]learnedName

type learnedName struct {
	name  string
	until uint64
}

// LearnName notes that an address was given out under a name, and until when, in nanoseconds of CLOCK_MONOTONIC. Servers that are not on this host are then
// named by it, "name:port", on connections that are seen for the first time from now on. What is no host name is ignored.
func (j *Joiner) LearnName(addr netip.Addr, name string, until uint64) {
	if !addr.IsValid() || addr.IsLoopback() || addr.IsUnspecified() || addr.IsMulticast() || !isHostName(name) {
		return
	}
	k := address(addr.As16())
	if _, ok := j.addresses.learned[k]; !ok && len(j.addresses.learned) >= maxLearned {
		j.addresses.learned.forgetOne()
	}
	j.addresses.learned[k] = learnedName{name, until}
}

// forgetOne forgets any name.
func (l learned) forgetOne() {
	for k := range l {
		delete(l, k)
		return
	}
}

func (l learned) forget(now uint64) {
	for k, n := range l {
		if n.until < now {
			delete(l, k)
		}
	}
}

// nameOf returns the name of an address as of a time, "" for none.
func (l learned) nameOf(a address, now uint64) string {
	if n, ok := l[a]; ok && n.until >= now {
		return n.name
	}
	return ""
}

// isHostName accepts letters, digits, hyphens, underscores and dots: a name comes from the network and is shown to people.
func isHostName(name string) bool {
	if name == "" || len(name) > maxServiceName {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		case c == '.' && i > 0 && name[i-1] != '.':
		default:
			return false
		}
	}
	_, err := netip.ParseAddr(name)
	return err != nil // "192.0.2.1" says nothing
}
