package tls

import (
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sonde-dev/sonde/agent/probe/stack"
)

// mapping is a file that a process has mapped to run code of it.
type mapping struct{ stack.Region }

// mappings lists the files whose code a process maps, each once. The program itself comes first.
//
// A file in a layer that several containers share has an id for each; then it is probed several times, and the kernel side takes each
// call once.
func mappings(pid uint32) ([]mapping, error) {
	regions, err := stack.Regions(pid)
	if err != nil {
		return nil, err
	}
	var list []mapping
	seen := make(map[stack.FileID]bool)
	for _, r := range regions {
		if !seen[r.ID] {
			seen[r.ID] = true
			list = append(list, mapping{r})
		}
	}
	return list, nil
}

// isLikely says whether a file is worth a look by its name. Others are looked at only when their process is known to speak TLS.
func (m mapping) isLikely() bool {
	name := filepath.Base(m.Path)
	return m.isShared() && (strings.Contains(name, "ssl") || strings.Contains(name, "tls"))
}

// isShared says whether a file is a library by its name, and not a program.
func (m mapping) isShared() bool { return strings.Contains(filepath.Base(m.Path), ".so") }

// idOf returns the id of a file that no process needs to map.
func idOf(path string) (stack.FileID, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", err
	}
	return stack.FileID(fmt.Sprintf("%02x:%02x %d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)), nil
}
