package tls

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// fileID identifies a file for as long as it exists: device and inode as /proc/PID/maps writes them. A file in a layer
// that several containers share has one for each; then it is probed several times, and the kernel side takes each call once.
type fileID string

// mapping is a file that a process has mapped to run code of it.
type mapping struct {
	id   fileID
	path string // as the process sees it
	open string // how to open it from here, whatever became of the path
}

// mappings lists the files whose code a process maps, each once. The program itself comes first.
func mappings(pid uint32) ([]mapping, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []mapping
	seen := make(map[fileID]bool)
	for s := bufio.NewScanner(f); s.Scan(); {
		// address perms offset dev inode path (proc(5))
		fields := strings.Fields(s.Text())
		if len(fields) < 6 || len(fields[1]) < 3 || fields[1][2] != 'x' || fields[4] == "0" {
			continue
		}
		id := fileID(fields[3] + " " + fields[4])
		if seen[id] {
			continue
		}
		seen[id] = true
		list = append(list, mapping{id, strings.Join(fields[5:], " "), fmt.Sprintf("/proc/%d/map_files/%s", pid, trimZeros(fields[0]))})
	}
	return list, nil
}

// trimZeros makes the name of an entry of /proc/PID/map_files of a range: without leading zeros.
func trimZeros(r string) string {
	from, to, _ := strings.Cut(r, "-")
	return strings.TrimLeft(from, "0") + "-" + strings.TrimLeft(to, "0")
}

// isLikely says whether a file is worth a look by its name. Others are looked at only when their process is known to speak TLS.
func (m mapping) isLikely() bool {
	name := filepath.Base(m.path)
	return strings.Contains(name, ".so") &&
		(strings.Contains(name, "ssl") || strings.Contains(name, "tls"))
}

// idOf returns the id of a file that no process needs to map.
func idOf(path string) (fileID, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", err
	}
	return fileID(fmt.Sprintf("%02x:%02x %d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)), nil
}
