package proc

import (
	"bufio"
	"io"
	"iter"
)

// lines yields the lines of at most limit bytes of r.
func lines(r io.Reader, limit int64) iter.Seq[string] {
	return func(yield func(string) bool) {
		s := bufio.NewScanner(io.LimitReader(r, limit))
		for s.Scan() {
			if !yield(s.Text()) {
				return
			}
		}
	}
}
