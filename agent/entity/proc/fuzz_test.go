package proc

import (
	"strings"
	"testing"
)

// A name is made of what the command line and the folder hold, whatever they are.
func FuzzScript(f *testing.F) {
	f.Add("python3.11", "python3\x00-m\x00http.server", "/srv")
	f.Add("java", "java\x00-jar\x00a-1.2.jar", "/")
	f.Add("node", "node\x00-r\x00x\x00dist/main.js", "")
	f.Fuzz(func(t *testing.T, exe, command, cwd string) {
		args := strings.Split(command, "\x00")
		if name := Script(exe, args, cwd); len(name) > len(command)+len(cwd)+len("-server") {
			t.Errorf("Script(%q, %q, %q) = %q", exe, args, cwd, name)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("11205 (cat) S 7 1 1 0 -1 4194304 99 0 0 0 0 0 0 0 20 0 1 0 122539 3133440 384")
	f.Add("   0: 0100007F:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1108 1 0 100 0 0 10 0")
	f.Fuzz(func(t *testing.T, line string) {
		if st, _, ok := parseStat(line); ok && !strings.Contains(line, "("+st.Comm+")") {
			t.Errorf("parseStat(%q) = %+v", line, st)
		}
		if s, ok := parseSocket(line); ok && (!s.Local.IsValid() || !s.Remote.IsValid()) {
			t.Errorf("parseSocket(%q) = %+v", line, s)
		}
	})
}
