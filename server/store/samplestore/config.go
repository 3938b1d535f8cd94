// Package samplestore keeps the slow and failed requests of services, with their texts, on disk.
//
// In: samples as they end. Out: samples, newest first. It must not know the agent, nor HTTP.
//
// # Files
//
// A directory of segments, 00000001.samples and so on, each up to Config.SegmentBytes, only ever appended to. A segment is a row of records:
//
//	┌──────────────┬──────────────┬────────────┬─────────┬──────────────────┬─────────┬──────┐
//	│ length 4 LE  │ CRC-32C 4 LE │ time 8 LE  │ flags 1 │ service length 2 │ service │ JSON │
//	└──────────────┴──────────────┴────────────┴─────────┴──────────────────┴─────────┴──────┘
//	                              └──────────── length bytes, what the CRC is of ────────────┘
//
// Time is in Unix milliseconds; flags: 1 slow, 2 failed, 4 seen by the server. A batch is one write, so that a killed process loses nothing that was
// acknowledged. A record that is cut or damaged ends its segment: what was cut by a kill is dropped when the store is opened. Old segments go whole, by
// age and by the size of all. A machine that stops loses what was not synced: Config.SyncInterval.
package samplestore

import (
	"errors"
	"fmt"
	"time"
)

// Config says where samples are kept, and how many.
type Config struct {
	// Dir is the directory of the segments; it is made if missing. One Sonde owns it at a time.
	Dir string
	// Retention is how long samples are kept. A segment goes when its newest one is older.
	Retention time.Duration
	// MaxBytes bounds all segments together; SegmentBytes one of them, and so the memory that reading takes.
	MaxBytes, SegmentBytes int64
	// MinFreeBytes is the free disk space below which samples are refused.
	MinFreeBytes int64
	// SyncInterval is how often a segment is forced to the disk: what a power cut may cost.
	SyncInterval time.Duration
}

// DefaultConfig keeps three days or 64 MiB, whichever is less; Dir must still be set.
func DefaultConfig() Config {
	return Config{
		Retention: 72 * time.Hour, MaxBytes: 64 << 20, SegmentBytes: 1 << 20, MinFreeBytes: 256 << 20, SyncInterval: 5 * time.Second,
	}
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("directory of samples is empty"))
	}
	if c.Retention < time.Minute {
		errs = append(errs, fmt.Errorf("retention of samples %s: want at least a minute", c.Retention))
	}
	if c.SegmentBytes < maxRecord {
		errs = append(errs, fmt.Errorf("segment of %d bytes: want at least %d", c.SegmentBytes, maxRecord))
	}
	if c.MaxBytes < 2*c.SegmentBytes {
		errs = append(errs, fmt.Errorf("disk bound of samples of %d bytes: want room for two segments of %d", c.MaxBytes, c.SegmentBytes))
	}
	if c.MinFreeBytes < 0 || c.SyncInterval <= 0 {
		errs = append(errs, fmt.Errorf("free disk space %d and sync interval %s: must not be negative, and positive", c.MinFreeBytes, c.SyncInterval))
	}
	return errors.Join(errs...)
}
