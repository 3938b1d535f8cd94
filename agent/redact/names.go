package redact

import "strings"

// plain is how names are compared: escapes undone, small letters and digits only.
func plain(name string) string {
	if strings.ContainsAny(name, `%&\`) {
		v := newView(name)
		for range maxDepth {
			next, more := v.decode()
			if !more {
				break
			}
			v = next
		}
		name = string(v.b)
	}
	out := make([]byte, 0, len(name))
	for _, c := range []byte(name) {
		switch {
		case c >= 'A' && c <= 'Z':
			out = append(out, c|0x20)
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c >= 0x80:
			out = append(out, c)
		}
	}
	return string(out)
}

// isSecret reports whether the value of a name is to be taken out.
func (r *rules) isSecret(name string) bool {
	if len(name) == 0 {
		return false
	}
	p := plain(name)
	if _, ok := r.exact[p]; ok {
		return true
	}
	for _, w := range r.within {
		if strings.Contains(p, w) {
			return true
		}
	}
	// user[pin], filter.pin: the last part counts for itself.
	if i := strings.LastIndexAny(strings.TrimRight(name, "]"), ".["); i >= 0 {
		_, ok := r.exact[plain(name[i:])]
		return ok
	}
	return false
}

// isSecretHeader does so for a header field.
func (r *rules) isSecretHeader(name string) bool {
	_, ok := r.headers[strings.ToLower(name)]
	return ok || r.isSecret(name)
}
