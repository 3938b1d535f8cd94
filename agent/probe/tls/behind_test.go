package tls

import (
	"encoding/hex"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func code(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Code of Debian 12: libssl.so.3 (3.0.19), libgnutls.so.30 (3.7.9); and what gcc 12 makes of the wrappers of OpenSSL 3.2 for
// systems with Intel's CET.
const (
	debianRead    = "48 83 ec 18 64 48 8b 04 25 28 00 00 00 48 89 44 24 08 31 c0 85 d2 78 2f 48 89 e1 48 63 d2 e8 3d fe ff ff 85 c0 7e 03 8b 04 24 48 8b 54 24 08"
	debianReadEx  = "48 83 ec 08 e8 c7 fd ff ff 31 d2 85 c0 0f 48 c2 48 83 c4 08"
	cetWrite      = "f3 0f 1e fa 48 83 ec 18 64 48 8b 04 25 28 00 00 00 48 89 44 24 08 31 c0 85 d2 78 29 31 c9 48 63 d2 49 89 e0 e8 00 00 00 00 85 c0 7e 03 8b 04 24"
	cetWriteEx    = "f3 0f 1e fa 49 89 c8 31 c9 e9 00 00 00 00"
	debianFree    = "48 85 ff 0f 84 97 03 00 00 41 55"
	gnutlsRecv    = "48 83 ec 08 80 bf b8 06 00 00 00 48 89 d1 74 40 f6 87 68 11 00 00 01 74 17 48 89 f2 be 17 00 00 00 e8 5a 73 05 00"
	gnutlsSend    = "45 31 c0 31 c9 e9 86 9c ff ff"
	noStackReturn = "48 83 ec 18 85 d2 78 16 48 8d 4c 24 08 48 63 d2 e8 00 00 00 00 85 c0 7e 04 8b 44 24 10" // another variable than the one of the count
)

func TestEmulatedEntry(t *testing.T) {
	for _, c := range []struct {
		name, code string
		call       call
		at         int
		countAt    uint8
		ok         bool
	}{
		{"push", "55 48 89 e5", call{kind: kindRead}, 0, 0, true},
		{"push of r15", "41 57 41 56", call{kind: kindWrite}, 0, 0, true},
		{"push behind endbr64", "f3 0f 1e fa 41 55", call{kind: kindRead, countAt: 4}, 4, 4, true},
		{"jump, count moved", cetWriteEx, call{kind: kindWrite, countAt: 4}, 9, 5, true},
		{"jump for null", debianFree, call{}, 3, 0, true},
		{"jump to the function behind", gnutlsSend, call{kind: kindWrite}, 5, 0, true},
		{"stack moved", debianRead, call{kind: kindRead}, 0, 0, false},
		{"stack moved before a jump", gnutlsRecv, call{kind: kindRead}, 0, 0, false},
		{"buffer moved before a jump", "48 89 f2 be 17 00 00 00 e9 00 00 00 00", call{kind: kindRead}, 0, 0, false},
		{"count lost", "31 c9 e9 00 00 00 00", call{kind: kindRead, countAt: 4}, 0, 0, false},
		{"nop of two bytes", "66 90 c3", call{kind: kindRead}, 0, 0, false},
		{"return", "c3", call{}, 0, 0, false},
		{"nothing", "", call{}, 0, 0, false},
		{"cut off", "48", call{}, 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, here, ok := emulatedEntry(code(t, c.code), c.call)
			if ok != c.ok || ok && (at != c.at || here.countAt != c.countAt) {
				t.Errorf("emulatedEntry = %d, count at %d, %t; want %d, %d, %t", at, here.countAt, ok, c.at, c.countAt, c.ok)
			}
			if ok && !isEmulated(code(t, c.code)[at:]) {
				t.Errorf("the instruction at %d is not emulated", at)
			}
		})
	}
}

func TestWrapped(t *testing.T) {
	const address = 0x35430
	for _, c := range []struct {
		name, code string
		call       call
		target     uint64
		countAt    uint8
		ok         bool
	}{
		{"SSL_read", debianRead, call{kind: kindRead}, 0x35290, 4, true},
		{"SSL_read_ex", debianReadEx, call{kind: kindRead, countAt: 4}, 0x35200, 4, true},
		{"SSL_write of 3.2", cetWrite, call{kind: kindWrite}, address + 0x29, 5, true},
		{"an int where a count is expected", debianReadEx, call{kind: kindRead}, 0, 0, false},
		{"a count where an int is expected", debianRead, call{kind: kindRead, countAt: 4}, 0, 0, false},
		{"handshake", debianReadEx, call{kind: kindHandshake}, 0, 0, false},
		{"another variable is returned", noStackReturn, call{kind: kindRead}, 0, 0, false},
		{"another jump before the call", gnutlsRecv, call{kind: kindRead}, 0, 0, false},
		{"result lost", "48 83 ec 08 e8 00 00 00 00 31 c0 85 c0", call{kind: kindRead, countAt: 4}, 0, 0, false},
		{"jump, no call", cetWriteEx, call{kind: kindWrite, countAt: 4}, 0, 0, false},
		{"call through a pointer", "48 83 ec 08 ff d0 85 c0", call{kind: kindRead, countAt: 4}, 0, 0, false},
		{"cut off", debianRead[:30], call{kind: kindRead}, 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, behind, ok := wrapped(code(t, c.code), address, c.call)
			if ok != c.ok || ok && (target != c.target || behind.countAt != c.countAt || behind.kind != c.call.kind) {
				t.Errorf("wrapped = %#x, %+v, %t; want %#x, count at %d, %t", target, behind, ok, c.target, c.countAt, c.ok)
			}
		})
	}
}

