package probe

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// sceneArray uses one array of messages for several sendmmsg and recvmmsg, of which some move fewer messages than it
// has room for.
func sceneArray(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	err = converse(client, server, senderNamed("write"), receiverNamed("read"), request("/first", 10), response(20))
	if err != nil {
		return err
	}
	array := make([]mmsghdr, 8)
	for _, n := range []int{2, 4, 1, 3} {
		var parts [][]byte
		for i := range n {
			parts = append(parts, request(fmt.Sprintf("/%d/%d", n, i), 0))
		}
		all := bytes.Join(parts, nil)
		err := client.exactly("sendmmsg", &client.Out, moved{Data: all}, func() (int, error) {
			return messagesIn(array, unix.SYS_SENDMMSG, client.fd, parts, 0)
		})
		if err != nil {
			return err
		}
		if err := server.waitFor(unix.POLLIN); err != nil {
			return err
		}
		room := make([][]byte, 5) // one more than there is ever something for
		for i := range room {
			room[i] = make([]byte, len(parts[0]))
		}
		err = server.exactly("recvmmsg", &server.In, moved{Data: all}, func() (int, error) {
			return messagesIn(array, unix.SYS_RECVMMSG, server.fd, room, unix.MSG_DONTWAIT)
		})
		if err != nil {
			return err
		}
		resp := bytes.Repeat(response(0), n)
		if err := server.send(senderNamed("write"), resp, len(resp)); err != nil {
			return err
		}
		if err := client.receive(receiverNamed("read"), len(resp), len(resp)); err != nil {
			return err
		}
	}
	return nil
}

// sceneIovecs sends and receives a request with iovecs of the given sizes; the last takes what is left.
func sceneIovecs(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	for range 2 {
		req := request("/iovecs", 400)
		parts := func(b []byte) (parts [][]byte) {
			for _, a := range args[1:] {
				n, _ := strconv.Atoi(a)
				parts, b = append(parts, b[:n]), b[n:]
			}
			return append(parts, b)
		}
		must := 0
		for i, p := range parts(req) {
			if i < 16 { // IOVECS_MAX
				must += len(p)
			}
		}
		must = min(must, headLen(req))
		err := client.exactly("writev", &client.Out, moved{Data: req, Must: must}, func() (int, error) {
			return vector(unix.SYS_WRITEV, client.fd, parts(req))
		})
		if err != nil {
			return err
		}
		err = server.exactly("readv", &server.In, moved{Data: req, Must: must}, func() (int, error) {
			return vector(unix.SYS_READV, server.fd, parts(make([]byte, len(req))))
		})
		if err != nil {
			return err
		}
		if err := server.send(senderNamed("write"), response(5), headLen(response(5))); err != nil {
			return err
		}
		if err := client.receive(receiverNamed("read"), len(response(5)), headLen(response(5))); err != nil {
			return err
		}
	}
	return nil
}

// sendCut sends b n bytes at a time.
func (s *sock) sendCut(b []byte, n, must int) error {
	for _, p := range cut(b, n) {
		if err := s.send(senderNamed("write"), p, max(0, min(len(p), must))); err != nil {
			return err
		}
		must -= n
	}
	return nil
}

// receiveCut receives total bytes, n at a time.
func (s *sock) receiveCut(total, n, must int) error {
	for total > 0 {
		now := min(n, total)
		if err := s.receive(receiverNamed("recvfrom-waitall"), now, max(0, min(now, must))); err != nil {
			return err
		}
		total, must = total-now, must-now
	}
	return nil
}

// sceneCut sends and receives messages so many bytes at a time, with a body of so many bytes.
func sceneCut(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(args[1])
	size, _ := strconv.Atoi(args[2])
	for range 2 {
		req, resp := request("/cut", size), response(size)
		done := make(chan error, 1)
		go func() { done <- client.sendCut(req, n, headLen(req)) }()
		if err := server.receiveCut(len(req), n, headLen(req)); err != nil {
			return err
		}
		if err := <-done; err != nil {
			return err
		}
		go func() { done <- server.sendCut(resp, n, headLen(resp)) }()
		if err := client.receiveCut(len(resp), n, headLen(resp)); err != nil {
			return err
		}
		if err := <-done; err != nil {
			return err
		}
	}
	return nil
}

