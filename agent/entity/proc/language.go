package proc

import (
	"debug/elf"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// maxExecutables bounds the cache of executables; a host that runs more different ones starts anew.
const maxExecutables = 4096

// Language returns process.runtime.name by the name of an executable: "java", "python", "nodejs", "ruby", "php", "perl",
// or "" for a program that its name alone does not tell.
func Language(executable string) string {
	switch interpreter(executable) {
	case "python":
		return "python"
	case "node":
		return "nodejs"
	case "java":
		return "java"
	case "ruby":
		return "ruby"
	case "php":
		return "php"
	case "perl":
		return "perl"
	}
	return ""
}

// interpreter returns the family an executable belongs to: its name without version or variant ("python3.11" → "python").
func interpreter(executable string) string {
	stem := strings.TrimRight(executable, "0123456789.")
	switch stem {
	case "python", "pypy":
		return "python"
	case "node", "nodejs":
		return "node"
	case "java", "ruby", "perl", "php":
		return stem
	case "php-fpm", "php-cgi":
		return "php"
	case "sh", "bash", "dash", "ash", "zsh", "ksh":
		return "sh"
	}
	return ""
}

// executables remembers what an executable file was found to be. The zero value is ready.
type executables struct {
	mu    sync.Mutex
	known map[fileKey]string
}

// fileKey identifies a file and its content well enough: a new build has another inode or time.
type fileKey struct {
	dev, ino uint64
	mtime    unix.Timespec
}

// language returns the language of the file at name, usually /proc/<pid>/exe, which works across mount namespaces.
func (e *executables) language(name, executable string) string {
	if l := Language(executable); l != "" {
		return l
	}
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		return ""
	}
	key := fileKey{uint64(st.Dev), st.Ino, st.Mtim}
	e.mu.Lock()
	l, ok := e.known[key]
	e.mu.Unlock()
	if ok {
		return l
	}
	l = "native"
	if isGo(name) {
		l = "go"
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known == nil || len(e.known) >= maxExecutables {
		e.known = make(map[fileKey]string)
	}
	e.known[key] = l
	return l
}

// isGo looks for the section that the Go linker writes into every executable, stripped or not (cmd/link: dobuildinfo).
func isGo(name string) bool {
	f, err := elf.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	return f.Section(".go.buildinfo") != nil
}
