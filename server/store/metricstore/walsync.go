package metricstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// syncLog forces the newest segment of the write-ahead log, and of the out-of-order one, to the disk. Earlier segments
// were forced by the log itself when it moved on (tsdb/wlog.WL.nextSegment), and the log writes every batch through to
// the kernel, so afterwards everything appended before the call survives a power cut.
func syncLog(dir string) error {
	return errors.Join(syncNewest(filepath.Join(dir, "wal")), syncNewest(filepath.Join(dir, "wbl")))
}

func syncNewest(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list log segments: %w", err)
	}
	newest := -1
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > newest && e.Type().IsRegular() {
			newest = n
		}
	}
	if newest < 0 {
		return nil
	}
	f, err := os.Open(filepath.Join(dir, fmt.Sprintf("%08d", newest)))
	if errors.Is(err, os.ErrNotExist) {
		return nil // truncated since
	}
	if err != nil {
		return fmt.Errorf("open log segment: %w", err)
	}
	if err := f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("sync log segment %d: %w", newest, err), f.Close())
	}
	return f.Close()
}
