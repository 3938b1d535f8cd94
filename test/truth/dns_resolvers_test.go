package truth

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/test/wire"
)

// TestResolvers has the resolvers that programs really use look names up: that of the C library (in Python, and under Java), which asks for both
// kinds of address by one call and goes through the search list, and that of Node, c-ares. The server's log is the truth.
func TestResolvers(t *testing.T) {
	t.Parallel()
	inTiers(t, func(t *testing.T, w way) {
		id := w.id("res")
		x := w.sonde(t)
		names := []string{"ok.test", "short", "missing.test", "missing", "servfail.test"}
		for i, r := range []struct {
			name string
			argv []string
		}{
			{"glibc", []string{program(t, "/usr/bin/python3", "python3"), "-c", `
import socket, sys
for name in sys.argv[1:]:
    try: socket.getaddrinfo(name, 80)
    except socket.gaierror: pass`}},
			{"java", []string{program(t, "/usr/bin/java", "java"), filepath.Join("testdata", "Lookup.java")}},
			{"cares", []string{program(t, "/usr/bin/node", "node"), "-e", `
const { promises: dns } = require('node:dns');
(async () => {
  for (const name of process.argv.slice(1)) {
    await dns.resolve4(name).catch(() => {});
    await dns.resolve6(name).catch(() => {});
    await dns.resolveMx(name).catch(() => {});
  }
})();`}},
		} {
			t.Run(r.name, func(t *testing.T) {
				// Resolvers ask port 53: an address of their own keeps servers of tests, and of this machine, apart.
				host := fmt.Sprintf("127.83.%d.%d", os.Getpid()%250, 1+i)
				s := startNameServerAt(t, id+"-"+r.name, host+":53")
				conf := filepath.Join(t.TempDir(), "resolv.conf")
				if err := os.WriteFile(conf, []byte("nameserver "+host+"\nsearch corp.test\noptions timeout:9 attempts:1\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				argv := append([]string{"unshare", "--mount", "--propagation", "private", "sh", "-c", `mount --bind "$0" /etc/resolv.conf && exec "$@"`, conf}, r.argv...)
				start(t, id+"-"+r.name+"-client", nil, append(argv, names...)...).finish(t)
				// Of two truncated answers the C library takes one and goes on over TCP: which, only it knows.
				start(t, id+"-"+r.name+"-long", nil, append(argv, "long.test")...).finish(t)
				s.stop()
				asked := s.log(t)
				if !asks(asked, "A ok.test NOERROR") || !asks(asked, "AAAA missing.test NXDOMAIN") || !asks(asked, "A long.test NOERROR") {
					t.Fatalf("the resolver did not ask as it is meant to: the test is void\n%s", asked)
				}
				checkNames(t, x, id+"-"+r.name, "server", asked)
				checkNames(t, x, id+"-"+r.name+"-client", "client", without(asked, "long.test"))
			})
		}
		if err := x.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// asks reports whether a log has a row "TYPE NAME CODE".
func asks(l *wire.Log, want string) bool {
	for _, r := range l.Rows {
		if strings.Join([]string{r.Method, r.Route, r.Status}, " ") == want {
			return true
		}
	}
	return false
}
