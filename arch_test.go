package sonde

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sonde-dev/sonde"

// A room is a folder and all below it. The most specific row of the table counts. mayImport lists folders of this module,
// each with all below it; a room may always import from itself.
type room struct {
	folder    string
	mayImport []string
	reason    string
}

// rooms is docs/architecture.md as a table: data flows one way, each room knows only those before it.
func rooms() []room {
	return []room{
		{"signal", nil, "the seam between agent and server; a leaf, so that both can know it"},
		{"agent/probe/event", nil, "what the kernel reports, as plain data: everything behind it is driven without a kernel"},
		{"agent/probe", []string{"signal", "agent/probe/event"}, "loads and reads; does not know what the bytes mean"},
		{"agent/replay", []string{"agent/probe/event"}, "reports a capture as the kernel side would; does not know protocols, so that tests of parsers can use it"},
		{"agent/protocol", []string{"signal"}, "pure parsers: no sockets, no processes, no metrics"},
		{"agent/flow", []string{"signal", "agent/probe/event"}, "what connections move; knows neither bytes nor ends"},
		{"agent/exchange", []string{"signal", "agent/probe/event", "agent/protocol"}, "pairs messages; does not know who the peer is"},
		{"agent/redact", nil, "takes secrets out of text; knows neither exchanges nor who asks"},
		{"agent/content", []string{"signal", "agent/protocol", "agent/exchange", "agent/redact"}, "chooses what is kept of slow and failed exchanges; does not know the way out"},
		{"agent/wildcard", nil, "matches patterns of people; a leaf"},
		{"agent/ignore", []string{"agent/protocol", "agent/exchange", "agent/wildcard"}, "leaves out what nobody wants to see; does not know who the ends are"},
		{"agent/entity", []string{"signal", "agent/probe/event", "agent/exchange", "agent/wildcard"}, "says who; does not know protocols"},
		{"agent/redmetrics", []string{"signal", "agent/protocol", "agent/exchange"}, "counts exchanges; does not know the way out"},
		{"agent/replay/report", []string{"signal", "agent/probe/event", "agent/protocol", "agent/exchange", "agent/redmetrics", "agent/replay"}, "a capture's way through the rooms of a live host"},
		{"agent/export", []string{"signal"}, "the way out sees only what crosses the seam"},
		{"server/store", []string{"signal"}, "stores; knows neither agent nor HTTP API"},
		{"server/ingest", []string{"signal", "server/store"}, "the way in"},
		{"server/query", []string{"signal", "server/store"}, "answers; does not know the agent"},
		{"web", nil, "the page knows only the query API, over HTTP"},
		{"demo", nil, "its truth is the oracle of the map, so it must not know Sonde"},
		{"docs", []string{"signal", "agent/protocol", "agent/exchange", "agent/redmetrics"}, "generated references read the catalogue, the protocols and what they are counted in"},
		{"test", []string{"demo"}, "truth comes from outside: no oracle is Sonde itself"},
		{"cmd", []string{"agent", "server", "signal", "web", "demo"}, "the only place that knows everything"},
	}
}

type pkg struct {
	ImportPath, Dir string
	GoFiles         []string
	Imports         []string
}

func TestImportsFollowTheFlow(t *testing.T) {
	for _, p := range packages(t) {
		folder := strings.TrimPrefix(p.ImportPath, module+"/")
		if p.ImportPath == module {
			continue // this test
		}
		r := roomOf(folder)
		if r == nil {
			t.Errorf("%s: no room for this folder in the table of arch_test.go; which one does it belong to?", folder)
			continue
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, module+"/")
			if ours && !slices.ContainsFunc(append(r.mayImport, r.folder), func(f string) bool { return under(to, f) }) {
				t.Errorf("%s imports %s: %s may import only %v (%s)", folder, to, r.folder, r.mayImport, r.reason)
			}
		}
	}
}

// TestAgentAndServerStayApart looks at everything, tests too, through any number of steps.
func TestAgentAndServerStayApart(t *testing.T) {
	for _, c := range [][2]string{{"agent", "server"}, {"server", "agent"}} {
		out, err := exec.Command("go", "list", "-deps", "-test", "./"+c[0]+"/...").Output()
		if err != nil {
			t.Fatalf("list what ./%s needs: %v", c[0], explain(err))
		}
		for _, dep := range strings.Fields(string(out)) {
			if to, ours := strings.CutPrefix(dep, module+"/"); ours && under(to, c[1]) {
				t.Errorf("%s reaches %s: only cmd/sonde may know both", c[0], to)
			}
		}
	}
}

func TestEveryPackageHasOneDocComment(t *testing.T) {
	for _, p := range packages(t) {
		var with []string
		for _, f := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if parsed.Doc != nil && strings.TrimSpace(parsed.Doc.Text()) != "" {
				with = append(with, f)
			}
		}
		if len(p.GoFiles) > 0 && len(with) != 1 {
			t.Errorf("%s: package doc comments in %v, want exactly one", p.ImportPath, with)
		}
	}
}

func packages(t *testing.T) (ps []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v", explain(err))
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return ps
		} else if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		ps = append(ps, p)
	}
}

func roomOf(folder string) *room {
	var best *room
	for _, r := range rooms() {
		if under(folder, r.folder) && (best == nil || len(r.folder) > len(best.folder)) {
			best = &r
		}
	}
	return best
}

func under(folder, root string) bool { return folder == root || strings.HasPrefix(folder, root+"/") }

func explain(err error) string {
	var e *exec.ExitError
	if errors.As(err, &e) {
		return string(e.Stderr)
	}
	return err.Error()
}
