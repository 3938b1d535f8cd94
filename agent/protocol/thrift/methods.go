package thrift

// overtaken is the note of a request that gets no response, as it seems.
const overtaken = 1 << 31

// maxSilent bounds the methods of a connection that are known not to be answered.
const maxSilent = 16

// methods gives the methods called lately numbers, for the notes of those that wait.
type methods struct {
	recent [16]numbered
	next   uint32
}

type numbered struct {
	number uint32
	name   string
}

// note returns the number of a method.
func (m *methods) note(method string) uint32 {
	for i := range m.recent {
		if r := &m.recent[i]; r.name == method {
			return r.number
		}
	}
	m.next = (m.next + 1) % overtaken
	m.recent[m.next%uint32(len(m.recent))] = numbered{m.next, method}
	return m.next
}

// method returns the method of a number, "" when it was not called lately.
func (m *methods) method(note uint32) string {
	if r := &m.recent[note%uint32(len(m.recent))]; r.number == note {
		return r.name
	}
	return ""
}
