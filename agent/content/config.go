package content

import (
	"errors"
	"time"
)

// Config bounds what is kept.
type Config struct {
	// SlowThreshold: an exchange is slow if it lasted strictly longer; the same as that of the metrics.
	SlowThreshold time.Duration
	// PerService is how many are kept of a service in a second, of each side and kind; so many more may come at once after a quiet second.
	PerService float64
	// PerHost is the same for all services together.
	PerHost float64
	// MaxText bounds the text of each message in bytes.
	MaxText int
}

// DefaultConfig keeps little: whoever looks wants some examples, not all.
var DefaultConfig = Config{SlowThreshold: 500 * time.Millisecond, PerService: 5, PerHost: 50, MaxText: 4 << 10}

// Validate returns what is wrong with the configuration, or nil.
func (c Config) Validate() error {
	switch {
	case c.SlowThreshold <= 0:
		return errors.New("content: the slow threshold must be positive")
	case c.PerService <= 0 || c.PerHost <= 0:
		return errors.New("content: rates must be positive; to keep nothing, turn it off")
	case c.MaxText < 256:
		return errors.New("content: texts must have room for 256 bytes")
	}
	return nil
}
