package memcached

// kind is how a command is answered.
type kind uint8

const (
	oneLine  kind = iota // by one line
	get                  // by values and END
	stats                // by lines and END, or by one other line
	store                // by one line; a value follows the command
	meta                 // by a line of two letters, VA with a value
	metaMiss             // the same; q hides a miss
	metaSet              // the same; a value follows the command; q hides success
	never                // by nothing: the connection ends
	watch                // by OK and then whatever happens
)

// command is what the parser must know of a command.
type command struct {
	name  string
	kind  kind
	size  int8   // index of the word that is the size of the value; 0: none
	done  string // status of success, where the answer does not say it
	isKey bool   // the first argument is a key
	quiet string // what silence means: the status of a command that asked for no answer in that case
}

// Statuses.
const (
	hit         = "HIT"
	miss        = "MISS"
	stored      = "STORED"
	notStored   = "NOT_STORED"
	exists      = "EXISTS"
	notFound    = "NOT_FOUND"
	deleted     = "DELETED"
	touched     = "TOUCHED"
	done        = "OK"
	unknown     = "ERROR"        // no such command
	clientError = "CLIENT_ERROR" // the client broke the protocol
	serverError = "SERVER_ERROR"
	quiet       = "QUIET" // asked to say nothing whether it was found or not
)

var other = command{name: "other"}

// commands of the text and meta protocols, as memcached 1.6 has them.
var commands = index([]command{
	{name: "get", kind: get, isKey: true}, {name: "gets", kind: get, isKey: true}, {name: "gat", kind: get}, {name: "gats", kind: get},
	{name: "set", kind: store, size: 4, isKey: true}, {name: "add", kind: store, size: 4, isKey: true},
	{name: "replace", kind: store, size: 4, isKey: true}, {name: "append", kind: store, size: 4, isKey: true},
	{name: "prepend", kind: store, size: 4, isKey: true}, {name: "cas", kind: store, size: 4, isKey: true},
	{name: "delete", isKey: true}, {name: "incr", isKey: true, done: done}, {name: "decr", isKey: true, done: done}, {name: "touch", isKey: true},
	{name: "stats", kind: stats, done: done}, {name: "lru_crawler", kind: stats, done: done},
	{name: "version", done: done}, {name: "verbosity"}, {name: "flush_all"}, {name: "cache_memlimit"}, {name: "slabs"}, {name: "lru"}, {name: "refresh_certs"},
	{name: "quit", kind: never}, {name: "shutdown", kind: never}, {name: "watch", kind: watch},
	{name: "mg", kind: metaMiss, isKey: true, done: hit, quiet: miss}, {name: "me", kind: metaMiss, isKey: true, done: hit, quiet: miss},
	{name: "ms", kind: metaSet, size: 2, isKey: true, done: stored, quiet: stored},
	{name: "md", kind: meta, isKey: true, done: deleted, quiet: quiet}, {name: "ma", kind: meta, isKey: true, done: done, quiet: quiet},
	{name: "mn", kind: meta, done: done},
})

func index(list []command) map[string]*command {
	m := make(map[string]*command, len(list))
	for i := range list {
		m[list[i].name] = &list[i]
	}
	return m
}

