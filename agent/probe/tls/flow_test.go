package tls

import "testing"

// FuzzFollow goes through code of any bytes.
func FuzzFollow(f *testing.F) {
	f.Add(code(f, debianRead), uint16(0))
	f.Add(code(f, cetWriteEx), uint16(0))
	f.Add(code(f, "55 48 89 e5 53 48 83 ec 18 48 89 7d e8 48 89 75 e0 75 02 eb f0 e8 00 00 00 00 48 8b 45 e8 c9 c3"), uint16(26))
	f.Add(code(f, "41 57 41 56 49 89 f6 53 48 89 fb ff 50 68 5b 41 5e 41 5f e9 80 80 80 80"), uint16(14))
	f.Fuzz(func(t *testing.T, code []byte, at uint16) {
		const begin = 0x1000
		read := func(address uint64) (uint64, []byte, bool) { return begin, code, address-begin < uint64(len(code)) }
		b, ok := follow(read, begin, called())
		if !ok {
			return
		}
		for address := range b.list {
			if address-begin >= uint64(len(code)) {
				t.Errorf("an instruction at %#x, outside of the function", address)
			}
		}
		for _, tail := range b.tails {
			if tail.target-begin < uint64(len(code)) && tail.target != 0 {
				t.Errorf("a jump out to %#x, which is inside", tail.target)
			}
		}
		b.callBefore(begin + uint64(at))
	})
}
