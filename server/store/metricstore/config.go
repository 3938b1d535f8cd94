package metricstore

import (
	"errors"
	"fmt"
	"time"
)

// Config says where metrics are kept and for how long.
type Config struct {
	// Dir is the data directory; it is made if missing. One Sonde owns it at a time.
	Dir string
	// Retention is how long samples are kept, at least.
	Retention time.Duration
	// MaxBytes bounds the disk used by blocks, WAL and head chunks; the oldest block goes first.
	MaxBytes int64
	// MinFreeBytes is the free disk space below which batches are refused. The TSDB takes a file of 128 MiB for head chunks
	// at once (chunks.MaxHeadChunkFileSize) and panics where it cannot, so storing must end before the disk is full.
	MinFreeBytes int64
	// FsyncInterval is how often the log is forced to the disk: what a power cut may cost. A killed process loses nothing
	// that Append has returned for, because the log is written to the kernel with every batch.
	FsyncInterval time.Duration
	// OutOfOrderWindow is how late a sample may come.
	OutOfOrderWindow time.Duration
	// BlockDuration is the time range of the head before it becomes a block on disk.
	BlockDuration time.Duration
	// MaxSeries bounds the series in memory; samples of further series are refused and counted.
	MaxSeries uint64
	// ExternalLabels are put on every series that Append writes and that has no such label of its own or of its batch.
	ExternalLabels map[string]string
}

// DefaultConfig keeps 15 days or 2 GiB, whichever is less; Dir must still be set.
func DefaultConfig() Config {
	return Config{
		Retention:        15 * 24 * time.Hour,
		MaxBytes:         2 << 30,
		MinFreeBytes:     256 << 20,
		FsyncInterval:    5 * time.Second,
		OutOfOrderWindow: time.Minute,
		BlockDuration:    2 * time.Hour, // tsdb.DefaultBlockDuration
		MaxSeries:        500_000,
	}
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("data directory is empty"))
	}
	if c.Retention < c.BlockDuration {
		errs = append(errs, fmt.Errorf("retention %s is shorter than one block (%s)", c.Retention, c.BlockDuration))
	}
	if c.MaxBytes < 64<<20 {
		errs = append(errs, fmt.Errorf("disk bound of %d bytes is less than 64 MiB", c.MaxBytes))
	}
	if c.MinFreeBytes < 0 {
		errs = append(errs, fmt.Errorf("free disk space of %d bytes is negative", c.MinFreeBytes))
	}
	if c.FsyncInterval <= 0 {
		errs = append(errs, fmt.Errorf("fsync interval %s is not positive", c.FsyncInterval))
	}
	if c.OutOfOrderWindow < 0 || c.OutOfOrderWindow > c.BlockDuration {
		errs = append(errs, fmt.Errorf("out-of-order window %s is not within 0 and one block (%s)", c.OutOfOrderWindow, c.BlockDuration))
	}
	if c.BlockDuration < time.Minute {
		errs = append(errs, fmt.Errorf("block duration %s is less than a minute", c.BlockDuration))
	}
	if c.MaxSeries == 0 {
		errs = append(errs, errors.New("series bound is zero"))
	}
	return errors.Join(errs...)
}
