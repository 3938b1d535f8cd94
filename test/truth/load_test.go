package truth

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// load makes a.Requests GET requests over a.Connections kept-alive connections, at a.Rate if that is set, to a.Paths in
// turn. It speaks HTTP by hand, so that it is fast and its clock sits at the socket. Plan "timed" keeps every duration.
func load(a Args) (*wire.Log, error) {
	var ticket atomic.Int64
	logs, errs := make([]wire.Log, a.Connections), make([]error, a.Connections)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range a.Connections {
		wg.Go(func() {
			c, err := net.Dial(a.Network, a.Addr)
			if err != nil {
				errs[i] = err
				return
			}
			defer c.Close()
			w := &worker{args: a, conn: c, log: &logs[i], buf: make([]byte, 64<<10), sums: map[wire.Key]*wire.Sum{}}
			for n := ticket.Add(1) - 1; n < int64(a.Requests) && errs[i] == nil; n = ticket.Add(1) - 1 {
				if a.Rate > 0 {
					time.Sleep(time.Until(start.Add(time.Duration(float64(n) / a.Rate * float64(time.Second)))))
				}
				errs[i] = w.ask(int(n))
			}
			w.close()
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
	fmt.Fprintf(os.Stderr, "rate %.0f\n", float64(a.Requests)/time.Since(start).Seconds())
	return total, nil
}

// maxHead is more than the head of any reply here; what comes after may be overwritten.
const maxHead = 4 << 10

type worker struct {
	args Args
	conn net.Conn
	log  *wire.Log
	buf  []byte
	sums map[wire.Key]*wire.Sum
}

func (w *worker) ask(n int) error {
	path := w.args.Paths[n%len(w.args.Paths)]
	if strings.Contains(path, "%") {
		path = fill(path, n)
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
	if w.args.Plan == "timed" {
		w.log.Durations = append(w.log.Durations, end.Sub(begin).Seconds())
	}
	head := bytes.Index(w.buf, []byte("\r\n\r\n")) + 4
	key := wire.Key{Method: "GET", Route: wire.Route(path), Status: string(w.buf[9:12])}
	if len(w.args.Paths) == 1 && strings.Contains(path, "/word/") {
		key.Route = "(all)" // as many routes as requests: only their sum is kept
	}
	s := w.sums[key]
	if s == nil {
		s = &wire.Sum{}
		w.sums[key] = s
	}
	s.N++
	s.ResponseBytes += int64(need - head)
	return nil
}

func (w *worker) close() {
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