// scenePipeline sends several requests, then as many responses, cut every so many bytes. Either all of it has to be
// captured, or the requests only.
func scenePipeline(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(args[2])
	for round := range 2 {
		var reqs, resps []byte
		for i := range 4 {
			reqs = fmt.Appendf(reqs, "GET /%d/%d HTTP/1.1\r\nHost: here\r\n\r\n", round, i)
			resps = append(resps, response(700)...)
		}
		must := len(resps)
		if args[1] == "requests" {
			must = 0
		}
		if err := client.sendCut(reqs, n, len(reqs)); err != nil {
			return err
		}
		if err := server.receiveCut(len(reqs), n, len(reqs)); err != nil {
			return err
		}
		if err := server.sendCut(resps, n, must); err != nil {
			return err
		}
		if err := client.receiveCut(len(resps), n, must); err != nil {
			return err
		}
	}
	return nil
}

// sceneChunked sends a long chunked response by vectors, as nginx does: the end of each call has to be known.
func sceneChunked(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	req := []byte("GET /chunked HTTP/1.1\r\nHost: here\r\n\r\n")
	if err := client.send(senderNamed("write"), req, len(req)); err != nil {
		return err
	}
	if err := server.receive(receiverNamed("read"), len(req), len(req)); err != nil {
		return err
	}
	head := []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
	calls := [][][]byte{{head}}
	for range 4 {
		calls = append(calls, [][]byte{[]byte("3e8\r\n"), body(1000), []byte("\r\n")})
	}
	calls = append(calls, [][]byte{[]byte("3e8\r\n"), body(1000), []byte("\r\n0\r\n\r\n")})
	for _, parts := range calls {
		all := bytes.Join(parts, nil)
		tail := min(8, len(parts[len(parts)-1]))
		err := server.exactly("writev", &server.Out, moved{Data: all, Tail: tail}, func() (int, error) {
			return vector(unix.SYS_WRITEV, server.fd, parts)
		})
		if err != nil {
			return err
		}
		room := make([][]byte, len(parts))
		for i := range parts {
			room[i] = make([]byte, len(parts[i]))
		}
		err = client.exactly("readv", &client.In, moved{Data: all, Tail: tail}, func() (int, error) {
			return vector(unix.SYS_READV, client.fd, room)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sceneFailing sends heads of errors, and their bodies by other calls ("calls") or in other buffers of the same one ("iovecs"): of each
// body the first KiB has to be in payloads.
func sceneFailing(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	const most = 1024 // Config.ErrorBytes
	for _, size := range []int{700, 3000} {
		if err := converse(client, server, senderNamed("write"), receiverNamed("read"), request("/before", 10), response(20)); err != nil {
			return err
		}
		req := request("/fails", 0)
		if err := client.send(senderNamed("write"), req, len(req)); err != nil {
			return err
		}
		if err := server.receive(receiverNamed("read"), len(req), len(req)); err != nil {
			return err
		}
		head := fmt.Appendf(nil, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: %d\r\n\r\n", size)
		if args[1] == "iovecs" {
			parts := [][]byte{head, body(size)[:400], body(size)[400:]}
			m := moved{Data: slices.Concat(parts...), Must: len(head) + min(size, most)}
			if err := server.exactly("writev", &server.Out, m, func() (int, error) { return vector(unix.SYS_WRITEV, server.fd, parts) }); err != nil {
				return err
			}
			room := [][]byte{make([]byte, len(head)), make([]byte, 400), make([]byte, size-400)}
			if err := client.exactly("readv", &client.In, m, func() (int, error) { return vector(unix.SYS_READV, client.fd, room) }); err != nil {
				return err
			}
			continue
		}
		if err := server.send(senderNamed("write"), head, len(head)); err != nil {
			return err
		}
		if err := server.sendCut(body(size), 900, min(size, most)); err != nil {
			return err
		}
		if err := client.receive(receiverNamed("recvfrom-waitall"), len(head), len(head)); err != nil {
			return err
		}
		if err := client.receiveCut(size, 900, min(size, most)); err != nil {
			return err
		}
	}
	return nil
}
