package wire

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Key is what requests are counted by.
type Key struct {
	Method, Route, Status string
}

// Sum is what is counted.
type Sum struct {
	N, RequestBytes, ResponseBytes int64
}

// Log is a load generator's own account. The zero value is ready to use; it is not safe for concurrent use.
type Log struct {
	Rows      []Row
	Durations []float64 // seconds, of requests that were timed
}

// Row is one line of a Log.
type Row struct {
	Key
	Sum
}

// Add counts an exchange under its route.
func (l *Log) Add(x Exchange) {
	l.AddRow(Row{Key{x.Method, Route(x.Path), strconv.Itoa(x.Status)}, Sum{1, x.RequestBytes, x.ResponseBytes}})
}

// AddRow adds counts to those of the same key.
func (l *Log) AddRow(r Row) {
	i, found := slices.BinarySearchFunc(l.Rows, r.Key, func(a Row, k Key) int { return compare(a.Key, k) })
	if !found {
		l.Rows = slices.Insert(l.Rows, i, Row{Key: r.Key})
	}
	l.Rows[i].N += r.N
	l.Rows[i].RequestBytes += r.RequestBytes
	l.Rows[i].ResponseBytes += r.ResponseBytes
}

// Merge adds another account to this one.
func (l *Log) Merge(o *Log) {
	for _, r := range o.Rows {
		l.AddRow(r)
	}
	l.Durations = append(l.Durations, o.Durations...)
}

// Total is the sum of all rows.
func (l *Log) Total() (t Sum) {
	for _, r := range l.Rows {
		t.N += r.N
		t.RequestBytes += r.RequestBytes
		t.ResponseBytes += r.ResponseBytes
	}
	return t
}

func (l *Log) String() string {
	var b strings.Builder
	for _, r := range l.Rows {
		fmt.Fprintf(&b, "%-7s %-24s %3s %8d × %10d B in %12d B out\n", r.Method, r.Route, r.Status, r.N, r.RequestBytes, r.ResponseBytes)
	}
	return b.String()
}

func compare(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Route, b.Route), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Status, b.Status))
}

// Route is the template of the paths that the load generators use: a segment that is a number is {id}, all others are words.
func Route(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if _, err := strconv.ParseUint(s, 10, 64); err == nil {
			segments[i] = "{id}"
		}
	}
	return strings.Join(segments, "/")
}
