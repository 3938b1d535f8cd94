package tls

// gnutls is GnuTLS 3.x.
//
// Not read: gnutls_record_recv_packet, gnutls_record_send_file, data that is corked and sent by gnutls_record_uncork
// counts as sent when it is corked.
var gnutls = library{
	name:  "gnutls",
	needs: []string{"gnutls_record_recv", "gnutls_record_send"},
	calls: []call{
		{symbol: "gnutls_record_recv", kind: kindRead},
		{symbol: "gnutls_record_recv_seq", kind: kindRead},
		{symbol: "gnutls_record_send", kind: kindWrite},
		{symbol: "gnutls_record_send2", kind: kindWrite},
		{symbol: "gnutls_handshake", kind: kindHandshake},
	},
	free: "gnutls_deinit",
}
