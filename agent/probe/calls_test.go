package probe

import (
	"os"
	"strings"
	"testing"
)

// TestEveryCall sends and receives by every system call, over every kind of connection.
func TestEveryCall(t *testing.T) {
	inBothTiers(t, func(t *testing.T, r *recorder) {
		for _, kind := range []string{"tcp4", "tcp6", "mapped", "unix", "socketpair"} {
			for _, s := range senders() {
				t.Run(kind+"/send-"+s.name, func(t *testing.T) {
					needsUring(t, s.isUring)
					rep, events := play(t, r, "exchange", kind, s.name, "read")
					expectation{tier: r.tier}.check(t, rep, events)
				})
			}
			for _, v := range receivers() {
				t.Run(kind+"/receive-"+v.name, func(t *testing.T) {
					needsUring(t, v.isUring)
					rep, events := play(t, r, "exchange", kind, "write", v.name)
					expectation{tier: r.tier}.check(t, rep, events)
				})
			}
		}
	})
}

// needsUring skips where the administrator has switched io_uring off (kernel.io_uring_disabled).
func needsUring(t *testing.T, isNeeded bool) {
	b, _ := os.ReadFile("/proc/sys/kernel/io_uring_disabled")
	if isNeeded && strings.TrimSpace(string(b)) == "2" {
		t.Skip("io_uring is switched off: kernel.io_uring_disabled is 2")
	}
}
