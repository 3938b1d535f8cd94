package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The sizes here were counted by hand, from RFC 9112's grammar.
func TestExchanges(t *testing.T) {
	c := &Conn{
		sent: []byte("GET /a/7 HTTP/1.1\r\nHost: x\r\n\r\n" +
			"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5\r\nhello\r\n0\r\n\r\n" +
			"HEAD /c HTTP/1.1\r\nHost: x\r\n\r\n" +
			"GET /d HTTP/1.0\r\n\r\n"),
		received: []byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" +
			"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" +
			"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" +
			"HTTP/1.0 404 Not Found\r\n\r\nuntil the end"),
	}
	got, err := c.Exchanges()
	if err != nil {
		t.Fatal(err)
	}
	want := []Exchange{{"GET", "/a/7", 200, 0, 3}, {"POST", "/b", 201, 15, 12}, {"HEAD", "/c", 200, 0, 0}, {"GET", "/d", 404, 0, 13}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Exchanges (-want +got):\n%s", d)
	}
	var l Log
	for _, x := range append(got, got[0]) {
		l.Add(x)
	}
	if d := cmp.Diff(Row{Key{"GET", "/a/{id}", "200"}, Sum{2, 0, 6}}, l.Rows[0]); d != "" {
		t.Errorf("first row (-want +got):\n%s", d)
	}
	if want := (Sum{5, 15, 31}); l.Total() != want {
		t.Errorf("Total() = %v, want %v", l.Total(), want)
	}
}

func TestExchangesRefusesHalves(t *testing.T) {
	for name, c := range map[string]*Conn{
		"no response":   {sent: []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")},
		"half a body":   {sent: []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), received: []byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")},
		"one too many":  {sent: nil, received: []byte("HTTP/1.1 200 OK\r\n\r\n")},
		"not a request": {sent: []byte("nonsense\r\n\r\n")},
	} {
		if got, err := c.Exchanges(); err == nil {
			t.Errorf("%s: Exchanges() = %v, want an error", name, got)
		}
	}
}