// opcodes of the binary protocol under the names of the text protocol; an empty name is not known. size is the length of the
// extras of a request.
var opcodes = [...]command{
	0x00: {name: "get", done: hit, isKey: true}, 0x01: {name: "set", done: stored, isKey: true, size: 8}, 0x02: {name: "add", done: stored, isKey: true, size: 8},
	0x03: {name: "replace", done: stored, isKey: true, size: 8}, 0x04: {name: "delete", done: deleted, isKey: true},
	0x05: {name: "incr", done: done, isKey: true, size: 20}, 0x06: {name: "decr", done: done, isKey: true, size: 20},
	0x07: {name: "quit", done: done}, 0x08: {name: "flush_all", done: done},
	0x09: {name: "get", done: hit, isKey: true, quiet: miss}, 0x0a: {name: "noop", done: done}, 0x0b: {name: "version", done: done},
	0x0c: {name: "get", done: hit, isKey: true}, 0x0d: {name: "get", done: hit, isKey: true, quiet: miss},
	0x0e: {name: "append", done: stored, isKey: true}, 0x0f: {name: "prepend", done: stored, isKey: true}, 0x10: {name: "stats", done: done},
	0x11: {name: "set", done: stored, isKey: true, size: 8, quiet: stored}, 0x12: {name: "add", done: stored, isKey: true, size: 8, quiet: stored},
	0x13: {name: "replace", done: stored, isKey: true, size: 8, quiet: stored}, 0x14: {name: "delete", done: deleted, isKey: true, quiet: deleted},
	0x15: {name: "incr", done: done, isKey: true, size: 20, quiet: done}, 0x16: {name: "decr", done: done, isKey: true, size: 20, quiet: done},
	0x17: {name: "quit", done: done, kind: never}, 0x18: {name: "flush_all", done: done, quiet: done},
	0x19: {name: "append", done: stored, isKey: true, quiet: stored}, 0x1a: {name: "prepend", done: stored, isKey: true, quiet: stored},
	0x1b: {name: "verbosity", done: done, size: 4}, 0x1c: {name: "touch", done: touched, isKey: true, size: 4}, 0x1d: {name: "gat", done: hit, isKey: true, size: 4},
	0x1e: {name: "gat", done: hit, isKey: true, size: 4, quiet: miss}, 0x20: {name: "sasl_list_mechs", done: done},
	0x21: {name: "sasl_auth", done: done}, 0x22: {name: "sasl_step", done: done},
	0x23: {name: "gat", done: hit, isKey: true, size: 4}, 0x24: {name: "gat", done: hit, isKey: true, size: 4, quiet: miss},
}

const opStat = 0x10 // answered by one message for each value and an empty one

func opcode(c byte) *command {
	if int(c) < len(opcodes) && opcodes[c].name != "" {
		return &opcodes[c]
	}
	return &other
}

// binaryStatus names the status of a response; c says what success means.
func binaryStatus(code uint16, c *command) (string, bool) {
	switch code {
	case 0x00:
		if c.done == "" {
			return done, true
		}
		return c.done, true
	case 0x01:
		if c.done == hit {
			return miss, true
		}
		return notFound, true
	case 0x02:
		return exists, true
	case 0x05:
		return notStored, true
	case 0x21: // authentication goes on
		return done, true
	case 0x04, 0x06, 0x07, 0x08, 0x09, 0x20: // invalid arguments, no number, wrong vbucket, authentication
		return clientError, true
	case 0x81, 0x83:
		return unknown, true
	case 0x03, 0x82, 0x84, 0x85, 0x86: // too large, out of memory, internal, busy, later
		return serverError, true
	}
	return "", false
}

// lineStatus names a line that ends an answer of one line, "" if it is none that the command may get.
func lineStatus(word string, c *command) string {
	switch {
	case isError(word):
		return word
	case c.kind >= meta && c.kind <= metaSet:
		if (word == "MN") != (c.name == "mn") {
			return ""
		}
		return metaStatus(word, c)
	}
	switch word {
	case stored, notStored, exists, notFound, deleted, touched, done:
		return word
	case "RESET", "VERSION", "BUSY", "BADCLASS", "NOSPARE", "NOTFULL", "UNSAFE", "SAME":
		return done
	}
	return ""
}

// metaStatus names the answer to a meta command.
func metaStatus(word string, c *command) string {
	switch word {
	case "HD", "VA", "MN", "ME":
		return c.done
	case "EN":
		return miss
	case "NF":
		return notFound
	case "NS":
		return notStored
	case "EX":
		return exists
	}
	return ""
}

// known is the set of words that a line of a response may begin with, so that they cost no allocation.
var known = func() map[string]string {
	m := map[string]string{}
	for _, w := range []string{
		stored, notStored, exists, notFound, deleted, touched, done, unknown, clientError, serverError, "RESET", "VERSION", "BUSY", "BADCLASS", "NOSPARE",
		"NOTFULL", "UNSAFE", "SAME", "HD", "VA", "MN", "ME", "EN", "NF", "NS", "EX", "VALUE", "END", "STAT", "ITEM", "PREFIX",
	} {
		m[w] = w
	}
	return m
}()
