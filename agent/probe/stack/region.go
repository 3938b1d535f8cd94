package stack

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// FileID identifies a file for as long as it exists: device and inode as /proc/PID/maps writes them.
type FileID string

// Region is a range of a process's addresses where code of a file is.
type Region struct {
	From, To uint64
	Offset   uint64 // in the file, of what is at From
	ID       FileID
	Path     string // as the process sees it
	Open     string // how to open it from here, whatever became of the path
}

// Regions lists where a process has code of files, by address.
func Regions(pid uint32) ([]Region, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []Region
	s := bufio.NewScanner(f)
	for s.Scan() {
		// address perms offset dev inode path (proc(5))
		fields := strings.Fields(s.Text())
		if len(fields) < 6 || len(fields[1]) < 3 || fields[1][2] != 'x' || fields[4] == "0" {
			continue
		}
		first, last, _ := strings.Cut(fields[0], "-")
		from, fromErr := strconv.ParseUint(first, 16, 64)
		to, toErr := strconv.ParseUint(last, 16, 64)
		offset, offsetErr := strconv.ParseUint(fields[2], 16, 64)
		if fromErr != nil || toErr != nil || offsetErr != nil {
			continue
		}
		list = append(list, Region{
			From: from, To: to, Offset: offset, ID: FileID(fields[3] + " " + fields[4]), Path: strings.Join(fields[5:], " "),
			Open: fmt.Sprintf("/proc/%d/map_files/%x-%x", pid, from, to),
		})
	}
	return list, s.Err()
}

// OpenFile opens the file of a region of a process.
func (r Region) OpenFile(pid uint32) (*os.File, error) {
	f, err := os.Open(r.Open)
	if err != nil { // map_files wants CAP_CHECKPOINT_RESTORE (proc(5))
		f, err = os.Open(fmt.Sprintf("/proc/%d/root%s", pid, r.Path))
	}
	return f, err
}