// TestPlacesAreEmulated looks at the libraries of this machine. Where a wrapper is followed, objdump says what it calls first.
func TestPlacesAreEmulated(t *testing.T) {
	for _, path := range []string{"/usr/lib/x86_64-linux-gnu/libssl.so.3", "/usr/lib/x86_64-linux-gnu/android/libssl.so.0", "/usr/bin/node"} {
		t.Run(path, func(t *testing.T) {
			if _, err := filepath.EvalSymlinks(path); err != nil {
				t.Skipf("not on this machine: %v", err)
			}
			f := open(t, path)
			at, err := functions(f, openssl.symbols())
			if err != nil || len(at) == 0 {
				t.Skipf("no OpenSSL inside: %v", err)
			}
			p, err := openssl.find(f)
			if err != nil || p == nil {
				t.Fatalf("find = %+v, %v", p, err)
			}
			if slices.Compare(p.enter.offsets, p.leave.offsets) != 0 {
				t.Errorf("entries %#x and returns %#x are at different places", p.enter.offsets, p.leave.offsets)
			}
			for _, offset := range p.enter.offsets {
				b := make([]byte, 8)
				for _, s := range f.Progs {
					if offset >= s.Off && offset < s.Off+s.Filesz {
						s.ReadAt(b, int64(offset-s.Off))
					}
				}
				if !isEmulated(b) {
					t.Errorf("at %#x is % x, which is not emulated", offset, b)
				}
			}
			for _, c := range openssl.calls {
				fn, ok := at[c.symbol]
				if !ok || cheapest(f, fn, c).offset-fn.offset < 16 {
					continue
				}
				if got, want := cheapest(f, fn, c).offset, firstCalled(t, path, fn); got-fn.offset != want-fn.address {
					t.Errorf("%s at %#x: behind it is %#x, objdump says %#x", c.symbol, fn.address, got, want)
				}
			}
		})
	}
}

func firstCalled(t *testing.T, path string, fn function) uint64 {
	t.Helper()
	hex := func(n uint64) string { return "0x" + strconv.FormatUint(n, 16) }
	out, err := exec.Command("objdump", "-d", "--no-show-raw-insn", "--start-address="+hex(fn.address), "--stop-address="+hex(fn.address+fn.size), path).Output()
	if err != nil {
		t.Skipf("no objdump: %v", err)
	}
	m := regexp.MustCompile(`call +([0-9a-f]+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("objdump finds no call in\n%s", out)
	}
	n, _ := strconv.ParseUint(string(m[1]), 16, 64)
	return n
}
