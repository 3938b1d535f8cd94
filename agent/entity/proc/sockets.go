package proc

import (
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// maxSockets bounds what is read of one table of sockets, maxLinks what is followed in one search for owners.
const (
	maxSockets = 200_000
	maxTable   = 32 << 20 // 200 000 lines of 160 bytes (net/ipv4/tcp_ipv4.c: TMPSZ 150)
	maxLinks   = 500_000
)

// Socket is one line of /proc/<pid>/net/tcp or tcp6. Addresses are unmapped.
type Socket struct {
	Local, Remote netip.AddrPort
	Listening     bool
	Inode         uint64 // 0 for a socket that no process holds any more
}

// Sockets lists the TCP sockets of the network namespace of a process, pid "self" for the agent's own.
func (f *FS) Sockets(pid string) []Socket {
	var all []Socket
	for _, table := range []string{"tcp", "tcp6"} {
		all = f.sockets(all, f.root+"/"+pid+"/net/"+table)
	}
	return all
}

func (f *FS) sockets(all []Socket, name string) []Socket {
	file, err := os.Open(name)
	if err != nil {
		return all
	}
	defer file.Close()
	for line := range lines(file, maxTable) {
		if len(all) >= maxSockets {
			break
		}
		if s, ok := parseSocket(line); ok {
			all = append(all, s)
		}
	}
	return all
}

// parseSocket reads "sl local_address rem_address st … inode …" (net/ipv4/tcp_ipv4.c: get_tcp4_sock).
func parseSocket(line string) (Socket, bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 {
		return Socket{}, false
	}
	local, ok1 := parseAddrPort(fields[1])
	remote, ok2 := parseAddrPort(fields[2])
	inode, err := strconv.ParseUint(fields[9], 10, 64)
	if !ok1 || !ok2 || err != nil {
		return Socket{}, false
	}
	// include/net/tcp_states.h: TCP_LISTEN is 10.
	return Socket{Local: local, Remote: remote, Listening: fields[3] == "0A", Inode: inode}, true
}

// parseAddrPort reads an address printed as words of four bytes in host order, and a port.
func parseAddrPort(s string) (netip.AddrPort, bool) {
	a, p, ok := strings.Cut(s, ":")
	b, err := hex.DecodeString(a)
	if !ok || err != nil || (len(b) != 4 && len(b) != 16) {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(b); i += 4 { // all of Sonde's architectures are little endian
		b[i], b[i+1], b[i+2], b[i+3] = b[i+3], b[i+2], b[i+1], b[i]
	}
	port, err := strconv.ParseUint(p, 16, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	addr, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), true
}

// Owners finds processes that hold the sockets with these inodes. A socket held by several (a server's workers) is given
// to the one with the lowest pid, but to pid 1 only if nobody else has it (socket activation). It looks at every descriptor of the host: tens of milliseconds.
func (f *FS) Owners(inodes map[uint64]bool) map[uint64]uint32 {
	owners := make(map[uint64]uint32, len(inodes))
	pids, err := f.PIDs()
	if err != nil || len(inodes) == 0 {
		return owners
	}
	followed := 0
	for _, pid := range pids {
		dir := f.dir(pid) + "/fd"
		names, err := readdirnames(dir)
		if err != nil {
			continue
		}
		for _, n := range names {
			if followed++; followed > maxLinks {
				return owners
			}
			inode, ok := socketInode(link(dir + "/" + n))
			if !ok || !inodes[inode] {
				continue
			}
			if have, ok := owners[inode]; !ok || have == 1 || (pid < have && pid != 1) {
				owners[inode] = pid
			}
		}
	}
	return owners
}

func socketInode(target string) (uint64, bool) {
	s, ok := strings.CutPrefix(target, "socket:[")
	if !ok {
		return 0, false
	}
	inode, err := strconv.ParseUint(strings.TrimSuffix(s, "]"), 10, 64)
	return inode, err == nil
}
