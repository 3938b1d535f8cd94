package protocol

// ContentSink is a Sink that also keeps the start of what people can read of a message. Not every sink is one: use Tell.
type ContentSink interface {
	// WantsContent says whether anything that is handed over is kept.
	WantsContent() bool
	// Content hands over the next readable bytes of a message in their order, between its begin and its end. A message has one
	// form in each direction. Nothing of b is kept.
	Content(id uint64, dir Direction, form Form, b []byte)
}

// Form says how the bytes of a message are to be read by whoever takes the secrets out of them.
type Form uint8

// The forms.
const (
	FormNone Form = iota // the protocol hands over nothing: what is known of the exchange has to do
	FormHTTP             // a message of HTTP/1: head and start of the body, as on the wire
	FormSQL              // a statement, or what a server says of one
	FormText             // a line for people: the message of an error
)

// IsContentWanted says whether a sink keeps what is handed to it: for parsers that have to keep something for that.
func IsContentWanted(sink Sink) bool {
	c, ok := sink.(ContentSink)
	return ok && c.WantsContent()
}

// Tell hands bytes to a sink that keeps them. It does not allocate.
func Tell(sink Sink, id uint64, dir Direction, form Form, b []byte) {
	if c, ok := sink.(ContentSink); ok {
		c.Content(id, dir, form, b)
	}
}
