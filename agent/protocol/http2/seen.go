package http2

// seen remembers which of the latest streams began with a request that was seen: what answers another one is an orphan.
type seen [16]uint64

// window is how many streams are remembered. A client's have odd numbers.
const window = uint32(len(seen{}) * 64)

func (s *seen) at(number uint32) (word *uint64, bit uint64) {
	i := number / 2 % window
	return &s[i/64], 1 << (i % 64)
}

// begin adds a stream and forgets those between the latest and it, which were not seen.
func (s *seen) begin(last, number uint32) {
	if number-last >= 2*window {
		*s = seen{}
	} else {
		for n := last + 2; n < number; n += 2 {
			word, bit := s.at(n)
			*word &^= bit
		}
	}
	word, bit := s.at(number)
	*word |= bit
}

// has reports whether a stream up to the latest was seen. One long past counts as seen.
func (s *seen) has(number, last uint32) bool {
	if last-number >= 2*window {
		return true
	}
	word, bit := s.at(number)
	return *word&bit != 0
}
