package main

import (
	"bytes"
	"fmt"

	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/redmetrics"
	"github.com/sonde-dev/sonde/signal"
)

// user is a protocol that has a metric.
type user struct {
	protocol protocol.Protocol
	desc     *signal.Desc
}

// interfaces renders one section for each metric of the interfaces, under a heading for each kind of protocol.
func interfaces(w *bytes.Buffer, ps []protocol.Protocol) {
	var kinds []protocol.Kind
	names := map[protocol.Kind][]string{}
	users := map[string][]user{}
	for _, p := range ps {
		k := heading(p.Semantics().KindOf())
		if names[k] == nil {
			kinds = append(kinds, k)
		}
		for _, side := range []exchange.Side{exchange.Server, exchange.Client} {
			for _, d := range redmetrics.Describe(p, side).All() {
				if users[d.Name] == nil {
					names[k] = append(names[k], d.Name)
				}
				if !isUser(users[d.Name], p.Name()) {
					users[d.Name] = append(users[d.Name], user{p, d})
				}
			}
		}
	}
	for _, k := range kinds {
		fmt.Fprintf(w, "## Interfaces: %s\n\n", title(k))
		for _, name := range names[k] {
			shared(w, users[name])
		}
	}
}

// isUser reports whether a version of the protocol is listed already: versions share their series.
func isUser(us []user, name string) bool {
	for _, u := range us {
		if u.protocol.Name() == name {
			return true
		}
	}
	return false
}

// shared renders a metric with the labels that each protocol gives it.
func shared(w *bytes.Buffer, us []user) {
	head(w, us[0].desc)
	if len(us) == 1 {
		fmt.Fprintf(w, ", labels %s.\n\n", labelsOf(us[0].desc, us[0].protocol.Semantics().Constant))
		return
	}
	w.WriteString(". Labels:\n\n")
	for _, u := range us {
		fmt.Fprintf(w, "- %s: %s\n", u.protocol.Name(), labelsOf(u.desc, u.protocol.Semantics().Constant))
	}
	w.WriteString("\n")
}

// heading returns the kind under which a protocol's metrics are listed: caches share those of databases.
func heading(k protocol.Kind) protocol.Kind {
	if k == protocol.KindCache {
		return protocol.KindDatabase
	}
	return k
}

func title(k protocol.Kind) string {
	switch k {
	case protocol.KindHTTP:
		return "HTTP"
	case protocol.KindRPC:
		return "remote calls"
	case protocol.KindDatabase:
		return "databases and caches"
	case protocol.KindCache:
		return "caches"
	case protocol.KindMessaging:
		return "messaging"
	case protocol.KindDNS:
		return "DNS"
	default:
		return "other protocols"
	}
}
