package tls

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/probe/stack"
)

// goProgram is a server by crypto/tls; both ends of its calls must be found however it is built.
const goProgram = `package main

import (
	"crypto/tls"
	"net"
)

func main() {
	c := tls.Server(nil, &tls.Config{})
	if len(net.IPv4zero) == 0 {
		c = tls.Client(nil, nil)
	}
	if c.NetConn() != nil {
		b := make([]byte, 1)
		c.Read(b)
		c.Write(b)
	}
}
`

func TestFindGoInEveryBuild(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.go"), goProgram)
	write(t, filepath.Join(dir, "go.mod"), "module x\n\ngo 1.24\n")
	for name, flags := range map[string][]string{
		"plain": nil, "stripped": {"-ldflags=-s -w"}, "position-independent": {"-buildmode=pie", "-ldflags=-s -w"},
	} {
		t.Run(name, func(t *testing.T) {
			binary := filepath.Join(dir, name)
			cmd := exec.Command("go", append(append([]string{"build", "-o", binary}, flags...), ".")...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("build: %v\n%s", err, out)
			}
			p, err := findGo(open(t, binary))
			if err != nil || p == nil {
				t.Fatalf("findGo = %v, %v", p, err)
			}
			if len(p.enter.offsets) != len(goCalls) {
				t.Errorf("%d functions found, want %d", len(p.enter.offsets), len(goCalls))
			}
			if len(p.leave.offsets) <= len(p.enter.offsets) {
				t.Errorf("%d returns of %d functions", len(p.leave.offsets), len(p.enter.offsets))
			}
			if len(p.deferred.offsets) != 2 {
				t.Errorf("Read and Write end in %d functions that they defer, want 2", len(p.deferred.offsets))
			}
			code, err := os.ReadFile(binary)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range p.leave.offsets {
				if code[at] != 0xc3 { // RET, near
					t.Errorf("the byte at %#x is %#x, no return", at, code[at])
				}
			}
			for _, at := range slices.Concat(p.enter.offsets, p.deferred.offsets) {
				if code[at] != 0x55 { // push of the frame pointer
					t.Errorf("the byte at %#x is %#x, no push", at, code[at])
				}
			}
		})
	}
}

func TestGoWithoutTLSIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.go"), "package main\n\nfunc main() { println(1) }\n")
	write(t, filepath.Join(dir, "go.mod"), "module x\n\ngo 1.24\n")
	cmd := exec.Command("go", "build", "-o", "x", ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if p, err := findGo(open(t, filepath.Join(dir, "x"))); p != nil || err != nil {
		t.Errorf("findGo = %v, %v, want nothing", p, err)
	}
}

// TestFunctionsAgreeWithNm compares with what nm of binutils says of the libraries of this machine.
func TestFunctionsAgreeWithNm(t *testing.T) {
	for _, l := range []*library{&openssl, &gnutls} {
		t.Run(l.name, func(t *testing.T) {
			paths, _ := filepath.Glob("/usr/lib/x86_64-linux-gnu/lib" + map[string]string{"openssl": "ssl", "gnutls": "gnutls"}[l.name] + ".so.[0-9]*")
			if len(paths) == 0 {
				t.Skipf("no %s on this machine", l.name)
			}
			out, err := exec.Command("nm", "-D", "--defined-only", paths[0]).Output()
			if err != nil {
				t.Skipf("no nm: %v", err)
			}
			f := open(t, paths[0])
			got, err := functions(f, l.symbols())
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for line := range strings.Lines(string(out)) {
				fields := strings.Fields(line)
				name, _, _ := strings.Cut(fields[len(fields)-1], "@")
				if !slices.Contains(l.symbols(), name) {
					continue
				}
				n++
				if want, _ := strconv.ParseUint(fields[0], 16, 64); got[name].address != want {
					t.Errorf("%s is at %#x, nm says %#x", name, got[name].address, want)
				}
			}
			if n < len(l.needs)+1 || n != len(got) {
				t.Errorf("%d functions found, nm has %d", len(got), n)
			}
			if p, err := l.find(f); err != nil || p == nil || len(p.free.offsets) != 1 {
				t.Errorf("find = %+v, %v", p, err)
			}
			if p, err := l.find(open(t, "/proc/self/exe")); p != nil || err != nil {
				t.Errorf("this test is no %s: %v, %v", l.name, p, err)
			}
		})
	}
}

func TestMappings(t *testing.T) {
	list, err := mappings(uint32(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	exe, _ := os.Executable()
	i := slices.IndexFunc(list, func(m mapping) bool { return m.Path == exe })
	if i < 0 {
		t.Fatalf("%s is not among %v", exe, list)
	}
	if id, err := idOf(exe); err != nil || id != list[i].ID {
		t.Errorf("id %q by stat (%v), %q by maps", id, err, list[i].ID)
	}
	for path, want := range map[string]bool{
		"/usr/lib/libssl.so.3": true, "/app/libssl-8a4b9f2d.so.1.1": true, "/usr/lib/libgnutls.so.30": true,
		"/usr/lib/libc.so.6": false, "/usr/bin/tlsd": false,
	} {
		if got := (mapping{stack.Region{Path: path}}).isLikely(); got != want {
			t.Errorf("isLikely(%s) = %t, want %t", path, got, want)
		}
	}
}

func open(t *testing.T, path string) *elf.File {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
