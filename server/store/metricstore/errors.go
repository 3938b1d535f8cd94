package metricstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// What a user can act on; each is wrapped with the remedy.
var (
	ErrLocked      = errors.New("data directory is in use by another Sonde")
	ErrNotWritable = errors.New("data directory is not writable")
	ErrDiskFull    = errors.New("disk is full")
)

// classify adds one of the sentinels and what to do about it where the cause is known.
func classify(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: free space under %s, or lower the disk bound: %w", ErrDiskFull, dir, err)
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: give this user write access to %s, or choose another with --data: %w", ErrNotWritable, dir, err)
	case errors.Is(err, syscall.EAGAIN):
		return fmt.Errorf("%w: stop it, or choose another directory than %s with --data: %w", ErrLocked, dir, err)
	}
	return err
}

// checkWritable finds out before the store opens, because a store that fails half-way names only one of its many files.
func checkWritable(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return err
	}
	_, err = probe.Write(make([]byte, 4096))
	return errors.Join(err, probe.Close(), os.Remove(filepath.Clean(probe.Name())))
}
