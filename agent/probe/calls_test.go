package probe

import "testing"

// TestEveryCall sends and receives by every system call, over every kind of connection.
func TestEveryCall(t *testing.T) {
	inBothTiers(t, func(t *testing.T, r *recorder) {
		for _, kind := range []string{"tcp4", "tcp6", "mapped", "unix", "socketpair"} {
			for _, s := range senders() {
				t.Run(kind+"/"+s.name, func(t *testing.T) {
					rep, events := play(t, r, "exchange", kind, s.name, "read")
					expectation{tier: r.tier}.check(t, rep, events)
				})
			}
			for _, v := range receivers() {
				t.Run(kind+"/"+v.name, func(t *testing.T) {
					rep, events := play(t, r, "exchange", kind, "write", v.name)
					expectation{tier: r.tier}.check(t, rep, events)
				})
			}
		}
	})
}
