// Command gen writes the parts of the documentation that come from code.
//
// In: the catalogue of metrics and the registry of protocols. Out: docs/metrics.md and docs/protocols.md. Run it from the
// root of the repository:
//
//	go run ./docs/gen
package main

import (
	"fmt"
	"os"
)

func main() {
	for name, text := range pages() {
		if err := os.WriteFile("docs/"+name, text, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// pages returns what is written, by file.
func pages() map[string][]byte {
	return map[string][]byte{"metrics.md": metrics(protocols()), "protocols.md": protocolTable(protocols())}
}
