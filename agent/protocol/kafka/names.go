package kafka

import (
	"sync"

	"github.com/sonde-dev/sonde/agent/protocol"
	intern "github.com/sonde-dev/sonde/agent/protocol/internal/names"
)

// Names of OpenTelemetry's attribute registry, and one of ours: it has none for lag.
const (
	attrClientID = "messaging.client.id"
	attrGroup    = "messaging.consumer.group.name"
	attrLag      = "messaging.kafka.consumer.lag"

	labelGroup = "messaging_consumer_group_name" // attrGroup in Prometheus' form
)

// names keeps the strings of a connection, so that a message whose names were seen lately costs no allocation.
type names struct {
	recent intern.Cache

	lastClient, lastGroup string
	lastAttrs             []protocol.Attribute // shared by the requests that got it; never changed

	shared *topics
}

func (n *names) intern(b []byte) string { return n.recent.String(b) }

// attributes names who asks; an empty name is left out.
func (n *names) attributes(client, group string) []protocol.Attribute {
	if n.lastAttrs != nil && n.lastClient == client && n.lastGroup == group {
		return n.lastAttrs
	}
	n.lastClient, n.lastGroup = client, group
	n.lastAttrs = make([]protocol.Attribute, 0, 2)
	if client != "" {
		n.lastAttrs = append(n.lastAttrs, protocol.Attribute{Key: attrClientID, Value: client})
	}
	if group != "" {
		n.lastAttrs = append(n.lastAttrs, protocol.Attribute{Key: attrGroup, Value: group})
	}
	return n.lastAttrs
}

func (n *names) topicOf(id []byte) string     { return n.shared.name([16]byte(id)) }
func (n *names) learn(id []byte, name string) { n.shared.learn([16]byte(id), name) }

// topics are the names of topics by their ids (KIP-516). An id names one topic for ever and in every cluster, so that what one
// connection is told (Metadata) holds for all: the connections that only produce or fetch are told nothing.
type topics struct {
	mu    sync.RWMutex
	names map[[16]byte]string
}

// maxTopics bounds them; a cluster of more topics than this is rare, and one that a host uses so many of rarer.
const maxTopics = 8192

var allTopics = topics{names: make(map[[16]byte]string)}

func (t *topics) name(id [16]byte) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.names[id]
}

func (t *topics) learn(id [16]byte, name string) {
	if id == ([16]byte{}) || t.name(id) == name {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.names) >= maxTopics {
		for old := range t.names { // any
			delete(t.names, old)
			break
		}
	}
	t.names[id] = name
}
