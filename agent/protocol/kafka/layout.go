package kafka

import (
	"fmt"
	"strconv"
	"strings"
)

// kind is the type of a field, or its meaning where it has one for us.
type kind uint8

const (
	fixed kind = iota // field.size bytes
	text              // a string, nullable or not
	blob              // bytes, nullable or not
	array             // of structures: each ends with tagged fields in flexible versions
	list              // of plain values
	stop              // what follows says nothing

	topic       // string: a topic that the message is about
	topicID     // the same by its id (KIP-516)
	learnName   // string: the name for the id that follows
	learnID     //
	group       // string: the consumer group
	errorCode   // 2 bytes
	acks        // 2 bytes of a produce request
	session     // 4 bytes: the fetch session (KIP-227)
	epoch       // 4 bytes: 0 a new session, -1 none
	partition   // 4 bytes: of the topic before it
	forgotten   // string: a topic of which the session drops partitions
	forgottenID //
	leaves      // 4 bytes: a partition that the session drops
	watermark   // 8 bytes: the end of a partition
	offset      // 8 bytes: where a fetch is to begin
	committed   // 8 bytes: how far a group has come in the partition before it, -1 for not known
	retracted   // 8 bytes: the same, but it holds only once a transaction ends
	replica     // 4 bytes: the broker that asks, negative for a consumer
	records     // bytes that are record batches
)

// field is one field of a message in the versions in which it is there.
type field struct {
	kind         kind
	size         uint8
	since, until int8
	of           []field // of an array or list
}

// words are the names of fields in a layout. The sizes are those of the protocol guide's primitive types.
var words = map[string]field{
	"i1": {kind: fixed, size: 1}, "i2": {kind: fixed, size: 2}, "i4": {kind: fixed, size: 4}, "i8": {kind: fixed, size: 8},
	"uuid": {kind: fixed, size: 16}, "str": {kind: text}, "bytes": {kind: blob}, "stop": {kind: stop},
	"topic": {kind: topic}, "topicID": {kind: topicID, size: 16}, "group": {kind: group},
	"learnName": {kind: learnName}, "learnID": {kind: learnID, size: 16},
	"error": {kind: errorCode, size: 2}, "acks": {kind: acks, size: 2}, "session": {kind: session, size: 4}, "epoch": {kind: epoch, size: 4},
	"partition": {kind: partition, size: 4}, "leaves": {kind: leaves, size: 4},
	"forgotten": {kind: forgotten}, "forgottenID": {kind: forgottenID, size: 16},
	"watermark": {kind: watermark, size: 8}, "offset": {kind: offset, size: 8}, "committed": {kind: committed, size: 8}, "retracted": {kind: retracted, size: 8}, "replica": {kind: replica, size: 4}, "records": {kind: records},
}

// layout reads the notation of apis.go: fields in order, [ ] an array of structures, ( ) one of plain values, each with the
// versions that have it: @3 since 3, @-12 up to 12, @8-10 both. Tagged fields (KIP-482) are not written: they end every structure of a
// flexible version. It panics on a mistake, before main.
func layout(s string) []field {
	fields, rest := parseLayout(strings.Fields(s))
	if len(rest) > 0 {
		panic("kafka: closing bracket without opening one: " + s)
	}
	return fields
}

func parseLayout(tokens []string) (fields []field, rest []string) {
	for len(tokens) > 0 {
		word, versions, _ := strings.Cut(tokens[0], "@")
		tokens = tokens[1:]
		var f field
		switch word {
		case "[", "(":
			f.kind = array
			if word == "(" {
				f.kind = list
			}
			f.of, tokens = parseLayout(tokens)
			if len(tokens) == 0 {
				panic("kafka: bracket not closed")
			}
			_, versions, _ = strings.Cut(tokens[0], "@")
			tokens = tokens[1:]
		case "]", ")":
			if versions != "" {
				word += "@" + versions
			}
			return fields, append([]string{word}, tokens...)
		default:
			known, ok := words[word]
			if !ok {
				panic(fmt.Sprintf("kafka: unknown field %q", word))
			}
			f = known
		}
		f.since, f.until = versionRange(versions)
		fields = append(fields, f)
	}
	return fields, nil
}

func versionRange(s string) (since, until int8) {
	from, to, hasEnd := strings.Cut(s, "-")
	until = never
	if hasEnd {
		until = versionNumber(to)
	}
	return versionNumber(from), until
}

func versionNumber(s string) int8 {
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 8)
	if err != nil {
		panic(err)
	}
	return int8(n)
}
