package redact

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// HTTP takes the secrets out of the start of a message of HTTP/1 and makes it readable: CR is left out, a chunked body has its framing taken off,
// a body that is not text is only named. isCut says that there was more of the message.
func (r *Redactor) HTTP(b []byte, isCut bool) string {
	head, body, isWhole := splitHead(b)
	top := printable(head)
	text := top
	m := marker{rules: &r.rules, isCut: isCut && (!isWhole || len(body) > 0)}
	if isWhole {
		text += "\n" + bodyOf(head, body, isCut)
	}
	m.headers(top)
	m.look(text)
	return strings.TrimRight(m.apply(text), "\n")
}

// splitHead splits at the blank line; isWhole is false when there is none.
func splitHead(b []byte) (head, body []byte, isWhole bool) {
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(b, []byte(end)); i >= 0 {
			return b[:i+len(end)/2], b[i+len(end):], true
		}
	}
	return b, nil, false
}

// headers marks the values of secret header fields, lines that continue them included (RFC 9112 §5.2).
func (m *marker) headers(head string) {
	v := newView(head)
	isSecret := false
	for i := 0; i < len(head); {
		end := strings.IndexByte(head[i:], '\n') + i
		if end < i {
			end = len(head)
		}
		line := head[i:end]
		name, _, ok := strings.Cut(line, ":")
		switch {
		case i > 0 && line != "" && (line[0] == ' ' || line[0] == '\t'):
			if isSecret {
				m.mark(v, i, end)
			}
		case i > 0 && ok:
			if isSecret = m.rules.isSecretHeader(strings.TrimSpace(name)); isSecret {
				from := i + len(name) + 1
				for from < end && head[from] == ' ' {
					from++
				}
				m.mark(v, from, end)
			}
		default:
			isSecret = false
		}
		i = end + 1
	}
}

// bodyOf returns what can be shown of a body.
func bodyOf(head, body []byte, isCut bool) string {
	if len(body) == 0 {
		return ""
	}
	kind := field(head, "content-type")
	if c := field(head, "content-encoding"); c != "" && !strings.EqualFold(c, "identity") {
		return fmt.Sprintf("(body is not shown: it is compressed, %s)", printable([]byte(c)))
	}
	if strings.Contains(strings.ToLower(field(head, "transfer-encoding")), "chunked") {
		body = unchunk(body)
	}
	if !isTextual(kind) || !isText(body) {
		if kind == "" {
			kind = "unknown type"
		}
		return fmt.Sprintf("(body is not shown: it is not text, %s)", printable([]byte(kind)))
	}
	return printable(body)
}

// field returns the value of a header field, "" for none.
func field(head []byte, name string) string {
	for line := range bytes.Lines(head) {
		if n, value, ok := bytes.Cut(line, []byte{':'}); ok && strings.EqualFold(string(bytes.TrimSpace(n)), name) {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

// isTextual accepts the media types whose bodies are text, and none at all.
func isTextual(kind string) bool {
	kind, _, _ = strings.Cut(strings.ToLower(kind), ";")
	kind = strings.TrimSpace(kind)
	switch kind {
	case "", "application/x-www-form-urlencoded", "application/javascript", "application/graphql", "application/x-ndjson", "multipart/form-data",
		"application/yaml", "application/x-yaml", "application/toml", "application/sql":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "xml")
}

// unchunk takes off the framing of the chunks (RFC 9112 §7.1) as far as they are there.
func unchunk(b []byte) (out []byte) {
	for len(b) > 0 {
		line, rest, ok := bytes.Cut(b, []byte{'\n'})
		if !ok {
			break
		}
		digits, _, _ := strings.Cut(strings.TrimSpace(string(line)), ";")
		n, err := strconv.ParseUint(digits, 16, 31)
		if err != nil || n == 0 {
			break
		}
		k := min(int(n), len(rest))
		out = append(out, rest[:k]...)
		b = bytes.TrimPrefix(bytes.TrimPrefix(rest[k:], []byte{'\r'}), []byte{'\n'})
	}
	return out
}
