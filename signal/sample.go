package signal

import "time"

// Sample is one slow or failed exchange with what was said in it, secrets taken out by the agent. It is plain data and must not be modified.
type Sample struct {
	Time     time.Time     // of the request's first byte
	Duration time.Duration // to the last byte of the response, or until it was given up
	// IsSlow and IsFailed say why it was kept; one of them is true.
	IsSlow, IsFailed bool

	Service  string // that observed it: service.name
	Instance string // service.instance.id
	Side     string // "server": Service answered; "client": it asked
	Peer     string // service.name of the other end

	Protocol  string // network.protocol.name
	Operation string
	Target    string // the template that is the label of the metrics
	Status    string
	Error     string // error.type, "" for none

	RequestBytes, ResponseBytes uint64 // of the bodies on the wire
	Attributes                  map[string]string
	IsPartial                   bool // bytes were lost where they mattered

	Request, Response                   string // what people can read of the two messages
	RequestTruncated, ResponseTruncated bool   // there was more
}

// SampleCause is a reason why a slow or failed exchange is not kept. It was counted all the same: nothing is missing in the metrics.
type SampleCause uint8

// The causes.
const (
	SampleServiceRate SampleCause = iota // its service had as many in this second as are kept
	SampleHostRate                       // so had this host
	SampleQueue                          // too many waited to be written
	SampleStore                          // the store refused it
	SampleMemory                         // kept without its text: too many exchanges with content were under way
	sampleCauses
)

var sampleCauseNames = [sampleCauses]string{"service_rate", "host_rate", "queue", "store", "memory"}

// String returns the value of the label "cause".
func (c SampleCause) String() string { return sampleCauseNames[c] }

// SampleCauses returns all causes.
func SampleCauses() []SampleCause {
	return []SampleCause{SampleServiceRate, SampleHostRate, SampleQueue, SampleStore, SampleMemory}
}

// SampleStats counts since the start of the agent.
type SampleStats struct {
	Kept    uint64
	Dropped [sampleCauses]uint64 // by SampleCause
}
