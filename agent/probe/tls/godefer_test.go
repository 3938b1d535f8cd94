package tls

import (
	"maps"
	"testing"
)

// Code of crypto/tls as compiled by Go 1.18, 1.20 (where they differ) and 1.26.
const (
	readEnd   = "48 89 4c 24 20 44 0f 11 7c 24 30 c6 44 24 1f 00 48 8b 54 24 50 48 8b 02 ff d0 48 8b 44 24 20 48 8b 5c 24 30 48 8b 4c 24 38 48 83 c4 58 5d c3"
	writeEnd  = "48 89 44 24 30 48 89 4c 24 60 48 89 5c 24 68 c6 44 24 2f 01 48 8b 94 24 b8 00 00 00 48 8b 02 ff d0 c6 44 24 2f 00 48 8b 94 24 b0 00 00 00 48 8b 02 ff d0 48 8b 44 24 30 48 8b 5c 24 60 48 8b 4c 24 68 48 81 c4 c0 00 00 00 5d c3"
	recovered = "e8 d1 d2 ee ff 48 8b 44 24 20 48 8b 5c 24 30 48 8b 4c 24 38 48 83 c4 58 5d c3"
	emptyRead = "48 c7 44 24 20 00 00 00 00 44 0f 11 7c 24 30 48 8b 44 24 20 31 db 31 c9 48 83 c4 58 5d c3"
	keeps     = "48 8d 3d 1e 03 00 00 48 89 7c 24 40 48 8d be 70 01 00 00 48 89 7c 24 48 48 8d 7c 24 40 48 89 7c 24 50 c6 44 24 1f 01 eb 4d"
)

func TestGoEntry(t *testing.T) {
	for _, c := range []struct {
		name, code string
		at         int
		ok         bool
	}{
		{"1.26", "49 3b 66 10 0f 86 7a 03 00 00 55 48 89 e5", 10, true},
		{"1.26, larger frame", "4c 8d 64 24 b8 4d 3b 66 10 0f 86 93 07 00 00 55 48 89 e5", 15, true},
		{"1.18", "49 3b 66 10 0f 86 c2 03 00 00 48 83 ec 68 48 89 6c 24 60", 4, true},
		{"1.18, larger frame", "4c 8d 64 24 98 4d 3b 66 10 0f 86 42 07 00 00 48 81 ec e8 00 00 00", 9, true},
		{"no check of the stack", "55 48 89 e5", 0, true},
		{"no frame", "48 8b 42 08 b9 fe ff ff ff f0 0f c1 08 c3", 0, false},
		{"a call first", "e8 00 00 00 00 55", 0, false},
		{"an argument changes first", "31 c0 55", 0, false},
		{"nothing", "", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if at, ok := goEntry(code(t, c.code)); ok != c.ok || ok && at != c.at {
				t.Errorf("goEntry = %d, %t, want %d, %t", at, ok, c.at, c.ok)
			}
		})
	}
}

func TestRunsBefore(t *testing.T) {
	for _, c := range []struct {
		name, code string
		slot       int64
		resultAt   uint16
		ok         bool
	}{
		{"Read", readEnd, 0x50, 0x20, true},
		{"Write, first", writeEnd, 0xb8, 0x30, true},
		{"Write, last", writeEnd, 0xb0, 0x30, true},
		{"another variable", readEnd, 0x58, 0, false},
		{"after a panic", recovered, 0x20, 0, false},
		{"without", emptyRead, 0x50, 0, false},
		{"a jump behind the call", "eb 1a " + readEnd, 0x50, 0, false},
		{"a jump to the call", "eb 18 " + readEnd, 0x50, 0, false},
		{"a jump before it all", "eb 00 " + readEnd, 0x50, 0x20, true},
		{"the result changes", "48 8b 54 24 50 48 8b 02 ff d0 48 89 4c 24 20 48 8b 44 24 20 48 83 c4 58 5d c3", 0x50, 0, false},
		{"the result is none", "48 8b 54 24 50 48 8b 02 ff d0 48 83 c4 58 5d c3", 0x50, 0, false},
		{"loaded, not called", "48 8b 54 24 50 48 8b 44 24 20 48 83 c4 58 5d c3", 0x50, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := instructions(code(t, c.code))
			if err != nil {
				t.Fatal(err)
			}
			ends := returnsOf(list)
			if len(ends) != 1 {
				t.Fatalf("%d returns, want 1", len(ends))
			}
			if at, ok := runsBefore(list, ends[0], c.slot, jumpTargets(list)); ok != c.ok || ok && at != c.resultAt {
				t.Errorf("runsBefore = %#x, %t, want %#x, %t", at, ok, c.resultAt, c.ok)
			}
		})
	}
}

func TestClosures(t *testing.T) {
	list, err := instructions(code(t, keeps))
	if err != nil {
		t.Fatal(err)
	}
	is := func(yes bool) func(uint64) bool { return func(uint64) bool { return yes } }
	if got, want := closures(0x55a63b, list, is(true)), map[int64]uint64{0x50: 0x55a960}; !maps.Equal(got, want) {
		t.Errorf("closures = %#x, want %#x", got, want)
	}
	if got := closures(0x55a63b, list, is(false)); len(got) != 0 {
		t.Errorf("closures = %#x of what is no code", got)
	}
}
