package protocol

// Dater is what a Sink may offer besides to parsers that keep the first bytes of a message until they can tell what it is: a
// request begins with its first byte, whatever call brings the rest. They look for it by type assertion.
type Dater interface {
	// Now returns a mark of the call being parsed, which is not 0 and means something to RequestSince alone.
	Now() uint64
	// RequestSince says, right after RequestBegin, that the request began with the call of a mark.
	RequestSince(id, mark uint64)
}
