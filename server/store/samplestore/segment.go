package samplestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const suffix = ".samples"

// segment is one file. Its fields are guarded by Store.mu; the file grows at its end only.
type segment struct {
	path     string
	number   int
	size     int64
	records  int
	from, to int64 // times of its oldest and newest record, Unix milliseconds
}

func (s *segment) add(k key, n int64) {
	if s.records == 0 || k.time < s.from {
		s.from = k.time
	}
	s.to = max(s.to, k.time)
	s.records++
	s.size += n
}

func segmentPath(dir string, number int) string {
	return filepath.Join(dir, fmt.Sprintf("%08d%s", number, suffix))
}

// openSegments reads what is there. The newest segment loses a record that is cut; in others, what is behind a damaged one is passed over.
func openSegments(dir string) ([]*segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list samples: %w", err)
	}
	var segments []*segment
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), suffix)
		n, err := strconv.Atoi(digits)
		if !ok || err != nil || !e.Type().IsRegular() {
			continue
		}
		segments = append(segments, &segment{path: segmentPath(dir, n), number: n})
	}
	slices.SortFunc(segments, func(a, b *segment) int { return a.number - b.number })
	for i, s := range segments {
		if err := s.open(i == len(segments)-1); err != nil {
			return nil, err
		}
	}
	return segments, nil
}

// open looks at all records of a file.
func (s *segment) open(isNewest bool) error {
	b, err := os.ReadFile(s.path)
	if err != nil {
		return fmt.Errorf("read samples: %w", err)
	}
	at := 0
	for at < len(b) {
		k, _, n, err := readRecord(b[at:])
		if errors.Is(err, errDamaged) {
			break
		}
		s.add(k, int64(n))
		at += n
	}
	if at < len(b) && isNewest {
		if err := os.Truncate(s.path, int64(at)); err != nil {
			return fmt.Errorf("drop a record that was cut: %w", err)
		}
	}
	return nil
}
