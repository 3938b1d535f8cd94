package replay

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// streamsOf writes the connections of a capture as testdata/streams.txt has them.
func streamsOf(t *testing.T, file string) map[string]string {
	t.Helper()
	cs, err := Conversations(filepath.Join("testdata/captures", file))
	if err != nil {
		t.Fatal(err)
	}
	streams := map[string]string{}
	for _, c := range cs {
		var text [2][]byte
		for _, k := range c.Calls {
			if k.FromClient {
				text[0] = append(text[0], k.Payload...)
			} else {
				text[1] = append(text[1], k.Payload...)
			}
		}
		ends := [2]string{c.Client.String(), c.Server.String()}
		for i := range ends {
			streams[ends[i]+" "+ends[1-i]] = fmt.Sprintf("%s %d %x %s %d %x", ends[i], len(text[i]), shortSum(text[i]), ends[1-i], len(text[1-i]), shortSum(text[1-i]))
		}
	}
	return streams
}

func shortSum(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:8]
}

// Streams are the same as tshark's.
func TestStreamsAreThoseOfTshark(t *testing.T) {
	b, err := os.ReadFile("testdata/streams.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		var file, first, firstSum, second, secondSum string
		var stream, firstBytes, secondBytes int
		if _, err := fmt.Sscan(line, &file, &stream, &first, &firstBytes, &firstSum, &second, &secondBytes, &secondSum); err != nil {
			continue // a comment
		}
		if firstBytes+secondBytes == 0 {
			continue // nothing was said
		}
		n++
		got := streamsOf(t, file)[first+" "+second]
		if want := strings.TrimSpace(strings.TrimPrefix(line, fmt.Sprintf("%s %d ", file, stream))); got != want {
			t.Errorf("%s: stream %d = %q, want %q", file, stream, got, want)
		}
	}
	if n < 30 {
		t.Errorf("%d streams compared", n)
	}
}
