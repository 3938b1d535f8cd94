package main

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/all"
)

// protocols returns what the reference describes: the registry.
func protocols() []protocol.Protocol { return all.Protocols() }

const protocolsHead = `<!-- Written by go run ./docs/gen. Do not edit. -->
# Protocols

What Sonde understands, and what it does not. A connection is recognised by its bytes, never by its port. What is not
listed here is passed over: a connection that no protocol claims is counted as a flow of bytes.

Durations, errors and bytes are counted for every protocol, at both ends; the metrics are in [metrics.md](metrics.md).
Contents (bodies, values, passwords, query parameters) are in no metric: statements have ` + "`?`" + ` in place of every literal. Of slow and failed
exchanges the start is kept, redacted ([content.md](content.md)). What all this was held against is in [proof.md](proof.md).

What says HTTP/1 and HTTP/2 under "over" is a dialect: it is spoken inside HTTP. Such an exchange is HTTP and is counted as that, once, in every total.
Besides, it is counted as what it is in the words of the dialect, **by interface only**: no total of a service, an edge or an instance has it twice, and adding
up requests of both protocols would. Dialects are told by what nothing else says; where that is not enough, an exchange stays plain HTTP.

| protocol | kind | versions | over | operation | target | status |
|---|---|---|---|---|---|---|
`

// protocolTable renders the reference of all protocols.
func protocolTable(ps []protocol.Protocol) []byte {
	var w bytes.Buffer
	w.WriteString(protocolsHead)
	for _, p := range ps {
		s, r := p.Semantics(), reads(p)
		fmt.Fprintf(&w, "| %s | %s | %s | %s | %s | %s | %s |\n", p.Name(), title(s.KindOf()), list(r.Versions),
			cmp.Or(list(r.Transports), "TCP, Unix sockets"), code(s.OperationLabel), targets(s), code(s.StatusLabel))
	}
	for _, p := range ps {
		r := reads(p)
		if len(r.Read)+len(r.NotRead) == 0 {
			continue
		}
		fmt.Fprintf(&w, "\n## %s\n", section(p.Name(), r))
		bullets(&w, "Read:", r.Read)
		bullets(&w, "Not read:", r.NotRead)
		counted(&w, p.Semantics())
	}
	return w.Bytes()
}

func reads(p protocol.Protocol) protocol.Reading {
	if r, ok := p.(protocol.Reader); ok {
		return r.Reads()
	}
	return protocol.Reading{}
}

// section names the versions too where there are any: http has two entries.
func section(name string, r protocol.Reading) string {
	if len(r.Versions) == 0 {
		return name
	}
	return fmt.Sprintf("%s (%s)", name, list(r.Versions))
}

func bullets(w *bytes.Buffer, what string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n\n", what)
	for _, l := range lines {
		fmt.Fprintf(w, "- %s\n", l)
	}
}

func counted(w *bytes.Buffer, s *protocol.Semantics) {
	var lines []string
	for _, c := range s.Counts {
		lines = append(lines, fmt.Sprintf("%s (%s)", strings.TrimSuffix(c.Help, "."), code(cmp.Or(c.Client, c.Server))))
	}
	bullets(w, "Counted besides:", lines)
}

func targets(s *protocol.Semantics) string {
	if s.ServerTargetLabel == s.ClientTargetLabel || s.ClientTargetLabel == "" {
		return code(s.ServerTargetLabel)
	}
	return list([]string{code(s.ServerTargetLabel), code(s.ClientTargetLabel)})
}

func list(s []string) string { return strings.Join(s, ", ") }

// code sets a name as code, nothing as nothing.
func code(name string) string {
	if name == "" {
		return ""
	}
	return "`" + name + "`"
}
