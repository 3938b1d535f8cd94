package query

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
)

// edgeKey is what one end saw of the calls between two services.
type edgeKey struct{ client, server, protocol, side string }

// edge is one edge of the map with what the judgement needs.
type edge struct {
	Edge
	clientExternal, serverExternal bool
}

// edges reads the edges that match and had a request in the range. Where both ends were observed, the client's view is
// the edge: it includes what the network added.
func (a *api) edges(ctx context.Context, s span, ms ...*labels.Matcher) ([]edge, error) {
	type externals struct{ client, server bool }
	external := map[edgeKey]externals{}
	g := gathering[edgeKey]{
		reader: a.reader, cuts: s.even(parts),
		key: func(ls labels.Labels) edgeKey {
			return edgeKey{ls.Get("client"), ls.Get("server"), ls.Get("network_protocol_name"), ls.Get("side")}
		},
		note: func(k edgeKey, ls labels.Labels) {
			external[k] = externals{ls.Get("client_external") == "true", ls.Get("server_external") == "true"}
		},
	}
	tallies, err := g.gather(ctx, edgeFamily(), ms...)
	if err != nil {
		return nil, err
	}
	var out []edge
	for k, ext := range external {
		other := k
		other.side = sideClient
		_, alsoClient := external[other]
		if k.side == sideServer && alsoClient {
			continue
		}
		other.side = sideServer
		_, alsoServer := external[other]
		t := tallies[k]
		e := edge{clientExternal: ext.client, serverExternal: ext.server}
		e.Edge = Edge{Client: k.client, Server: k.server, Protocol: k.protocol, Kind: a.kindOf(k.protocol), Seen: k.side, RED: t.red(0, t.all(), s.seconds())}
		if k.side == sideClient && alsoServer {
			e.Seen = "both"
		}
		e.Reasons = judge(t, e.RED, s, a.cfg.SlowThreshold)
		e.Severity = worst(e.Reasons)
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Server, b.Server), cmp.Compare(a.Protocol, b.Protocol))
	})
	return out, nil
}

// topology builds the map: a node for each service that served a request or is an end of an edge.
func (a *api) topology(ctx context.Context, s span) (TopologyReply, error) {
	g := gathering[string]{
		reader: a.reader, cuts: s.even(parts),
		key: func(ls labels.Labels) string { return ls.Get("service_name") },
	}
	f := serviceFamily()
	served, err := g.gather(ctx, f, is("side", sideServer))
	if err != nil {
		return TopologyReply{}, err
	}
	edges, err := a.edges(ctx, s)
	if err != nil {
		return TopologyReply{}, err
	}
	flows, err := a.flows(ctx, s)
	if err != nil {
		return TopologyReply{}, err
	}
	who, err := a.instances(ctx, s)
	if err != nil {
		return TopologyReply{}, err
	}
	nodes := map[string]*Node{}
	node := func(id string) *Node {
		if nodes[id] == nil {
			nodes[id] = &Node{ID: id, Language: who[id].language(), Instances: len(who[id]), Kinds: []string{}, Protocols: []string{}, Severity: SeverityOK, Reasons: []Reason{}}
		}
		return nodes[id]
	}
	for id, t := range served {
		if t.requests(0, t.all()) == 0 {
			continue
		}
		n, r := node(id), t.red(0, t.all(), s.seconds())
		n.Server, n.Reasons = &r, judge(t, r, s, a.cfg.SlowThreshold)
		n.Severity = worst(n.Reasons)
	}
	out := TopologyReply{Range: s.reply(), Nodes: []Node{}, Edges: []Edge{}, Flows: flows}
	enters, answers := map[string]bool{}, map[string]answered{}
	for _, e := range edges {
		c, v := node(e.Client), node(e.Server)
		c.External = c.External || e.clientExternal
		v.External = v.External || e.serverExternal
		enters[e.Client] = enters[e.Client] || e.Kind == kindHTTP || e.Kind == kindRPC || e.Kind == kindOther
		if answers[e.Server] == nil {
			answers[e.Server] = answered{}
		}
		answers[e.Server][e.Protocol] += e.RED.Requests
		out.Edges = append(out.Edges, e.Edge)
	}
	for _, n := range nodes {
		n.Entry = enters[n.ID] && n.Server == nil
		n.Protocols = answers[n.ID].protocols()
		for _, p := range n.Protocols {
			if k := a.kindOf(p); !slices.Contains(n.Kinds, k) {
				n.Kinds = append(n.Kinds, k)
			}
		}
		out.Nodes = append(out.Nodes, *n)
	}
	slices.SortFunc(out.Nodes, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
	out.Loss, err = a.loss(ctx, s)
	return out, err
}

// answered is the number of requests that a service answered, by protocol.
type answered map[string]float64

// protocols returns them, the busiest first.
func (n answered) protocols() []string {
	out := slices.AppendSeq([]string{}, maps.Keys(n))
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	return out
}
