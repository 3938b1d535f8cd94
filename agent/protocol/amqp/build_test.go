package amqp

import (
	"encoding/binary"
	"slices"
)

// frame makes one.
func frame(kind byte, channel uint16, payload ...byte) []byte {
	b := []byte{kind}
	b = binary.BigEndian.AppendUint16(b, channel)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	return append(append(b, payload...), frameEnd)
}

// call makes the frame of a method; arguments are byte (bits), uint16, uint32, uint64 and string (short strings).
func call(channel uint16, id uint32, arguments ...any) []byte {
	b := binary.BigEndian.AppendUint32(nil, id)
	for _, a := range arguments {
		switch a := a.(type) {
		case byte:
			b = append(b, a)
		case uint16:
			b = binary.BigEndian.AppendUint16(b, a)
		case uint32:
			b = binary.BigEndian.AppendUint32(b, a)
		case uint64:
			b = binary.BigEndian.AppendUint64(b, a)
		case string:
			b = append(append(b, byte(len(a))), a...)
		default:
			panic(a)
		}
	}
	return frame(frameMethod, channel, b...)
}

// body makes the frames of a content, in pieces.
func body(channel uint16, sizes ...int) []byte {
	total := 0
	var bodies []byte
	for _, n := range sizes {
		total += n
		bodies = append(bodies, frame(frameBody, channel, make([]byte, n)...)...)
	}
	b := binary.BigEndian.AppendUint16(nil, classBasic)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(total))
	return append(frame(frameHeader, channel, append(b, 0, 0)...), bodies...)
}

var (
	none  = uint16(0)
	table = uint32(0)
)

func publish(channel uint16, exchange, key string, sizes ...int) []byte {
	return slices.Concat(call(channel, basicPublish, none, exchange, key, byte(0)), body(channel, sizes...))
}

func deliver(channel uint16, consumer string, tag uint64, sizes ...int) []byte {
	return slices.Concat(call(channel, basicDeliver, consumer, tag, byte(0), "ex", "key"), body(channel, sizes...))
}

func ack(channel uint16, tag uint64, multiple byte) []byte {
	return call(channel, basicAck, tag, multiple)
}
