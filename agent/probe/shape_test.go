package probe

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestShapes holds the capture to what it promises for calls of every shape: heads and pipelined messages whole, sizes
// exact, ends known.
func TestShapes(t *testing.T) {
	ones := strings.TrimSpace(strings.Repeat("1 ", 20))
	fifteenThenEmpty := strings.TrimSpace(strings.Repeat("4 ", 15)) + " 0 4 4"
	scenes := []string{
		"array tcp4", "array unix",
		"iovecs tcp4 3 4 5", "iovecs unix 10", "iovecs tcp4 0 3 0 1 4", "iovecs tcp4 " + ones, "iovecs tcp4 " + fifteenThenEmpty,
		"chunked tcp4", "chunked unix",
		"failing tcp4 calls", "failing tcp4 iovecs", "failing unix calls",
		"cut tcp4 1 20", "cut unix 1 20", "cut tcp4 2 20", "cut tcp4 5 20", "cut tcp4 7 20", "cut tcp4 11 3000", "cut tcp4 4096 300000", "cut unix 60000 300000",
		"cut tcp4 1000000 1000000",
	}
	for _, n := range []int{33, 34, 35, 50, 100, 10000} {
		scenes = append(scenes, "pipeline tcp4 whole "+strconv.Itoa(n))
	}
	for _, n := range []int{1, 2, 3, 5, 29, 30, 31, 32} { // calls need not show the end of a head with what follows
		scenes = append(scenes, "pipeline tcp4 requests "+strconv.Itoa(n))
	}
	inBothTiers(t, func(t *testing.T, r *recorder) {
		for _, scene := range scenes {
			t.Run(strings.ReplaceAll(scene, " ", "-"), func(t *testing.T) {
				words := strings.Fields(scene)
				rep, events := play(t, r, words[0], slices.Clone(words[1:])...)
				expectation{tier: r.tier}.check(t, rep, events)
			})
		}
	})
}
