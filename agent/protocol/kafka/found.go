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
	watermark      int64 // of the partition being read
	next           int64 // offset after its last record; -1 for none
	lag            uint64
	hasLag         bool

	learning string // the name for the id that follows
	follow   *fetchSession
	current  int // topic of follow that is being named; -1 for none
}

// reset forgets a message.
func (f *found) reset(n *names) { *f = found{names: n, watermark: -1, next: -1, current: -1} }

// value takes a field of fixed size.
func (f *found) value(k kind, b []byte) {
	switch k {
	case errorCode:
		code := int16(binary.BigEndian.Uint16(b))
		f.hasError = true
		if f.err == 0 {
			f.err = code
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
		if f.follow != nil {
			f.follow.add(f.current, int32(binary.BigEndian.Uint32(b)))
		}
	case leaves:
		if f.follow != nil {
			f.follow.drop(f.current, int32(binary.BigEndian.Uint32(b)))
		}
	case watermark:
		f.watermark = int64(binary.BigEndian.Uint64(b))
	case topicID:
		f.named(f.names.topicOf(b))
		if f.follow != nil {
			f.current = f.follow.find("", [16]byte(b), true)
		}
	case forgottenID:
		if f.follow != nil {
			f.current = f.follow.find("", [16]byte(b), false)
		}
	case learnID:
		if f.learning != "" {
			f.names.learn(b, f.learning)
		}
	}
}

// text takes a string; b is nil when it is null, empty or longer than maxText.
func (f *found) text(k kind, b []byte) {
	switch k {
	case topic:
		if len(b) > 0 {
			f.named(f.names.intern(b))
		}
		if f.follow != nil {
			f.current = f.follow.find(f.names.intern(b), [16]byte{}, true)
		}
	case forgotten:
		if f.follow != nil {
			f.current = f.follow.find(f.names.intern(b), [16]byte{}, false)
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
	f.next = -1
	switch {
	case size == 0:
	case f.from == "" && !f.isMixed:
		f.from, f.isMixed = f.last, f.last == ""
	default:
		f.isMixed = f.isMixed || f.from != f.last
	}
}

func (f *found) endRecords() {
	if f.next >= 0 && f.watermark >= 0 {
		f.lag += uint64(max(0, f.watermark-f.next))
		f.hasLag = true
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
