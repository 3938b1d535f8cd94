package cassandra

import "sync"

// maxPrepared bounds the statements that are known by their id: 1 MiB or so.
const maxPrepared = 2048

// preparedTexts are those of all connections. Ids are MD5 hashes of keyspace and text, made by the server, so the same id is
// the same statement everywhere; at worst a server that lies mislabels its own statements.
var preparedTexts = &prepared{texts: map[string]statement{}}

type prepared struct {
	mu    sync.Mutex
	texts map[string]statement
}

func (p *prepared) get(id []byte) (statement, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.texts[string(id)]
	return s, ok
}

// put enters a statement; when there is no room, any other goes.
func (p *prepared) put(id []byte, s statement) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.texts[string(id)]; !ok && len(p.texts) >= maxPrepared {
		for old := range p.texts {
			delete(p.texts, old)
			break
		}
	}
	p.texts[string(id)] = s
}
