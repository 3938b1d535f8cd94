package protocol

// View is an exchange in the words of what is spoken inside its protocol: a search of Elasticsearch, which is an HTTP request too.
// The exchange stays what it is and is counted as that; a view is counted once more, under the names of its own Protocol, and only
// by interface: totals of services, edges and instances never include it.
type View struct {
	Protocol  Protocol // whose Semantics name what is measured; it recognises nothing by itself
	Operation string   // of low cardinality
	Target    string   // it becomes a label only through Semantics.Template
	// Failure is the value of error.type where the view sees an error that the exchange does not: GraphQL's errors in a response with
	// the status 200. "" leaves the exchange's.
	Failure string
	// Counts are further numbers, in the order of Semantics.Counts.
	Counts [MaxCounts]uint64
}

// Viewer is what a Sink may offer besides to parsers that read dialects; they look for it by type assertion.
type Viewer interface {
	// View tells what an exchange is in other words, any number of times until its response ends: the last one counts, nil takes back
	// what was said. v must not be changed afterwards.
	View(id uint64, v *View)
	// Whole asks for all bytes of the connection's messages from here on, where so far only heads may be copied. What was sent
	// already is not copied any more.
	Whole()
}
