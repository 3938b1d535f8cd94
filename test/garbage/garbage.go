// Package garbage makes up bytes that are of no protocol.
//
// In: a source of random numbers, so that a seed gives the same again. Out: noise, and what resembles HTTP. It must not know who is to be shown it: parsers,
// or a whole agent over real sockets.
package garbage

import "math/rand/v2"

// Noise is up to 3000 random bytes.
func Noise(r *rand.Rand) []byte {
	b := make([]byte, r.IntN(3000))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// Almost resembles HTTP and is none: no request line and no status line of it is valid by RFC 9112 §3 and §4. The last is a start of TLS.
func Almost(r *rand.Rand) string {
	almost := [...]string{
		"GET\x00/ HTTP/1.1\r\nHost: x\r\n\r\n", "GTE / HTTP/1.1\r\n\r\n", "GET / HTP/1.1\r\nHost: x\r\n\r\n", "get / http/1.1\r\n\r\n",
		"POST\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/9 200\r\n\r\n", "HTTP/1.1\r\n\r\n", "GET", "GET \r\n\r\n", "HTTP/", "PUTT /x HTTP/1.1\r\n\r\n",
		"\r\n\r\n\r\n", "Content-Length: 5\r\n\r\nhello", "5\r\nhello\r\n0\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	}
	return almost[r.IntN(len(almost))]
}

// Around puts noise before something else, and half of it again behind.
func Around(noise []byte, other string) []byte {
	return append(append(noise, other...), noise[:len(noise)/2]...)
}
