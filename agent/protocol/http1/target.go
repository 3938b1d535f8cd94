package http1

import "bytes"

// maxTarget bounds what is kept of a path; no route is longer. maxHost is the longest DNS name (RFC 1035 §2.3.4).
const (
	maxTarget = 1024
	maxHost   = 255
)

// splitTarget returns the path of a request target without its query, which may hold secrets, and the host of the absolute and
// authority forms (RFC 9112 §3.2).
func splitTarget(method string, target []byte) (path, host []byte) {
	if method == "CONNECT" {
		return nil, target
	}
	path = target
	if len(target) > 0 && target[0] != '/' {
		if i := bytes.Index(target, schemeEnd); i > 0 {
			rest := target[i+len(schemeEnd):]
			end := bytes.IndexAny(rest, "/?#")
			if end < 0 {
				end = len(rest)
			}
			host, path = rest[:end], rest[end:]
			if at := bytes.LastIndexByte(host, '@'); at >= 0 {
				host = host[at+1:]
			}
		}
	}
	if i := bytes.IndexByte(path, '?'); i >= 0 {
		path = path[:i]
	}
	if i := bytes.IndexByte(path, '#'); i >= 0 {
		path = path[:i]
	}
	if len(path) == 0 {
		path = rootPath
	}
	return path[:min(len(path), maxTarget)], host
}

// queryOf returns the query of a request target without its question mark.
func queryOf(target []byte) []byte {
	i := bytes.IndexByte(target, '?')
	if i < 0 {
		return nil
	}
	query := target[i+1:]
	if i = bytes.IndexByte(query, '#'); i >= 0 {
		query = query[:i]
	}
	return query
}

var (
	schemeEnd = []byte("://")
	rootPath  = []byte("/")
)

// hostName returns the host of "host:port" without its port; an IPv6 address keeps its brackets off.
func hostName(b []byte) []byte {
	if len(b) > 0 && b[0] == '[' {
		if i := bytes.IndexByte(b, ']'); i > 0 {
			return b[1:i]
		}
	}
	if i := bytes.IndexByte(b, ':'); i >= 0 {
		b = b[:i]
	}
	return b[:min(len(b), maxHost)]
}
