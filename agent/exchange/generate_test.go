package exchange_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// said is what one side says without being interrupted.
type said struct {
	from string
	text []byte
	ends []int // of the messages in text
}

// script is a whole conversation and what is true of it: the generator is the oracle.
type script struct {
	said []said
	want []string // as describe renders them
}

// writer makes scripts.
type writer struct {
	*rand.Rand
	n int
	// wantsPlain keeps chunked bodies out of requests: the end of one whose framing is lost is taken from the end of a call, which
	// is wrong when another request follows in the same call.
	wantsPlain bool
}

func (w *writer) pick(words ...string) string { return words[w.IntN(len(words))] }

func (w *writer) text(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz \r\n0123456789:/"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[w.IntN(len(letters))]
	}
	return string(b)
}

func (w *writer) size() int {
	return []int{0, 1, w.IntN(20), w.IntN(300), w.IntN(5000)}[w.IntN(5)]
}

// chunks puts a body into the chunked coding.
func (w *writer) chunks(body string) string {
	var b strings.Builder
	for body != "" {
		n := 1 + w.IntN(len(body))
		fmt.Fprintf(&b, w.pick("%x\r\n", "%X\r\n", "%x;ext=1\r\n", "0%x\r\n", "%x \r\n"), n)
		b.WriteString(body[:n] + "\r\n")
		body = body[n:]
	}
	b.WriteString("0\r\n" + w.pick("", "", "X-Trailer: 1\r\n") + "\r\n")
	return b.String()
}

func (w *writer) fields() string {
	var b strings.Builder
	for range w.IntN(4) {
		b.WriteString(w.pick("Host: a.example:80\r\n", "Accept: */*\r\n", "X-Folded: a\r\n b\r\n", "Cookie: "+strings.Repeat("c", w.IntN(100))+"\r\n", "Vary: x\n"))
	}
	return b.String()
}

// request writes one and returns its method and the size of its body on the wire.
func (w *writer) request(path string) (text, method string, body int) {
	method = w.pick("GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
	text = w.pick("", "", "\r\n") + method + " " + w.pick("", "http://h:1") + path + w.pick("", "?q=GET /x HTTP") + " HTTP/1.1\r\n" + w.fields()
	text = strings.Replace(text, "?q=GET /x HTTP", "?q=%20", 1)
	content := ""
	if method == "POST" || method == "PUT" {
		content = w.text(w.size())
		if w.IntN(2) == 0 && !w.wantsPlain {
			text += "Transfer-Encoding: chunked\r\n"
			content = w.chunks(content)
		} else {
			text += fmt.Sprintf("Content-length: %d\r\n", len(content))
		}
	}
	return text + "\r\n" + content, method, len(content)
}

// response writes one; the last of a connection may last until close.
func (w *writer) response(method string, isLast bool) (text, status string, body int) {
	status = w.pick("200", "200", "200", "201", "204", "304", "404", "500", "503")
	for range w.IntN(4) / 2 {
		text += w.pick("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
	}
	content := w.text(w.size())
	head := "HTTP/1.1 " + status + w.pick(" OK", " Some Reason", "") + "\r\n" + w.fields()
	switch coding := w.IntN(3); {
	case isLast && coding == 0:
	case coding == 1:
		head += "Transfer-Encoding: chunked\r\n"
		content = w.chunks(content)
	default:
		head += fmt.Sprintf("Content-Length: %d\r\n", len(content))
	}
	if method == "HEAD" || status == "204" || status == "304" {
		content = ""
	}
	return text + head + "\r\n" + content, status, len(content)
}

// write makes a conversation of some turns; with pipelining, a turn has several requests and then their responses.
func (w *writer) write(turns int, pipelined bool) script {
	var s script
	for i := range turns {
		requests, responses := said{from: "client"}, said{from: "server"}
		size := 1
		if pipelined {
			size = 1 + w.IntN(4)
		}
		for j := range size {
			w.n++
			path := fmt.Sprintf("/r%d", w.n)
			req, method, reqBody := w.request(path)
			res, status, resBody := w.response(method, i == turns-1 && j == size-1)
			requests.add(req)
			responses.add(res)
			s.want = append(s.want, fmt.Sprintf("%s %s %s req=%d res=%d", method, path, status, reqBody, resBody))
		}
		s.said = append(s.said, requests, responses)
	}
	return s
}

func (s *said) add(text string) {
	s.text = append(s.text, text...)
	s.ends = append(s.ends, len(s.text))
}
