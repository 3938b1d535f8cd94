package dialect

import (
	"slices"
	"strings"
)

// batch is an array of requests in one body, as Apollo's BatchHttpLink, urql and Relay send them. Each is read as if it were alone; of those
// that are over only this is kept.
type batch struct {
	names     []string // different ones, in the order of the alphabet
	hasMore   bool     // names than fit
	kind      string   // of all, while they agree
	isMixed   bool
	isOpen    bool // one is being read
	hasAny    bool // one was of GraphQL
	isForeign bool // one was not
}

// maxBatchNames bounds the names of a batch: clients put together what happens to be asked at the same time.
const maxBatchNames = 4

// next begins a request, after the end of the one before.
func (t *batch) next(d *graphqlReader, isObject bool) {
	t.take(d)
	t.isOpen = isObject
	t.isForeign = t.isForeign || !isObject
}

// take keeps what is to be kept of the request that is over.
func (t *batch) take(d *graphqlReader) {
	if !t.isOpen {
		return
	}
	t.isOpen = false
	kind, operation := d.describe(true)
	switch {
	case !d.isRequest():
		t.isForeign = true
	case !t.hasAny:
		t.kind = kind
	case t.kind != kind:
		t.isMixed = true
	}
	t.hasAny = true
	d.document, d.named, d.isPersisted = document{}, name{}, false
	if operation == "" {
		operation = "(anonymous)"
	}
	if i, has := slices.BinarySearch(t.names, operation); !has {
		if len(t.names) < maxBatchNames {
			t.names = slices.Insert(t.names, i, operation)
		} else {
			t.hasMore = true
		}
	}
}

// isGraphQL judges what was read so far.
func (t *batch) isGraphQL(d *graphqlReader) bool {
	return !t.isForeign && (t.hasAny || t.isOpen && d.isRequest())
}

// describe returns the type that all operations have, and a name for the batch; isWhole: it was read to its end.
func (t *batch) describe(isWhole bool) (kind, name string) {
	if !isWhole {
		return "", "batch"
	}
	if !t.isMixed {
		kind = t.kind
	}
	name = "batch of " + strings.Join(t.names, ", ")
	if t.hasMore {
		name += ", …"
	}
	return kind, name
}
