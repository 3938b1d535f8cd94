package tls

// openssl is OpenSSL 1.0.2 to 3.x and BoringSSL, as a library or in a program: the functions have kept their arguments. A session
// is "not safe for simultaneous use" (openssl-threads(7)).
//
// Not read: SSL_sendfile (kernel TLS), early data of TLS 1.3.
var openssl = library{
	name:  "openssl",
	needs: []string{"SSL_read", "SSL_write"},
	calls: []call{
		{symbol: "SSL_read", kind: kindRead},
		{symbol: "SSL_write", kind: kindWrite, isAlone: true},
		{symbol: "SSL_read_ex", kind: kindRead, countAt: 4},
		{symbol: "SSL_write_ex", kind: kindWrite, isAlone: true, countAt: 4},
		{symbol: "SSL_write_ex2", kind: kindWrite, isAlone: true, countAt: 5},
		{symbol: "SSL_do_handshake", kind: kindHandshake},
	},
	free: "SSL_free",
}
