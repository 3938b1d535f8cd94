package exchange

import (
	"github.com/sonde-dev/sonde/agent/protocol"
)

// Keeper chooses the exchanges whose content is kept.
type Keeper interface {
	// Keep is asked once for each exchange, when it has ended. It must be quick: mostly the answer is no.
	Keep(x *Exchange) bool
}

// Content is the start of both messages of an exchange as they were on the wire, secrets included. It never changes.
type Content struct {
	Request, Response Snippet
}

// Snippet is the start of one message.
type Snippet struct {
	Form  protocol.Form // FormNone: the protocol hands over nothing, Bytes is empty
	Bytes []byte
	IsCut bool // there was more
}

// Bounds of what is kept of exchanges under way. With the content of all of them at the bound it takes 16 MiB.
const (
	// maxSnippet: of the 8 KiB and 1 KiB that the kernel side copies of HTTP's messages, the head of most fits.
	maxSnippet = 2 << 10
	// maxPages bounds the exchanges with content over all connections, maxPagesOfConn those of one: further ones have none.
	maxPages       = 4096
	maxPagesOfConn = 64
)

// page is where the content of an exchange under way is written. Pages are used again, so that an exchange costs no allocation.
type page struct {
	parts [2]part // by protocol.Direction
}

type part struct {
	form   protocol.Form
	isCut  bool
	isOver bool // bytes are missing after those that are there: what follows would stand in the wrong place
	n      int
	bytes  [maxSnippet]byte
}

// KeepContent makes the engine keep the start of what parsers hand over (protocol.ContentSink), for k to choose from.
// Exchange.Content is not nil for those that it chose. Call it before the first event.
func (e *Engine) KeepContent(k Keeper) { e.keeper = k }

// ContentRefused returns how many exchanges had more content than there was room for.
func (e *Engine) ContentRefused() uint64 { return e.contentRefused }

var _ protocol.ContentSink = (*connection)(nil)

// WantsContent implements protocol.ContentSink.
func (c *connection) WantsContent() bool { return c.engine.keeper != nil }

// Content implements protocol.ContentSink.
func (c *connection) Content(id uint64, dir protocol.Direction, form protocol.Form, b []byte) {
	if !c.WantsContent() || len(b) == 0 {
		return
	}
	f := c.find(id)
	if f == nil {
		return
	}
	if f.page == nil {
		if f.page = c.takePage(); f.page == nil {
			return
		}
	}
	p := &f.page.parts[dir]
	if p.isOver {
		return
	}
	n := copy(p.bytes[p.n:], b)
	p.form = form
	p.n += n
	p.isCut = p.isCut || n < len(b)
	p.isOver = p.isCut
}

// takePage returns an empty page, nil at a bound.
func (c *connection) takePage() *page {
	e := c.engine
	if e.pagesUsed >= maxPages || c.pages >= maxPagesOfConn {
		e.contentRefused++
		return nil
	}
	e.pagesUsed++
	c.pages++
	if n := len(e.pages); n > 0 {
		p := e.pages[n-1]
		e.pages = e.pages[:n-1]
		return p
	}
	return &page{}
}

// freePage takes back the page of a flight.
func (c *connection) freePage(f *flight) {
	p := f.page
	if p == nil {
		return
	}
	f.page = nil
	c.pages--
	c.engine.pagesUsed--
	for i := range p.parts {
		p.parts[i].reset()
	}
	if len(c.engine.pages) < maxLanded {
		c.engine.pages = append(c.engine.pages, p)
	}
}

// reset empties a part; its bytes are overwritten before they are read again.
func (p *part) reset() { p.form, p.isCut, p.isOver, p.n = protocol.FormNone, false, false, 0 }

// breakContent says that bytes of a direction are missing: nothing is added to what is there.
func (c *connection) breakContent(dir protocol.Direction) {
	for _, f := range c.flights {
		if f.page != nil {
			p := &f.page.parts[dir]
			p.isOver, p.isCut = true, true
		}
	}
}

// keep asks the keeper about an exchange that has ended.
func (c *connection) keep(f *flight) {
	if k := c.engine.keeper; k != nil && k.Keep(&f.x) {
		f.x.Content = f.page.content()
	}
}

// content copies what is on a page; there may be none.
func (p *page) content() *Content {
	if p == nil {
		return &Content{}
	}
	return &Content{Request: p.parts[protocol.ToServer].snippet(), Response: p.parts[protocol.FromServer].snippet()}
}

func (p *part) snippet() Snippet {
	return Snippet{Form: p.form, Bytes: append([]byte(nil), p.bytes[:p.n]...), IsCut: p.isCut}
}
