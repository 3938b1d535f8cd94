package tls

import "testing"

func TestKeptArguments(t *testing.T) {
	const (
		// The begin of crypto/tls.(*Conn).Read as compiled by Go 1.26: three arguments kept, then the first call.
		read  = "49 3b 66 10 0f 86 7a 03 00 00 55 48 89 e5 48 83 ec 58 66 44 0f d6 7c 24 50 48 89 44 24 68 48 89 4c 24 78 48 89 5c 24 70 c6 44 24 1f 00 e8 b0 03 00 00"
		frame = "55 48 89 e5 48 83 ec 58 "
		keep  = "48 89 44 24 68 48 89 5c 24 70 "
	)
	for _, c := range []struct {
		name, code string
		at         uint16
		ok         bool
	}{
		{"Read", read, 0x68, true},
		{"without a frame pointer", "48 83 ec 60 " + keep + "c3", 0x68, true},
		{"read again", frame + keep + "48 8b 44 24 68 48 8b 5c 24 70 48 39 5c 24 70 c3", 0x68, true},
		{"stored within the frame", frame + "48 89 44 24 48 48 89 5c 24 50 c3", 0, false},
		{"another frame", "55 48 89 e5 48 83 ec 50 " + keep + "c3", 0, false},
		{"only the first", frame + "48 89 44 24 68 e8 00 00 00 00", 0, false},
		{"not side by side", frame + "48 89 44 24 68 48 89 5c 24 78 c3", 0, false},
		{"the second changes first", frame + "48 89 44 24 68 31 db 48 89 5c 24 70 c3", 0, false},
		{"the first changes first, in part", frame + "b0 01 " + keep + "c3", 0, false},
		{"the buffer is moved on", frame + keep + "48 89 4c 24 70 c3", 0, false},
		{"a wide store over them", frame + keep + "44 0f 11 7c 24 60 c3", 0, false},
		{"nothing", "", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := instructions(code(t, c.code))
			if err != nil {
				t.Fatal(err)
			}
			if at, ok := keptArguments(list); ok != c.ok || at != c.at {
				t.Errorf("keptArguments = %#x, %t, want %#x, %t", at, ok, c.at, c.ok)
			}
		})
	}
}

func TestDeferredCookie(t *testing.T) {
	d := deferred{resultAt: 0xfff8, argumentsAt: 0x68, back: -1 << 18}
	if !d.fits(0xffff) {
		t.Error("it fits, and is said not to")
	}
	c := d.cookie(kindRead, 0xffff)
	if kind, result, arguments, size, back := c&7, c>>3&0x1fff*8, c>>16&0x1fff*8, c>>29&0xffff, int64(c)>>45; kind != kindRead ||
		result != 0xfff8 || arguments != 0x68 || size != 0xffff || back != -1<<18 {
		t.Errorf("the cookie says %d, %#x, %#x, %#x, %d", kind, result, arguments, size, back)
	}
	for _, d := range []deferred{{back: 1 << 18}, {back: -1<<18 - 1}, {resultAt: 4}} {
		if d.fits(1) {
			t.Errorf("%+v is said to fit", d)
		}
	}
	if (&deferred{}).fits(1 << 16) {
		t.Error("a function of 64 KiB is said to fit")
	}
}
