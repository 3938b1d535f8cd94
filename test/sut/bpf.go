package sut

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// BPFObject is a program, map or link in the kernel.
type BPFObject struct {
	Kind  string  `json:"-"` // "prog", "map", "link"
	ID    int     `json:"id"`
	Name  string  `json:"name"`
	Type  BPFType `json:"type"`
	Bytes int64   `json:"bytes_memlock"`
}

// BPFType is the name of a type, or its number where bpftool is older than the type.
type BPFType string

// UnmarshalJSON takes both.
func (t *BPFType) UnmarshalJSON(b []byte) error {
	*t = BPFType(strings.Trim(string(b), `"`))
	return nil
}

// BPFObjects lists all programs, maps and links of the kernel, as bpftool sees them.
func BPFObjects() ([]BPFObject, error) {
	var all []BPFObject
	for _, kind := range []string{"prog", "map", "link"} {
		out, err := exec.Command("bpftool", "-j", kind, "list").Output()
		if err != nil {
			return nil, fmt.Errorf("list BPF %ss by bpftool: %w", kind, err)
		}
		var some []BPFObject
		if err := json.Unmarshal(out, &some); err != nil {
			return nil, fmt.Errorf("read bpftool's list of %ss: %w", kind, err)
		}
		for _, o := range some {
			o.Kind = kind
			all = append(all, o)
		}
	}
	return all, nil
}

// Appeared returns the objects of after that are not in before.
func Appeared(before, after []BPFObject) (fresh []BPFObject) {
	for _, o := range after {
		if !o.in(before) {
			fresh = append(fresh, o)
		}
	}
	return fresh
}

// Remaining returns those of some objects that are still there now.
func Remaining(some, now []BPFObject) (left []BPFObject) {
	for _, o := range some {
		if o.in(now) {
			left = append(left, o)
		}
	}
	return left
}

func (o BPFObject) in(all []BPFObject) bool {
	return slices.ContainsFunc(all, func(b BPFObject) bool { return b.Kind == o.Kind && b.ID == o.ID })
}
