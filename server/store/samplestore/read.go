package samplestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/signal"
)

// Query says what is looked for. Empty fields match everything.
type Query struct {
	Service  string
	Side     string // "server" or "client"
	Kind     string // "slow" or "failed"
	Protocol string
	// Interface is an operation and a target with a space between: "GET /orders/{id}"; one of them where there is only that.
	Interface  string
	Start, End time.Time // of the requests' beginning, both included
	Limit      int       // at least 1
}

// Read returns the samples that match and ended last, the one that began last first, and whether there are more. It reads one segment at a time.
func (s *Store) Read(ctx context.Context, q Query) ([]signal.Sample, bool, error) {
	found, hasMore, err := s.read(ctx, q)
	slices.SortStableFunc(found, func(a, b signal.Sample) int { return b.Time.Compare(a.Time) })
	return found, hasMore, err
}

func (s *Store) read(ctx context.Context, q Query) (found []signal.Sample, hasMore bool, err error) {
	s.mu.Lock()
	segments := make([]segment, len(s.segments))
	for i, seg := range s.segments {
		segments[i] = *seg
	}
	s.mu.Unlock()
	var buf []byte
	for i := len(segments) - 1; i >= 0; i-- {
		seg := &segments[i]
		if seg.records == 0 || seg.to < millis(q.Start) || seg.from > millis(q.End) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		if buf, err = seg.read(buf); err != nil {
			return nil, false, err
		}
		if found, hasMore, err = q.collect(buf, found); hasMore || err != nil {
			return found, hasMore, err
		}
	}
	return found, false, nil
}

// read returns the bytes of a segment as far as they were written when it was copied. One that was removed meanwhile is empty.
func (s *segment) read(buf []byte) ([]byte, error) {
	f, err := os.Open(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return buf[:0], nil
	}
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	defer f.Close()
	if int64(cap(buf)) < s.size {
		buf = make([]byte, s.size)
	}
	buf = buf[:s.size]
	if _, err := io.ReadFull(f, buf); err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	return buf, nil
}

// collect adds the matching samples of a segment, last first, up to the limit.
func (q *Query) collect(b []byte, found []signal.Sample) ([]signal.Sample, bool, error) {
	var bodies [][]byte
	for len(b) > 0 {
		k, body, n, err := readRecord(b)
		if err != nil {
			break // damaged since it was opened
		}
		if q.matchesKey(k) {
			bodies = append(bodies, body)
		}
		b = b[n:]
	}
	for i := len(bodies) - 1; i >= 0; i-- {
		var x signal.Sample
		if err := json.Unmarshal(bodies[i], &x); err != nil {
			return found, false, fmt.Errorf("decode sample: %w", err)
		}
		if !q.matches(&x) {
			continue
		}
		if len(found) == q.Limit {
			return found, true, nil
		}
		found = append(found, x)
	}
	return found, false, nil
}

func (q *Query) matchesKey(k key) bool {
	switch {
	case q.Service != "" && string(k.service) != q.Service,
		k.time < millis(q.Start) || k.time > millis(q.End),
		q.Kind == "slow" && k.flags&flagSlow == 0, q.Kind == "failed" && k.flags&flagFailed == 0,
		q.Side != "" && (q.Side == sideServer) != (k.flags&flagServer != 0):
		return false
	}
	return true
}

func (q *Query) matches(s *signal.Sample) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(q.Protocol, s.Protocol) && is(q.Interface, strings.TrimSpace(s.Operation+" "+s.Target))
}
