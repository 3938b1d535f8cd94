// Command gen writes the parts of the documentation that come from code.
//
// In: the catalogue of metrics and the registry of protocols. Out: docs/metrics.md. Run it from the root of the repository:
//
//	go run ./docs/gen
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := os.WriteFile("docs/metrics.md", metrics(protocols()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
