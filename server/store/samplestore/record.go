package samplestore

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/sonde-dev/sonde/signal"
)

const (
	prefixSize = 8  // length and CRC
	fixedSize  = 11 // time, flags, length of the service
	// maxRecord bounds a record: two texts of 4 KiB in JSON (six bytes for each at worst), and their fields.
	maxRecord = 128 << 10
)

const (
	flagSlow = 1 << iota
	flagFailed
	flagServer
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged ends a segment.
var errDamaged = errors.New("record is cut or damaged")

// key is what a record says before its JSON is read.
type key struct {
	time    int64 // Unix milliseconds
	flags   byte
	service []byte
}

// appendRecord encodes a sample behind b.
func appendRecord(b []byte, s *signal.Sample) ([]byte, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return b, fmt.Errorf("encode sample of %s: %w", s.Service, err)
	}
	service := s.Service[:min(len(s.Service), 1<<15)]
	size := fixedSize + len(service) + len(body)
	if size > maxRecord {
		return b, fmt.Errorf("encode sample of %s: %d bytes are more than %d", s.Service, size, maxRecord)
	}
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.Time.UnixMilli()))
	b = append(b, flagsOf(s))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(service)))
	b = append(append(b, service...), body...)
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(b[start+prefixSize:], castagnoli))
	return b, nil
}

func flagsOf(s *signal.Sample) (f byte) {
	if s.IsSlow {
		f |= flagSlow
	}
	if s.IsFailed {
		f |= flagFailed
	}
	if s.Side == sideServer {
		f |= flagServer
	}
	return f
}

// readRecord reads the record at the start of b and returns its size. What it returns points into b.
func readRecord(b []byte) (k key, body []byte, n int, err error) {
	if len(b) < prefixSize {
		return k, nil, 0, errDamaged
	}
	size := int(binary.LittleEndian.Uint32(b))
	if size < fixedSize || size > maxRecord || size > len(b)-prefixSize {
		return k, nil, 0, errDamaged
	}
	r := b[prefixSize : prefixSize+size]
	if crc32.Checksum(r, castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return k, nil, 0, errDamaged
	}
	k.time, k.flags = int64(binary.LittleEndian.Uint64(r)), r[8]
	service := int(binary.LittleEndian.Uint16(r[9:]))
	if service > size-fixedSize {
		return k, nil, 0, errDamaged
	}
	k.service = r[fixedSize : fixedSize+service]
	return k, r[fixedSize+service:], prefixSize + size, nil
}

func millis(t time.Time) int64 { return t.UnixMilli() }
