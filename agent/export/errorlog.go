package export

import (
	"log/slog"
	"time"
)

// errorLog logs the failures of one sink: the first at once, the same again once a minute, and the end of the trouble.
// It belongs to one goroutine.
type errorLog struct {
	log  *slog.Logger
	last string
	at   time.Time
}

func (l *errorLog) failed(doing string, err error) {
	text := doing + err.Error()
	if text == l.last && time.Since(l.at) < time.Minute {
		return
	}
	l.last, l.at = text, time.Now()
	l.log.Warn(doing, "err", err)
}

func (l *errorLog) ok() {
	if l.last != "" {
		l.last = ""
		l.log.Info("delivering again")
	}
}
