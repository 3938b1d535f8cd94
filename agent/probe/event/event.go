// Package event holds what the kernel side reports, as plain data.
//
// In: nothing. Out: the types that probe fills and that exchange and entity read. It knows neither BPF nor protocols,
// so that everything behind the ring buffer can be driven from a test, or from a packet capture, without a kernel.
package event

import (
	"net/netip"
	"time"
)

// Kind says what happened.
type Kind uint8

// The kinds of events. The numbers are those of bpf/include/events.h.
const (
	Open  Kind = 1 // a connection is announced; comes before its first Data and again about once a minute while it is busy
	Data  Kind = 2 // one socket call moved bytes
	Close Kind = 3 // the connection is gone; may be missing (Unix sockets), never comes twice
	Exec  Kind = 4 // a process replaced its program
	Exit  Kind = 5 // the last thread of a process ended
	Fork  Kind = 6 // a process was created
)

// String returns the name used as the value of the label "kind".
func (k Kind) String() string {
	names := [...]string{Open: "open", Data: "data", Close: "close", Exec: "exec", Exit: "exit", Fork: "fork"}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return "unknown"
}

// Direction is seen from the process that owns the socket.
type Direction uint8

// The two directions.
const (
	Ingress Direction = 0 // received by the process
	Egress  Direction = 1 // sent by the process
)

// Role says which end of the connection the process is. The kernel side knows it from the first recognised message.
type Role uint8

// The roles.
const (
	RoleUnknown Role = 0
	RoleClient  Role = 1
	RoleServer  Role = 2
)

// Protocol names a protocol that the kernel side follows by itself, copying what its messages need and no more. The rest are
// recognised in user space, which then says what to copy.
type Protocol uint8

// The verdicts. The numbers are those of bpf/include/recognize.h.
const (
	ProtocolUnknown Protocol = 0
	ProtocolHTTP1   Protocol = 1
)

// PlainText is set in the id of a connection that is the plain text of another one, a socket that speaks TLS: the rest of the id is
// that of the socket.
const PlainText uint64 = 1 << 63

// Event is one record of the kernel side. It is valid until the next one is read; Payload points into the reader's buffer.
type Event struct {
	Kind Kind
	// Time is CLOCK_MONOTONIC in nanoseconds, at the end of the socket call.
	Time uint64
	// PID is the thread group id, TID the thread id, both as the root PID namespace sees them.
	PID, TID uint32

	// Conn identifies the socket for as long as the machine runs. Both ends of a local connection have their own. (Open, Data, Close)
	Conn uint64

	// The next fields belong to Data.

	Direction Direction
	// Seq is the position of the call's first byte in the stream of its direction, modulo 2^32. For TCP it is the
	// absolute sequence number, the same at both ends; for Unix sockets it counts from zero. The position expected next
	// is Seq+Len; anything else is a gap of exactly that many bytes (io_uring, splice from a socket, lost events).
	Seq uint32
	// Len is the number of bytes that the call moved.
	Len uint32
	// Payload is the first part of those bytes, possibly all of them, possibly none (sendfile, splice, io_uring).
	Payload []byte
	// Tail is the last bytes of the call, up to 8, where Payload does not reach its end but the end could be read.
	Tail []byte

	// Other is the position of the next byte of the other direction when the call was made: all before it was sent (for a received call)
	// before this call, whether it was reported yet or not. It is known if HasOther is true.
	Other    uint32
	HasOther bool

	Open    OpenInfo    // for Open
	Close   CloseInfo   // for Close
	Process ProcessInfo // for Exec, Fork and Exit
}

// OpenInfo describes a connection and the process that uses it.
type OpenInfo struct {
	// Local and Remote are the addresses of the socket. Both are the zero AddrPort for a Unix socket.
	Local, Remote netip.AddrPort
	// Unix is true for a Unix stream socket. UnixSelf and UnixPeer are then values that are equal crosswise at the two ends.
	Unix               bool
	UnixSelf, UnixPeer uint64
	Datagrams          bool   // UDP: each Data is one datagram
	Netns              uint32 // inode number of the network namespace
	Role               Role
	Protocol           Protocol
	// StartTime is the start of the process in nanoseconds of CLOCK_BOOTTIME (task->group_leader->start_boottime):
	// with PID it identifies a process beyond reuse of the number.
	StartTime uint64
	Comm      string // name of the process's main thread
	// Seen is true when the connection was observed from its first byte, false when the agent joined in the middle.
	Seen bool
	// HasPositions says that NextIngress and NextEgress are the Seq of the next byte of each direction, as of this event.
	// Without them, a loss before the first Data of a direction cannot be noticed.
	HasPositions            bool
	NextIngress, NextEgress uint32
}

// CloseInfo says how a connection ended.
type CloseInfo struct {
	Reset bool // by RST or an error rather than FIN
	// HasPositions says that NextIngress and NextEgress are the Seq behind the last byte moved in each direction; a FIN may
	// count as one more. Without them, a loss after the last Data of a direction cannot be noticed.
	HasPositions            bool
	NextIngress, NextEgress uint32
	Transfer                Transfer // of a TCP connection
}

// Transfer is what a TCP connection has moved since it began, and how well.
type Transfer struct {
	Received, Acked uint64        // bytes that arrived in order; bytes sent that the peer confirmed (the SYN may count as one)
	Retransmits     uint32        // segments sent again
	RoundTripTime   time.Duration // smoothed; 0 for none yet
}

// ProcessInfo describes a process at the moment of the event, so that it can be named even if it is gone when the event is read.
type ProcessInfo struct {
	ParentPID uint32
	StartTime uint64 // as OpenInfo.StartTime
	Comm      string
	Filename  string   // path as given to execve (Exec)
	Args      []string // first kilobyte of the arguments (Exec)
	Cgroup    string   // last component of the cgroup path, the memory controller's on cgroup v1
	// Environ is the environment as execve set it up, variables separated by zero bytes, the first 8 KiB (Exec). It is valid
	// until the next event. EnvironCut is true when there was more.
	Environ    []byte
	EnvironCut bool
}
