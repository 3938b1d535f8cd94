package tls

import "github.com/sonde-dev/sonde/agent/protocol"

const version13 = 0x0304 // RFC 8446 §4.2.1

// versionName returns the value of tls.protocol.version.
func versionName(v int) string {
	switch v {
	case 0x0300:
		return "SSL 3.0"
	case 0x0301:
		return "1.0"
	case 0x0302:
		return "1.1"
	case 0x0303:
		return "1.2"
	case version13:
		return "1.3"
	case 0:
		return "" // none was agreed on
	}
	return "other"
}

// attributes are what the client asks for, under OpenTelemetry's names.
func (h clientHello) attributes() (list []protocol.Attribute) {
	if h.name != "" {
		list = append(list, protocol.Attribute{Key: "tls.client.server_name", Value: h.name})
	}
	if h.alpn != "" {
		list = append(list, protocol.Attribute{Key: "tls.client.supported_alpn", Value: h.alpn})
	}
	return list
}

func (h serverHello) attributes() []protocol.Attribute {
	if h.alpn == "" {
		return nil
	}
	return []protocol.Attribute{{Key: "tls.next_protocol", Value: h.alpn}}
}

// alertName returns the name of an alert, RFC 8446 §6.
func alertName(code byte) string {
	if name, ok := alerts[code]; ok {
		return name
	}
	return "alert"
}

var alerts = map[byte]string{
	0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed", 22: "record_overflow",
	40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
	45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied",
	50: "decode_error", 51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
	86: "inappropriate_fallback", 90: "user_canceled", 109: "missing_extension", 110: "unsupported_extension",
	112: "unrecognized_name", 113: "bad_certificate_status_response", 115: "unknown_psk_identity",
	116: "certificate_required", 120: "no_application_protocol",
}
