package samplestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/sonde-dev/sonde/signal"
)

const sideServer = "server"

// ErrClosed is returned by a store after Close.
var ErrClosed = errors.New("store of samples is closed")

// Store keeps samples. It is safe for concurrent use; writers wait for one another, and readers only while the list of segments is copied.
type Store struct {
	cfg Config
	now func() time.Time

	mu       sync.Mutex
	segments []*segment // oldest first; the last one is being written
	file     *os.File   // of it; nil before the first write
	synced   time.Time
	closed   bool
	buf      []byte
}

// Open reads the directory. now is nil for time.Now. cfg must be valid.
func Open(cfg Config, now func() time.Time) (*Store, error) {
	if now == nil {
		now = time.Now
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of samples: %w", err)
	}
	segments, err := openSegments(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, now: now, segments: segments, synced: now()}
	s.expire()
	return s, nil
}

// Append writes samples in one write. When it returns nil, a kill of the process can no longer lose them.
func (s *Store) Append(_ context.Context, samples []signal.Sample) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if err := s.checkFree(); err != nil {
		return err
	}
	var errs []error
	for i := range samples {
		errs = append(errs, s.append(&samples[i]))
	}
	errs = append(errs, s.flush(), s.sync())
	s.expire()
	return errors.Join(errs...)
}

// append encodes a sample; it is written with the others of its segment.
func (s *Store) append(x *signal.Sample) error {
	before := len(s.buf)
	b, err := appendRecord(s.buf, x)
	if err != nil {
		return err
	}
	s.buf = b
	n := int64(len(b) - before)
	if seg := s.newest(); s.file == nil || seg.size+int64(before)+n > s.cfg.SegmentBytes || s.isOld(seg, x) {
		record := append([]byte(nil), b[before:]...)
		s.buf = b[:before]
		if err := errors.Join(s.flush(), s.rotate()); err != nil {
			return err
		}
		s.buf = append(s.buf, record...)
	}
	return nil
}

// segmentsInTime is how many segments the retention is divided into at least: a sample is kept longer than that by one part at most.
const segmentsInTime = 16

// isOld reports whether a segment holds samples of too long a time to take one more.
func (s *Store) isOld(seg *segment, x *signal.Sample) bool {
	return seg.records > 0 && millis(x.Time)-seg.from > (s.cfg.Retention/segmentsInTime).Milliseconds()
}

func (s *Store) newest() *segment {
	if len(s.segments) == 0 {
		return &segment{}
	}
	return s.segments[len(s.segments)-1]
}

// rotate begins a segment, or goes on with the newest one of the last run if there is room.
func (s *Store) rotate() error {
	seg := s.newest()
	if s.file == nil && len(s.segments) > 0 && seg.size < s.cfg.SegmentBytes/2 && s.now().Sub(time.UnixMilli(seg.from)) < s.cfg.Retention/segmentsInTime {
		return s.openFile(seg)
	}
	if s.file != nil {
		if err := errors.Join(s.file.Sync(), s.file.Close()); err != nil {
			return fmt.Errorf("end a segment of samples: %w", err)
		}
		s.file = nil
	}
	seg = &segment{path: segmentPath(s.cfg.Dir, seg.number+1), number: seg.number + 1}
	if err := s.openFile(seg); err != nil {
		return err
	}
	s.segments = append(s.segments, seg)
	return nil
}

func (s *Store) openFile(seg *segment) (err error) {
	if s.file, err = os.OpenFile(seg.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		s.file = nil
		return fmt.Errorf("open segment of samples: %w", err)
	}
	return nil
}

// flush writes what append has encoded. After a write that failed half-way the segment is cut back.
func (s *Store) flush() error {
	b := s.buf
	s.buf = s.buf[:0]
	if len(b) == 0 {
		return nil
	}
	seg := s.newest()
	if n, err := s.file.Write(b); err != nil {
		if n > 0 {
			err = errors.Join(err, s.file.Truncate(seg.size))
		}
		return fmt.Errorf("write samples: %w", err)
	}
	for len(b) > 0 {
		k, _, n, err := readRecord(b)
		if err != nil {
			return fmt.Errorf("read what was just written: %w", err)
		}
		seg.add(k, int64(n))
		b = b[n:]
	}
	return nil
}

func (s *Store) sync() error {
	now := s.now()
	if s.file == nil || now.Sub(s.synced) < s.cfg.SyncInterval {
		return nil
	}
	s.synced = now
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("sync samples: %w", err)
	}
	return nil
}

// expire removes the segments that are too old, and the oldest while there are too many bytes.
func (s *Store) expire() {
	oldest := millis(s.now().Add(-s.cfg.Retention))
	total := s.bytes()
	for len(s.segments) > 0 {
		seg := s.segments[0]
		// A segment more than there are: the newest one grows.
		if seg.to >= oldest && (len(s.segments) == 1 || total+s.cfg.SegmentBytes-s.newest().size <= s.cfg.MaxBytes) {
			return
		}
		if s.file != nil && len(s.segments) == 1 { // the one being written is too old as a whole
			_ = s.file.Close()
			s.file = nil
		}
		if err := os.Remove(seg.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return // tried again with the next batch
		}
		total -= seg.size
		s.segments = s.segments[1:]
	}
}

func (s *Store) bytes() (n int64) {
	for _, seg := range s.segments {
		n += seg.size
	}
	return n
}

// expireInterval is how often age is looked at while nothing is written.
const expireInterval = time.Minute

// Run removes what is too old and syncs what was written, until ctx ends. It returns nil.
func (s *Store) Run(ctx context.Context) error {
	t := time.NewTicker(expireInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			s.mu.Lock()
			if !s.closed {
				s.expire()
				_ = s.sync() // said by the next Append, if it goes on
			}
			s.mu.Unlock()
		}
	}
}

func (s *Store) checkFree() error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(s.cfg.Dir, &fs); err != nil {
		return fmt.Errorf("ask for free space of %s: %w", s.cfg.Dir, err)
	}
	if free := int64(fs.Bavail) * fs.Bsize; free < s.cfg.MinFreeBytes {
		return fmt.Errorf("%d MiB are free under %s and no sample is stored below %d MiB", free>>20, s.cfg.Dir, s.cfg.MinFreeBytes>>20)
	}
	return nil
}

// Usage is what is kept now.
type Usage struct {
	Records      int
	Bytes, Bound int64
	Retention    time.Duration
	Oldest       time.Time // zero where nothing is kept
}

// Usage tells what is kept now.
func (s *Store) Usage() Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := Usage{Bytes: s.bytes(), Bound: s.cfg.MaxBytes, Retention: s.cfg.Retention}
	for _, seg := range s.segments {
		if seg.records > 0 && (u.Oldest.IsZero() || seg.from < u.Oldest.UnixMilli()) {
			u.Oldest = time.UnixMilli(seg.from)
		}
		u.Records += seg.records
	}
	return u
}

// Close forces everything to the disk. The store must not be used afterwards.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.file == nil {
		return nil
	}
	if err := errors.Join(s.file.Sync(), s.file.Close()); err != nil {
		return fmt.Errorf("close samples: %w", err)
	}
	return nil
}
