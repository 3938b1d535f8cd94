package frame

// Strings keeps the texts seen lately on a connection, so that one that comes again costs no allocation.
type Strings struct {
	recent [8]string
	next   uint8
}

// Get returns b as a string.
func (s *Strings) Get(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	for _, r := range s.recent {
		if r == string(b) {
			return r
		}
	}
	text := string(b)
	s.recent[s.next] = text
	s.next = (s.next + 1) % uint8(len(s.recent))
	return text
}
