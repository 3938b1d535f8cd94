package mongodb

import (
	"encoding/binary"
	"strconv"

	"github.com/sonde-dev/sonde/agent/protocol"
)

// reply takes a message of the server.
func (p *parser) reply(h *header, opcode uint32, body []byte, isWhole bool) {
	if opcode == opMsg && len(body) >= 4 && binary.LittleEndian.Uint32(body)&flagMoreToCome != 0 {
		p.stream, p.hasStream = h.requestID, true
	}
	m := &p.reading[protocol.FromServer]
	if m.id == 0 {
		return
	}
	var r protocol.Response
	switch {
	case opcode == opMsg && len(body) > 5:
		r = readReply(open(body[5:]))
	case opcode == opReply && len(body) >= 20:
		r = readOldReply(body)
	}
	if !isWhole && r.ClientError == "" { // whatever it counts, and whether it failed, is at its end
		r.Counts, m.isPartial = [protocol.MaxCounts]uint64{}, true
	}
	p.sink.ResponseHead(m.id, r)
}

// readOldReply reads an OP_REPLY: the reply to a command, or documents.
func readOldReply(b []byte) protocol.Response {
	const queryFailure = 2
	const begin = 20
	r := readReply(open(b[begin:]))
	if binary.LittleEndian.Uint32(b)&queryFailure == 0 && r.Status == "" {
		r.Status = statusOK
		r.Counts[protocol.RowsReturned] = uint64(binary.LittleEndian.Uint32(b[16:]))
	}
	return r
}

const statusOK = "ok"

// readReply reads the document that answers a command. One with an error is short and says so early; where the document is cut behind
// the results, it has some.
func readReply(d document) (r protocol.Response) {
	var code, writeCode int64
	isOK, isFailed, hasResults, isServers := false, false, false, false
	for {
		e, ok := d.next()
		if !ok {
			break
		}
		switch string(e.key) {
		case "ok":
			n, isNumber := e.number()
			isOK, isFailed = isNumber && n == 1, isNumber && n == 0
		case "code":
			code, _ = e.number()
		case "$err":
			isFailed = true
		case "cursor":
			hasResults = e.kind == typeDocument
			if hasResults {
				r.Counts[protocol.RowsReturned] = countBatch(open(e.value))
			}
		case "values":
			hasResults = e.kind == typeArray
		case "writeErrors":
			if first, ok := firstOf(&e); ok && writeCode == 0 {
				writeCode = codeOf(open(first.value))
			}
		case "writeConcernError":
			if e.kind == typeDocument && writeCode == 0 {
				writeCode, isServers = codeOf(open(e.value)), true
			}
		}
	}
	switch {
	case isFailed:
		fail(&r, code)
	case writeCode != 0:
		fail(&r, writeCode)
		if isServers {
			r.ServerError = r.ClientError
		}
	case isOK || hasResults:
		r.Status = statusOK
	}
	return r
}

// countBatch counts the documents of a cursor's batch.
func countBatch(d document) (n uint64) {
	for {
		e, ok := d.next()
		if !ok {
			return n
		}
		if k := string(e.key); k == "firstBatch" || k == "nextBatch" {
			n, _ = e.count()
			return n
		}
	}
}

// firstOf returns the first element of an array.
func firstOf(e *element) (element, bool) {
	if e.kind != typeArray {
		return element{}, false
	}
	d := open(e.value)
	return d.next()
}

func codeOf(d document) int64 {
	for {
		e, ok := d.next()
		if !ok {
			return 0
		}
		if string(e.key) == "code" {
			n, _ := e.number()
			return n
		}
	}
}

// fail renders an error code (mongo: error_codes.yml). Most say what the client did wrong; some that the server could not.
func fail(r *protocol.Response, code int64) {
	const most = 400_000 // the highest are location codes, made up for each place in the source
	r.ClientError = other
	if code > 0 && code < most { // else it is missing, or cut away
		r.Status = strconv.FormatInt(code, 10)
		r.ClientError = r.Status
	}
	switch code {
	case 0, 1, 6, 7, 8, 50, 64, 89, 91, 133, 136, 189, 202, 262, 317, 8000, 9001, 10107, 11600, 11602, 13435, 13436, 14031, 16500:
		r.ServerError = r.ClientError
	}
}
