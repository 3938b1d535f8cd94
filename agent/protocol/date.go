package protocol

// Dater is what a Sink may offer besides to parsers that keep the first bytes of a message until they can tell what it is: a
// request begins with its first byte, whatever call brings the rest. They look for it by type assertion.
type Dater interface {
	// Now returns a mark of the call being parsed, which is not 0 and means something to RequestSince alone.
	Now() uint64
	// RequestSince says, right after RequestBegin, that the request began with the call of a mark.
	RequestSince(id, mark uint64)
}

// Since keeps when the message began of which one direction has only the first bytes, too few to tell what it is. The zero value is ready
// to use.
type Since struct{ mark uint64 }

// Stamp is to be called when a call was read; isKept says that it ended within such a message.
func (s *Since) Stamp(isKept bool, sink Sink) {
	if !isKept {
		s.mark = 0
	} else if d, ok := sink.(Dater); ok && s.mark == 0 {
		s.mark = d.Now()
	}
}

// Date is to be called right after RequestBegin: it tells of the request that is that message.
func (s *Since) Date(id uint64, sink Sink) {
	if s.mark == 0 {
		return
	}
	if d, ok := sink.(Dater); ok {
		d.RequestSince(id, s.mark)
	}
}

// Clear forgets: what follows begins in this call.
func (s *Since) Clear() { s.mark = 0 }
