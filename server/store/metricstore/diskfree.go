package metricstore

import (
	"fmt"
	"syscall"
	"time"
)

// freeCheckInterval: a statfs costs a microsecond, but there may be several batches at once.
const freeCheckInterval = time.Second

// checkFree returns ErrDiskFull while less than cfg.MinFreeBytes are free. The caller holds s.appending.
func (s *Store) checkFree(now time.Time) error {
	if now.Sub(s.freeChecked) < freeCheckInterval {
		return s.freeErr
	}
	s.freeChecked = now
	s.freeErr = diskFree(s.cfg.Dir, s.cfg.MinFreeBytes)
	return s.freeErr
}

func diskFree(dir string, minimum int64) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("ask for free space of %s: %w", dir, err)
	}
	if free := int64(fs.Bavail) * fs.Bsize; free < minimum {
		return fmt.Errorf("%w: %d MiB are free under %s and nothing is stored below %d MiB: free space, or choose another directory with --data",
			ErrDiskFull, free>>20, dir, minimum>>20)
	}
	return nil
}
