package probe

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
)

// scenes are what children can do. Their arguments come from the test that starts them.
func scenes() map[string]func(k *kid, args []string) error {
	return map[string]func(*kid, []string) error{
		"exchange":   sceneExchange,
		"array":      sceneArray,
		"iovecs":     sceneIovecs,
		"cut":        sceneCut,
		"pipeline":   scenePipeline,
		"chunked":    sceneChunked,
		"failing":    sceneFailing,
		"halfclose":  sceneHalfClose,
		"resetearly": sceneResetEarly,
		"end":        sceneEnd,
		"steps":      sceneSteps,
		"words":      sceneWords,
		"joined":     sceneJoined,
		"foreign":    sceneForeign,
		"many":       sceneMany,
		"family":     sceneFamily,
		"threads":    sceneThreads,
		"exec":       sceneExec,
		"hold":       sceneHold,
	}
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// request returns an HTTP/1.1 request with a body of n bytes.
func request(path string, n int) []byte {
	return append(fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n", path, n), body(n)...)
}

// response returns an HTTP/1.1 response with a body of n bytes.
func response(n int) []byte {
	return append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", n), body(n)...)
}

// body returns n bytes that differ from place to place and begin no message.
func body(n int) []byte {
	b := bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz"), n/36+1)[:n]
	for i := 0; i+8 <= n; i += 100 {
		copy(b[i:], fmt.Sprintf("%08d", i))
	}
	return b
}

// converse sends a request one way and a response back. Their heads have to be in payloads.
func converse(client, server *sock, send sender, receive receiver, req, resp []byte) error {
	if err := client.send(send, req, headLen(req)); err != nil {
		return err
	}
	if err := server.receive(receive, len(req), headLen(req)); err != nil {
		return err
	}
	if err := server.send(send, resp, headLen(resp)); err != nil {
		return err
	}
	return client.receive(receive, len(resp), headLen(resp))
}

func headLen(message []byte) int { return bytes.Index(message, []byte("\r\n\r\n")) + 4 }

// sceneExchange: kind of connection, sender, receiver. The first exchange is by plain write and read, so that the
// connection is recognised whatever the other calls show.
func sceneExchange(k *kid, args []string) error {
	client, server, err := k.pair(args[0])
	if err != nil {
		return err
	}
	plain := func(path string) error {
		return converse(client, server, senderNamed("write"), receiverNamed("read"), request(path, 10), response(20))
	}
	if err := plain("/first"); err != nil {
		return err
	}
	for i, size := range []int{0, 30, 300} {
		err := converse(client, server, senderNamed(args[1]), receiverNamed(args[2]), request(fmt.Sprint("/", i), size), response(size))
		if err != nil {
			return err
		}
	}
	return plain("/" + strings.Join(args, "/"))
}
