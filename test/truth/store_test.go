package truth

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/test/sut"
)

// A storeClaim is what one end of conversations with a cache or a database must show: "operation status" → exchanges, exactly.
type storeClaim struct {
	service, side, protocol string
	want                    map[string]float64
	ignore                  string // an operation that the oracle does not count
}

func (c storeClaim) difference(x *sut.Sonde) string {
	got, err := byLabels(x, fmt.Sprintf(`sum by (db_operation_name, db_response_status_code) (histogram_count(db_%s_operation_duration_seconds{service_name=%q, network_protocol_name=%q}))`,
		c.side, c.service, c.protocol), "db_operation_name", "db_response_status_code")
	if err != nil {
		return err.Error()
	}
	for k := range got {
		if c.ignore != "" && strings.HasPrefix(k, c.ignore+" ") {
			delete(got, k)
		}
	}
	if d := cmp.Diff(c.want, got); d != "" {
		return fmt.Sprintf("%s as %s:\n%s", c.service, c.side, d)
	}
	return ""
}

// checkStore waits until Sonde shows what is claimed, and looks once more a flush later.
func checkStore(t *testing.T, x *sut.Sonde, claims ...storeClaim) {
	t.Helper()
	all := func() (d string) {
		for _, c := range claims {
			if len(c.want) == 0 {
				return c.service + " made no requests: the test is void"
			}
			d += c.difference(x)
		}
		return d
	}
	d := all()
	for deadline := time.Now().Add(settleTimeout); d != "" && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		d = all()
	}
	if d == "" {
		time.Sleep(1500 * time.Millisecond)
		d = all()
	}
	if d != "" {
		lost, err := x.Lost()
		t.Errorf("Sonde differs from the truth (-truth +Sonde); losses it reports: %v %v\n%s", lost, err, d)
	}
}

// eventuallyEqual waits until got is what is wanted, and looks once more a flush later.
func eventuallyEqual(t *testing.T, x *sut.Sonde, what string, want map[string]float64, got func() map[string]float64) {
	t.Helper()
	d := cmp.Diff(want, got())
	for deadline := time.Now().Add(settleTimeout); d != "" && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		d = cmp.Diff(want, got())
	}
	if d == "" {
		time.Sleep(1500 * time.Millisecond)
		d = cmp.Diff(want, got())
	}
	if d != "" {
		lost, err := x.Lost()
		t.Errorf("%s differs from the truth (-truth +Sonde); losses it reports: %v %v\n%s", what, lost, err, d)
	}
}

// cutLast cuts at the last space.
func cutLast(s string) (before, after string, ok bool) {
	if i := strings.LastIndexByte(s, ' '); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// portOf returns the port of an address.
func portOf(addr string) int {
	_, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	return n
}

// finished waits for a client to end well and returns what it said.
func finished(t *testing.T, p *process) string {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(2 * time.Minute):
		p.stop()
		t.Fatalf("%s did not end; it said: %s", p.service, p.stderr.String())
	}
	if p.err != nil {
		t.Fatalf("%s: %v: %s%s", p.service, p.err, p.stdout.String(), p.stderr.String())
	}
	return p.stdout.String()
}

// ask sends one line or command to a server on a connection of its own and returns what comes until a line that ends it.
func ask(t *testing.T, addr, command, end string) []string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprint(c, command)
	var lines []string
	for s := bufio.NewScanner(c); s.Scan(); {
		lines = append(lines, strings.TrimRight(s.Text(), "\r"))
		if lines[len(lines)-1] == end {
			break
		}
	}
	return lines
}
