package kafka

// fetchSession remembers what a fetch session is about (KIP-227): after the first request, the client names only what changes. A client
// has one session for each broker, hence one for each connection.
type fetchSession struct {
	topics []sessionTopic
	// isWhole: the session was seen from its start, so that topics are all there are.
	isWhole bool
	// isReplica: a broker fetches, to keep a copy. It is no consumer.
	isReplica bool
	positions positions
}

type sessionTopic struct {
	name       string   // "" when it is known by its id
	id         [16]byte // zero when it is known by its name
	partitions uint64   // those below 64
	hasOthers  bool
}

// maxSession bounds the topics of a session; beyond, they are several anyhow.
const maxSession = 32

// request begins a fetch request.
func (s *fetchSession) request(id, epoch int32) {
	if epoch <= 0 { // 0 makes a new session, -1 none
		s.topics = s.topics[:0]
		s.isWhole = true
		s.positions.begin()
	}
}

// find returns the index of a topic, or -1.
func (s *fetchSession) find(name string, id [16]byte, add bool) int {
	for i := range s.topics {
		if s.topics[i].name == name && s.topics[i].id == id {
			return i
		}
	}
	if !add || len(s.topics) >= maxSession {
		return -1
	}
	s.topics = append(s.topics, sessionTopic{name: name, id: id})
	return len(s.topics) - 1
}

func (s *fetchSession) add(topic int, partition int32) {
	if topic < 0 {
		return
	}
	if t := &s.topics[topic]; partition >= 0 && partition < 64 {
		t.partitions |= 1 << partition
	} else {
		t.hasOthers = true
	}
}

// drop forgets a partition; a topic without any does not count.
func (s *fetchSession) drop(topic int, key partitionKey) {
	s.positions.drop(key)
	partition := key.partition
	if topic < 0 || topic >= len(s.topics) || partition < 0 || partition >= 64 {
		return
	}
	s.topics[topic].partitions &^= 1 << partition
}

// target names the topic that the session is about: "" when it is not known, or there is none.
func (s *fetchSession) target(known *topics) string {
	name, n := "", 0
	for i := range s.topics {
		if t := &s.topics[i]; t.partitions != 0 || t.hasOthers {
			name = t.name
			if name == "" {
				name = known.name(t.id)
			}
			n++
		}
	}
	switch {
	case !s.isWhole || n == 0:
		return ""
	case n > 1:
		return severalTopics
	}
	return name
}
