package entity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/sonde-dev/sonde/agent/entity/container"
)

func TestSelectionObserves(t *testing.T) {
	cart := &process{comm: "python3", program: program{exe: "/usr/bin/python3.11", script: "cart",
		args: strings.Fields("python3 /srv/shop/cart.py --port 80"), env: map[string]string{"TEAM": "shop", "EMPTY": ""}}}
	web := &process{comm: "nginx", program: program{exe: "/usr/sbin/nginx", args: []string{"nginx"}},
		member: container.Membership{ID: "0f3c2b1a4d5e6f70"}, containerName: "shop-web"}
	one := func(r Rule) Selection { return Selection{Include: []Rule{r}} }
	tests := []struct {
		name            string
		s               Selection
		wantCart, wantW bool
	}{
		{"all", Selection{}, true, true},
		{"executable", one(Rule{Process: "python3.11"}), true, false},
		{"comm", one(Rule{Process: "nginx"}), false, true},
		{"script", one(Rule{Process: "cart"}), true, false},
		{"pattern", one(Rule{Process: "python*"}), true, false},
		{"part of command", one(Rule{Command: "/shop/"}), true, false},
		{"pattern of command", one(Rule{Command: "python3 */cart.py*"}), true, false},
		{"pattern is of all of the command", one(Rule{Command: "*/cart.py"}), false, false},
		{"container id", one(Rule{Container: "0f3c2b"}), false, true},
		{"container name", one(Rule{Container: "shop-*"}), false, true},
		{"env set", one(Rule{Env: "EMPTY"}), true, false},
		{"env value", one(Rule{Env: "TEAM=shop"}), true, false},
		{"env other value", one(Rule{Env: "TEAM=web"}), false, false},
		{"env pattern", one(Rule{Env: "TEAM=s*"}), true, false},
		{"all fields of a rule", one(Rule{Process: "python*", Env: "TEAM=web"}), false, false},
		{"any rule", Selection{Include: []Rule{{Process: "nginx"}, {Process: "cart"}}}, true, true},
		{"exclude", Selection{Exclude: []Rule{{Process: "nginx"}}}, true, false},
		{"exclude beats include", Selection{Include: []Rule{{Process: "*"}}, Exclude: []Rule{{Container: "shop-web"}}}, true, false},
		{"ports are not about processes", Selection{Include: []Rule{{Port: 80}}, Exclude: []Rule{{Port: 81}}}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.s.Validate(); err != nil {
				t.Fatal(err)
			}
			if got := tt.s.observes(cart); got != tt.wantCart {
				t.Errorf("%s: cart observed = %v", tt.s, got)
			}
			if got := tt.s.observes(web); got != tt.wantW {
				t.Errorf("%s: web observed = %v", tt.s, got)
			}
		})
	}
}

func TestSelectionPorts(t *testing.T) {
	tests := []struct {
		s    Selection
		a, b uint16
		want bool
	}{
		{Selection{}, 1, 2, true},
		{Selection{Include: []Rule{{Port: 80}}}, 40000, 80, true},
		{Selection{Include: []Rule{{Port: 80}}}, 80, 40000, true},
		{Selection{Include: []Rule{{Port: 80}}}, 81, 40000, false},
		{Selection{Exclude: []Rule{{Port: 80}}}, 40000, 80, false},
		{Selection{Exclude: []Rule{{Port: 80}}}, 40000, 81, true},
		{Selection{Include: []Rule{{Port: 80}}, Exclude: []Rule{{Port: 90}}}, 80, 90, false},
		{Selection{Include: []Rule{{Process: "x"}}}, 80, 90, true},
	}
	for _, tt := range tests {
		if got := tt.s.WantsPorts(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: WantsPorts(%d, %d) = %v", tt.s, tt.a, tt.b, got)
		}
	}
	if s := (Selection{Include: []Rule{{Port: 80}}}); !s.WantsPort(80) || s.WantsPort(81) {
		t.Error("WantsPort of an included port")
	}
}

func TestSelectionYAMLAndWords(t *testing.T) {
	var s Selection
	err := yaml.Unmarshal([]byte(`
include:
  - process: nginx
  - command: "*shop*"
    env: TEAM=shop
exclude:
  - port: 22
  - container: db
`), &s)
	if err != nil {
		t.Fatal(err)
	}
	want := Selection{Include: []Rule{{Process: "nginx"}, {Command: "*shop*", Env: "TEAM=shop"}}, Exclude: []Rule{{Port: 22}, {Container: "db"}}}
	if d := cmp.Diff(want, s); d != "" {
		t.Error(d)
	}
	words := "only process nginx or command *shop* and env TEAM=shop, without port 22 or container db"
	if s.String() != words {
		t.Errorf("String = %q, want %q", s, words)
	}
	if got := (Selection{}).String(); got != "all processes" {
		t.Errorf("String of nothing = %q", got)
	}
}

func TestSelectionValidate(t *testing.T) {
	for _, r := range []Rule{{}, {Process: "[a"}, {Port: 80, Process: "x"}, {Env: "=x"}, {Command: "a[", Env: "X"}} {
		if err := (Selection{Exclude: []Rule{r}}).Validate(); err == nil {
			t.Errorf("Validate(%+v) = nil", r)
		}
	}
	if err := DefaultConfig.Validate(); err != nil {
		t.Error(err)
	}
}

func TestVerdicts(t *testing.T) {
	f := newFakeProc(t)
	f.add(fake{pid: 10, start: 10, exe: "/bin/a", args: "a", env: []string{"TEAM=shop"}})
	f.add(fake{pid: 11, start: 10, exe: "/bin/b", args: "b"})
	var told []string
	cfg := f.config()
	cfg.Selection = Selection{Exclude: []Rule{{Process: "b"}}}
	cfg.OnVerdict = func(pid uint32, observe bool) { told = append(told, fmt.Sprint(pid, observe)) }
	want := func(what string, want ...string) {
		t.Helper()
		if fmt.Sprint(told) != fmt.Sprint(want) {
			t.Errorf("%s: told %q, want %q", what, told, want)
		}
		told = nil
	}
	tb := New(cfg, silent())
	if err := tb.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	want("scan", "11 false")
	tb.HandleProcess(forkEvent(12, 11, 20, "b"))
	want("fork", "12 false")
	tb.HandleProcess(execEvent(12, 11, 20, "/bin/c", "c"))
	want("exec of something else", "12 true")
	tb.HandleProcess(exitEvent(12, 20, 21))
	want("exit of an observed one")
	tb.HandleProcess(exitEvent(11, 10, 21))
	want("exit frees the pid", "11 true")
	// The variable was not kept at first: it is read again.
	tb.SetSelection(Selection{Include: []Rule{{Env: "TEAM=web"}}})
	want("another team", "10 false")
	tb.SetSelection(Selection{Include: []Rule{{Env: "TEAM=shop"}}})
	want("its team", "10 true")
	tb.SetSelection(Selection{})
	want("all")
}
