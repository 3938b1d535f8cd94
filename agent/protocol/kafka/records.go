package kafka

import "encoding/binary"

// Layout of a record batch (kafka.apache.org/documentation/#recordbatch): base offset 8, length 4, leader epoch 4, magic 1,
// checksum 4, attributes 2, last offset delta 4, two times of 8, producer 8, its epoch 2, sequence 4, number of records 4.
const (
	batchLength     = 8
	batchMagic      = 16
	batchAttributes = 21
	batchLastDelta  = 23
	batchCount      = 57
	batchHead       = 61
	batchFrame      = 12 // bytes before what its length counts
)

// Layout of a message of magic 0 and 1, the formats before batches: offset 8, size 4, checksum 4, magic 1, attributes 1. A
// compressed one holds others, whose number shows nowhere outside.
const (
	messageAttributes = 17
	messageHead       = 18
)

const (
	codecMask    = 0x07 // compression
	controlBatch = 0x20 // transaction markers, which no application sees
)

// batch reads the head of a record batch, or of an old message, and goes behind it.
func (w *walker) batch(b []byte) int {
	rest := w.records
	if rest < messageHead { // the broker cuts off the last batch where the size it was asked for ends
		return w.endRecords(b)
	}
	if len(b) < messageHead {
		return 0
	}
	magic := b[batchMagic]
	length := int32(binary.BigEndian.Uint32(b[batchLength:]))
	size := uint64(length) + batchFrame
	if length < messageHead-batchFrame || magic > 2 || magic == 2 && size < batchHead {
		w.short, w.found.isUnsure = true, true
		return w.endRecords(b)
	}
	if size > rest {
		return w.endRecords(b)
	}
	used := messageHead
	offset := int64(binary.BigEndian.Uint64(b))
	switch {
	case magic == 2:
		if len(b) < batchHead {
			return 0
		}
		used = batchHead
		count := int32(binary.BigEndian.Uint32(b[batchCount:]))
		if count < 0 {
			w.short = true
		} else if b[batchAttributes+1]&controlBatch == 0 {
			w.found.records += uint64(count)
		}
		w.found.next = offset + int64(int32(binary.BigEndian.Uint32(b[batchLastDelta:]))) + 1
	case b[messageAttributes]&codecMask != 0:
		w.short = true
		w.found.next = offset + 1
	default:
		w.found.records++
		w.found.next = offset + 1
	}
	w.records -= size
	w.left -= size
	w.skip = size - uint64(used)
	if w.records == 0 {
		w.found.endRecords()
	}
	return used
}

// endRecords passes over what is left of a partition's records.
func (w *walker) endRecords(b []byte) int {
	n := min(uint64(len(b)), w.records)
	w.left -= w.records
	w.skip, w.records = w.records-n, 0
	w.found.endRecords()
	return int(n)
}
