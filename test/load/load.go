// Package load makes many HTTP requests and keeps its own account of them.
//
// In: a plan. Out: a log of what was answered, sizes as on the wire, durations by its own clock at the socket. It is an
// oracle, so it must not know Sonde.
package load

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// Plan says what to ask for.
type Plan struct {
	Network, Addr string
	Requests      int
	Connections   int      // kept alive, each with one request at a time
	Rate          float64  // requests per second over all connections; 0 is as fast as it goes
	Paths         []string // in turn; "%d" is the number of the request, "%w" a word made of it
	Timed         bool     // keep the duration of each request
}

// Run makes GET requests and returns when all are answered. It speaks HTTP by hand, so that it is fast and its clock sits
// at the socket. Replies must have a length.
func Run(a Plan) (*wire.Log, error) {
	var ticket atomic.Int64
	logs, errs := make([]wire.Log, a.Connections), make([]error, a.Connections)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range a.Connections {
		wg.Go(func() {
			w := &worker{plan: a, log: &logs[i], buf: make([]byte, 64<<10), sums: map[wire.Key]*wire.Sum{}}
			defer w.close()
			for n := ticket.Add(1) - 1; n < int64(a.Requests) && errs[i] == nil; n = ticket.Add(1) - 1 {
				if a.Rate > 0 {
					time.Sleep(time.Until(start.Add(time.Duration(float64(n) / a.Rate * float64(time.Second)))))
				}
				errs[i] = w.ask(int(n))
			}
		})
	}
	wg.Wait()
	total := &wire.Log{}
	for i := range logs {
		if errs[i] != nil {
			return nil, errs[i]
		}
		total.Merge(&logs[i])
	}
	return total, nil
}

// AllWords is the route under which requests for "/word/%w" are logged together.
const AllWords = "(all)"

// maxHead is more than the head of any reply here; what comes after may be overwritten.
const maxHead = 4 << 10

type worker struct {
	plan Plan
	conn net.Conn
	log  *wire.Log
	buf  []byte
	sums map[wire.Key]*wire.Sum
}

func (w *worker) ask(n int) error {
	path := w.plan.Paths[n%len(w.plan.Paths)]
	if strings.Contains(path, "%") {
		path = fill(path, n)
	}
	if w.conn == nil {
		var err error
		if w.conn, err = net.Dial(w.plan.Network, w.plan.Addr); err != nil {
			return fmt.Errorf("connect for request %d: %w", n, err)
		}
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: truth\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n"
	begin := time.Now()
	if _, err := w.conn.Write([]byte(request)); err != nil {
		return fmt.Errorf("send request %d: %w", n, err)
	}
	got, need := 0, -1
	for need < 0 || got < need {
		k, err := w.conn.Read(w.buf[min(got, maxHead):]) // of a body only the size matters
		if err != nil {
			return fmt.Errorf("receive response %d: %w", n, err)
		}
		got += k
		if need < 0 {
			need = wholeSize(w.buf[:got])
		}
	}
	end := time.Now()
	if got > need {
		return fmt.Errorf("response %d: %d bytes too many", n, got-need)
	}
	if w.plan.Timed {
		w.log.Durations = append(w.log.Durations, end.Sub(begin).Seconds())
	}
	head := bytes.Index(w.buf, []byte("\r\n\r\n")) + 4
	key := wire.Key{Method: "GET", Route: wire.Route(path), Status: string(w.buf[9:12])}
	if len(w.plan.Paths) == 1 && strings.Contains(path, "/word/") {
		key.Route = AllWords // as many routes as requests: only their sum is kept
	}
	s := w.sums[key]
	if s == nil {
		s = &wire.Sum{}
		w.sums[key] = s
	}
	s.N++
	s.ResponseBytes += int64(need - head)
	if bytes.Contains(w.buf[:head], []byte("\r\nConnection: close\r\n")) { // nginx, after a 500
		w.conn.Close()
		w.conn = nil
	}
	return nil
}

// close ends the connection and hands in the account.
func (w *worker) close() {
	if w.conn != nil {
		w.conn.Close()
	}
	for k, s := range w.sums {
		w.log.AddRow(wire.Row{Key: k, Sum: *s})
	}
}

// wholeSize is the size of the message that begins b, or -1 as long as its head is not complete.
func wholeSize(b []byte) int {
	head := bytes.Index(b, []byte("\r\n\r\n"))
	if head < 0 {
		return -1
	}
	const name = "\r\ncontent-length: "
	i := bytes.Index(bytes.ToLower(b[:head+2]), []byte(name))
	if i < 0 {
		return head + 4
	}
	digits, _, _ := bytes.Cut(b[i+len(name):], []byte("\r\n"))
	n, _ := strconv.Atoi(string(digits))
	return head + 4 + n
}

// fill puts the number of a request in a path: "%d" as a number, "%w" as a word of letters that looks like no number, id or
// hash: nothing that a template could recognise.
func fill(path string, n int) string {
	path = strings.ReplaceAll(path, "%d", strconv.Itoa(n))
	if !strings.Contains(path, "%w") {
		return path
	}
	syllables := []string{"ba", "do", "fe", "gi", "ku", "la", "mo", "ne", "pi", "ru"}
	var b strings.Builder
	for _, d := range strconv.Itoa(n) {
		b.WriteString(syllables[d-'0'])
	}
	return strings.ReplaceAll(path, "%w", b.String())
}
