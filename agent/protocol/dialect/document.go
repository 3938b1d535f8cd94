package dialect

// document reads the text of a GraphQL document (GraphQL specification, October 2021, §2) as it comes, and finds its operations: the
// definitions outside all braces. What is no document shows by the first bytes.
type document struct {
	depth  int
	parens int  // of them: parentheses
	isBad  bool // this is no document
	isNote bool // # to the end of the line
	word   name // being read
	inWord bool
	text   quoted

	expects    expectation
	kind       string // of the definition being read, "" for a fragment
	name       name   // of it
	operations []operation
}

// operation is one operation of a document.
type operation struct {
	kind string // "query", "mutation", "subscription"
	name name
}

// maxOperations bounds those of a document; tools like GraphiQL send a few.
const maxOperations = 16

// expectation is what may come next at the top of a document.
type expectation uint8

const (
	expectDefinition expectation = iota
	expectName                   // of an operation, or what comes without one: ( @ {
	expectBody                   // variables and directives, then {
	expectBrace                  // anything up to {
	expectSelection              // the first byte inside the braces
	expectNothing                // inside braces
)

// read takes the next bytes.
func (d *document) read(b []byte) {
	for _, c := range b {
		switch {
		case d.isBad:
			return
		case d.isNote:
			d.isNote = c != '\n'
		case d.text.read(c):
		case c == '_' || isLetter(c) || isDigit(c):
			if !d.inWord {
				d.inWord, d.word.n = true, 0
			}
			d.word.add(c)
		default:
			d.endWord()
			d.mark(c)
		}
	}
}

// isDocument reports whether what was read is the start of a document with an operation.
func (d *document) isDocument() bool {
	n := len(d.operations)
	if d.isBad || n == 0 {
		return false
	}
	isBare := n == 1 && d.expects == expectSelection && d.operations[0].name.n == 0 // "{" alone may begin anything
	return !isBare
}

// endWord acts on a word that is complete.
func (d *document) endWord() {
	if !d.inWord {
		return
	}
	d.inWord = false
	switch d.expects {
	case expectDefinition:
		d.define(d.word.String())
	case expectName:
		d.name, d.expects = d.word, expectBody
		d.isBad = isDigit(d.word.b[0])
	case expectBody:
		d.isBad = d.depth == 0 // prose
	case expectSelection:
		d.expects = expectNothing
		d.isBad = isDigit(d.word.b[0])
	}
}

func (d *document) define(word string) {
	d.name = name{}
	switch word {
	case "query", "mutation", "subscription":
		d.kind, d.expects = word, expectName
	case "fragment":
		d.expects = expectBrace
	default:
		d.isBad = true
	}
}

// mark acts on a byte that is part of no word.
func (d *document) mark(c byte) {
	switch {
	case d.isBad, c == ' ', c == '\t', c == '\n', c == '\r', c == ',', c == 0:
		return
	case c == '#':
		d.isNote = true
		return
	case d.expects == expectSelection: // ...fragment
		d.isBad = c != '.'
		d.expects = expectNothing
		return
	}
	if d.parens == 0 && d.depth > 0 { // in a selection: aliases, arguments, directives, spreads
		switch c {
		case '{', '}', '(', ')', ':', '@', '.':
		default:
			d.isBad = true
			return
		}
	}
	switch c {
	case '{':
		d.open()
	case '(':
		d.isBad = d.depth == 0 && d.expects != expectName && d.expects != expectBody && d.expects != expectBrace
		if d.depth == 0 && d.expects == expectName {
			d.expects = expectBody
		}
		d.depth++
		d.parens++
	case '[':
		d.isBad = d.depth == 0
		d.depth++
	case '}', ')', ']':
		if c == ')' {
			d.parens--
		}
		if d.depth--; d.depth < 0 || d.parens < 0 {
			d.isBad = true
		} else if d.depth == 0 && d.expects == expectNothing {
			d.expects = expectDefinition
		}
	case '@':
		d.isBad = d.depth == 0 && d.expects == expectDefinition
		if d.depth == 0 {
			d.expects = expectBrace
		}
	case '"':
		d.isBad = d.depth == 0
		d.text.open()
	default:
		d.isBad = d.depth == 0
	}
}

// open acts on {, which begins the selection of a definition where it is outside all others.
func (d *document) open() {
	if d.depth++; d.depth > 1 {
		return
	}
	if d.expects == expectDefinition {
		d.kind, d.name = "query", name{}
	}
	if d.kind != "" && len(d.operations) < maxOperations {
		d.operations = append(d.operations, operation{d.kind, d.name})
	}
	d.kind, d.expects = "", expectSelection
}

// quoted follows a string, "text" or """text""", to its end.
type quoted struct {
	state    quotedState
	quotes   int // in a row, inside a block
	isMasked bool
}

type quotedState uint8

const (
	quotedOut quotedState = iota
	quotedOpen
	quotedTwice // empty and over, or the start of a block
	quotedText
	quotedBlock
)

func (q *quoted) open() { *q = quoted{state: quotedOpen} }

// read reports whether a byte is part of the string.
func (q *quoted) read(c byte) bool {
	if q.isMasked {
		q.isMasked = false
		return true
	}
	switch q.state {
	case quotedOut:
		return false
	case quotedOpen:
		if q.state = quotedText; c == '"' {
			q.state = quotedTwice
		}
	case quotedTwice:
		if q.state = quotedBlock; c != '"' {
			q.state = quotedOut
			return false
		}
	case quotedText:
		if c == '"' {
			q.state = quotedOut
		}
	case quotedBlock:
		if c != '"' {
			q.quotes = 0
		} else if q.quotes++; q.quotes == 3 {
			q.state = quotedOut
		}
	}
	q.isMasked = c == '\\'
	return true
}
