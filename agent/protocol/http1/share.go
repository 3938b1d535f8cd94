package http1

import "github.com/sonde-dev/sonde/agent/protocol"

// What follows are the words of RFC 9110, which HTTP/2 shares.

// Method returns a method as an operation: itself when it is registered, else OpenTelemetry's "_OTHER".
func Method(b []byte) string {
	if m, ok := knownMethod(b); ok {
		return m
	}
	return otherMethod
}

// Path returns the part of a request target in origin form that may be reported: without its query, of bounded length.
func Path(target []byte) []byte {
	path, _ := splitTarget("", target)
	return path
}

// Host returns the host of an authority without user and port.
func Host(authority []byte) []byte { return hostName(authority) }

// Response translates a final status code, with the errors that each side sees in it.
func Response(code int) protocol.Response { return response(code) }
