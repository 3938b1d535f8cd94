package demo

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Truth is what a correct map of the shop shows, nothing else.
type Truth struct {
	Services []TrueService `json:"services"`
	Edges    []Edge        `json:"edges"`
}

// TrueService is a node of the true map.
type TrueService struct {
	Name     string `json:"name"`
	Language string `json:"language"`
	Replicas int    `json:"replicas"`
	Ports    []int  `json:"ports,omitempty"` // one for each replica
}

// Edge says that one service calls another (or itself).
type Edge struct {
	Client string `json:"client"`
	Server string `json:"server"`
}

// Count is how often a client called a server, by the client's own log: one line written for each call when its reply was
// there. Status 599 stands for a call without a reply, "-" for one whose protocol has no status for it.
type Count struct {
	Edge
	Protocol   string         `json:"protocol"` // by its name in OpenTelemetry; an edge has one
	Requests   int            `json:"requests"`
	Statuses   map[string]int `json:"statuses"`
	Operations map[string]int `json:"operations"` // "GET 200", "INSERT 23505", "deliver -": operation and status
}

// Edges returns the true edges of the shop, sorted. They do not depend on what the machine has.
func Edges() []Edge { return edgesOf(shop()) }

func edgesOf(services []service) []Edge {
	var es []Edge
	for _, s := range services {
		for _, r := range s.routes {
			for _, c := range r.calls {
				if e := (Edge{s.name, c.to}); !slices.Contains(es, e) {
					es = append(es, e)
				}
			}
		}
	}
	sort.Slice(es, func(i, j int) bool {
		return es[i].Client+"\x00"+es[i].Server < es[j].Client+"\x00"+es[j].Server
	})
	return es
}

func (p *plan) truth() Truth {
	var t Truth
	for _, e := range edgesOf(p.services) {
		t.Edges = append(t.Edges, p.prefixed(e))
	}
	for _, s := range p.services {
		language := map[kind]string{kindThreads: "python", kindAsyncio: "python", kindNginx: "native"}[s.kind]
		switch {
		case s.kind.isOwn():
			language = "go"
		case language == "":
			language = string(s.kind)
		}
		t.Services = append(t.Services, TrueService{p.cfg.Prefix + s.name, language, s.replicas, p.ports[s.name]})
	}
	return t
}

func (p *plan) prefixed(e Edge) Edge { return Edge{p.cfg.Prefix + e.Client, p.cfg.Prefix + e.Server} }

// counts adds up the logs of all processes. nginx names whom it called by address, the others by name.
func (p *plan) counts() ([]Count, error) {
	sums := map[Edge]*Count{}
	for client, logs := range p.logs {
		for _, log := range logs {
			if err := p.countLog(client, log, sums); err != nil {
				return nil, err
			}
		}
	}
	var out []Count
	for _, e := range edgesOf(p.services) {
		if c := sums[e]; c != nil {
			c.Edge = p.prefixed(e)
			out = append(out, *c)
		}
	}
	return out, nil
}

func (p *plan) countLog(client, log string, sums map[Edge]*Count) error {
	f, err := os.Open(log)
	if os.IsNotExist(err) {
		return nil // it called nobody
	}
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", client, err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		fields := strings.Split(sc.Text(), "\t")
		if len(fields) != 4 || fields[0] == "-" { // "-": nginx answered by itself
			continue
		}
		e := Edge{client, fields[0]}
		if name, ok := p.byPort[fields[0]]; ok {
			e.Server = name
		}
		c := sums[e]
		if c == nil {
			c = &Count{Edge: e, Protocol: p.kindOf(e.Server).protocol(), Statuses: map[string]int{}, Operations: map[string]int{}}
			sums[e] = c
		}
		c.Requests++
		c.Statuses[fields[3]]++
		c.Operations[fields[1]+" "+fields[3]]++
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("read the log of %s: %w", client, err)
	}
	return nil
}

func printTruth(w io.Writer, t Truth, pageURL string) {
	fmt.Fprintf(w, "The shop is open: %d services, %d edges.\n\n", len(t.Services), len(t.Edges))
	for _, s := range t.Services {
		var calls, ports []string
		for _, e := range t.Edges {
			if e.Client == s.Name {
				calls = append(calls, e.Server)
			}
		}
		for _, port := range s.Ports {
			ports = append(ports, strconv.Itoa(port))
		}
		line := fmt.Sprintf("  %-10s %-7s %-18s", s.Name, s.Language, strings.Join(ports, " "))
		if len(calls) > 0 {
			line += " calls " + strings.Join(calls, ", ")
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	fmt.Fprintf(w, `
What is wrong with it, for Sonde to show: payment refuses about 3 %% of charges (503); recommend sometimes takes
700 ms; one of the three replicas of inventory is slow and fails. The database refuses 4 %% of new orders (23505) and is slow
with a report and, now and then, with the stock; fraud is UNAVAILABLE for 4 %% of its checks; one name takes the resolver 600 ms.

See it at %s (sonde run must be running, as root). Ctrl-C closes the shop.
`, pageURL)
}

func writeJSON(file string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", file, err)
	}
	tmp := file + ".tmp" // renamed when whole: a reader that polls never sees half of it
	if err := os.WriteFile(tmp, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := os.Rename(tmp, file); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}
