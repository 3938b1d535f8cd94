package kafka

import (
	"encoding/binary"
)

// found is what a message says.
type found struct {
	names *names

	last      string // the topic named last, "" when only its id is known
	from      string // the topic of which there are records
	isMixed   bool   // there are records of others too
	topic     string // the first one named
	isSeveral bool   // others too
	isUnnamed bool   // one is known by its id only
	group     string
	isGroups  bool // several
	err       int16
	hasError  bool // an error code was read, be it 0
	acks      int16
	hasAcks   bool
	session   int32
	epoch     int32

	records, bytes uint64
	next           int64 // offset after the last record of the partition being read; -1 for none
	isUnsure       bool  // more records may follow it

	commits         []commit
	learning        string        // the name for the id that follows
	follow          *fetchSession // of the fetch request that is being read
	answers         *fetchSession // of the fetch response that is being read
	current         int           // topic of follow that is being named; -1 for none
	at              partitionKey  // the partition being read, or only its topic
	position        *position     // of it, where it is followed
	isReplica       bool          // a broker fetches
	hasReplicaState bool          // the message has the tagged field that is the replica's state in a Fetch request
}

// reset forgets a message.
func (f *found) reset(n *names) { *f = found{names: n, next: -1, current: -1} }

// value takes a field of fixed size.
func (f *found) value(k kind, b []byte) {
	switch k {
	case errorCode:
		code := int16(binary.BigEndian.Uint16(b))
		f.hasError = true
		if f.err == 0 {
			f.err = code
		}
		if code != 0 && len(f.commits) > 0 { // of an OffsetFetch response: what was told of the partition is void
			f.commits = f.commits[:len(f.commits)-1]
		}
	case acks:
		f.acks, f.hasAcks = int16(binary.BigEndian.Uint16(b)), true
	case session:
		f.session = int32(binary.BigEndian.Uint32(b))
	case epoch:
		f.epoch = int32(binary.BigEndian.Uint32(b))
		if f.follow != nil {
			f.follow.request(f.session, f.epoch)
		}
	case partition:
		f.part(int32(binary.BigEndian.Uint32(b)))
	case leaves:
		if f.follow != nil {
			f.at.partition = int32(binary.BigEndian.Uint32(b))
			f.follow.drop(f.current, f.at)
		}
	case offset:
		if f.position != nil {
			f.position.offset = int64(binary.BigEndian.Uint64(b))
		}
	case watermark:
		if f.position != nil {
			f.position.watermark = int64(binary.BigEndian.Uint64(b))
		}
	case committed:
		f.commit(int64(binary.BigEndian.Uint64(b)))
	case retracted:
		f.commit(unknownOffset)
	case replica:
		f.isReplica = int32(binary.BigEndian.Uint32(b)) >= 0
	case topicID:
		f.named(f.names.topicOf(b))
		f.at = partitionKey{id: [16]byte(b)}
		if f.follow != nil {
			f.current = f.follow.find("", [16]byte(b), true)
		}
	case forgottenID:
		f.at = partitionKey{id: [16]byte(b)}
		if f.follow != nil {
			f.current = f.follow.find("", [16]byte(b), false)
		}
	case learnID:
		if f.learning != "" {
			f.names.learn(b, f.learning)
		}
	}
}

// part begins a partition of a fetch.
func (f *found) part(n int32) {
	f.at.partition = n
	switch {
	case f.follow != nil:
		f.follow.add(f.current, n)
		f.position = f.follow.position(f.at)
	case f.answers != nil:
		f.position = f.answers.position(f.at)
	}
}

// text takes a string; b is nil when it is null, empty or longer than maxText.
func (f *found) text(k kind, b []byte) {
	switch k {
	case topic:
		if len(b) > 0 {
			f.named(f.names.intern(b))
		}
		f.at = partitionKey{name: f.names.intern(b)}
		if f.follow != nil {
			f.current = f.follow.find(f.at.name, [16]byte{}, true)
		}
	case forgotten:
		f.at = partitionKey{name: f.names.intern(b)}
		if f.follow != nil {
			f.current = f.follow.find(f.at.name, [16]byte{}, false)
		}
	case learnName:
		f.learning = ""
		if len(b) > 0 {
			f.learning = f.names.intern(b)
		}
	case group:
		name := f.names.intern(b)
		f.isGroups = f.isGroups || f.group != "" && f.group != name
		f.group = name
	}
}

// named takes the name of a topic, "" when only its id is known.
func (f *found) named(name string) {
	f.last = name
	switch {
	case name == "":
		f.isUnnamed = true
	case f.topic == "":
		f.topic = name
	case f.topic != name:
		f.isSeveral = true
	}
}

func (f *found) beginRecords(size int64) {
	f.bytes += uint64(size)
	f.next, f.isUnsure = -1, false
	switch {
	case size == 0:
	case f.from == "" && !f.isMixed:
		f.from, f.isMixed = f.last, f.last == ""
	default:
		f.isMixed = f.isMixed || f.from != f.last
	}
}

// endRecords ends the records of a partition: the consumer goes on behind them.
func (f *found) endRecords() {
	switch {
	case f.position == nil:
	case f.isUnsure:
		f.position.offset = unknownOffset // the next request says it
	case f.next >= 0:
		f.position.offset = f.next
	}
	f.next = -1
}

// severalTopics is the target of a message about more than one topic: no topic has such a name. Its counts belong to all of them.
const severalTopics = "(several)"

// source is the target of a response that brings records: of one topic, or several. It is "" when there are none, or their topic is not
// known.
func (f *found) source() string {
	if f.isMixed && f.from != "" {
		return severalTopics
	}
	return f.from
}

// target is "" when a topic is not known.
func (f *found) target() string {
	switch {
	case f.isSeveral || f.isUnnamed && f.topic != "":
		return severalTopics
	case f.isUnnamed:
		return ""
	}
	return f.topic
}
