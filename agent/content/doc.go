// Package content chooses which slow and failed exchanges are kept with what was said in them, and makes them fit to be read.
//
// In: exchanges, first alone (Keep: in the engine's way), then with the names of their ends (Observe). Out: signal.Sample, redacted, to a sink.
// It must not know where they are stored.
package content
