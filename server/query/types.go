// Package query answers the page's questions over HTTP, typed and documented.
//
// In: the metric store, the agent's status. Out: JSON; the types of this file are the contract with web/.
// It must not know how anything is stored.
package query

// All times are Unix seconds, durations seconds, sizes bytes, rates per second. Counts over a range are exact integers
// (last minus first sample, resets considered), never extrapolated. Percentiles are within 1.1 % of the exact ones.

// Range is the time range a reply covers.
type Range struct {
	Start float64 `json:"start"`
	End   float64 `json:"end"`
	Step  float64 `json:"step,omitempty"` // of series in the reply
}

// RED is rate, errors and duration of a set of requests in the range.
type RED struct {
	Requests     float64            `json:"requests"` // number in the range
	Rate         float64            `json:"rate"`     // requests per second
	Errors       float64            `json:"errors"`   // number in the range
	ErrorRatio   float64            `json:"errorRatio"`
	ErrorsByType map[string]float64 `json:"errorsByType,omitempty"` // error.type → number
	Slow         float64            `json:"slow"`                   // number slower than the threshold
	// Untimed of Requests have no service time: they wait on purpose (a long poll, a blocking pop), or get no response (a
	// publish that nobody confirms). Slow, Mean and the percentiles are of the others, except for an interface, where they are of all.
	Untimed       float64 `json:"untimed,omitempty"`
	Mean          float64 `json:"mean"`
	P50           float64 `json:"p50"`
	P90           float64 `json:"p90"`
	P95           float64 `json:"p95"`
	P99           float64 `json:"p99"`
	RequestBytes  float64 `json:"requestBytes"`
	ResponseBytes float64 `json:"responseBytes"`
	Partial       float64 `json:"partial"` // of Requests: with incomplete facts
}

// Severity of a finding. Colour follows symptoms: only a violated golden signal makes a node abnormal.
type Severity string

// The severities.
const (
	SeverityOK       Severity = "ok"
	SeverityWarning  Severity = "warning"
	SeverityCritical Severity = "critical"
)

// Reason says in one sentence why something is abnormal.
type Reason struct {
	Signal   string   `json:"signal"` // "errors", "latency", "slow", "traffic"
	Severity Severity `json:"severity"`
	Text     string   `json:"text"` // "12.5 % of requests fail (503)"
	Value    float64  `json:"value"`
	Limit    float64  `json:"limit"`
}

// Service is one row of the overview.
type Service struct {
	Name      string   `json:"name"`
	External  bool     `json:"external"`
	Language  string   `json:"language,omitempty"`
	Protocols []string `json:"protocols"`
	Instances int      `json:"instances"`
	Server    *RED     `json:"server,omitempty"` // requests it served; absent if it served none
	Client    *RED     `json:"client,omitempty"` // requests it made
	Severity  Severity `json:"severity"`
	Reasons   []Reason `json:"reasons"`
	// Spark is the request rate (served, or made if it serves none) in 30 steps over the range.
	Spark      []float64 `json:"spark"`
	SparkError []float64 `json:"sparkError"`
	FirstSeen  float64   `json:"firstSeen,omitempty"`
	LastSeen   float64   `json:"lastSeen,omitempty"`
}

// ServicesReply answers GET /api/services?start=&end=. Services are ranked by what is wrong, worst first.
type ServicesReply struct {
	Range    Range     `json:"range"`
	Services []Service `json:"services"`
	Abnormal int       `json:"abnormal"` // "3 of 27 abnormal"
	Total    int       `json:"total"`
	Loss     Loss      `json:"loss"`
}

// Loss is what was not counted in the range, by cause. The page shows it in the header when Total is not zero.
type Loss struct {
	Total  float64            `json:"total"`
	Causes map[string]float64 `json:"causes"`
}

// Node is a node of the map.
type Node struct {
	ID        string   `json:"id"` // service name
	External  bool     `json:"external"`
	Entry     bool     `json:"entry"` // traffic enters here: it calls services, by HTTP or RPC, and serves none, or is an external client
	Language  string   `json:"language,omitempty"`
	Kinds     []string `json:"kinds"` // of the protocols that it answers to, the busiest first: "db"
	Protocols []string `json:"protocols"`
	Instances int      `json:"instances"`
	Server    *RED     `json:"server,omitempty"`
	Severity  Severity `json:"severity"`
	Reasons   []Reason `json:"reasons"`
}

// Edge is calls from one service to another by one protocol. A service that calls itself has one edge to itself.
type Edge struct {
	Client   string   `json:"client"`
	Server   string   `json:"server"`
	Protocol string   `json:"protocol"`
	Kind     string   `json:"kind"`
	Seen     string   `json:"seen"` // "both", "client", "server": which ends were observed. RED is the client's view where there is one
	RED      RED      `json:"red"`
	Severity Severity `json:"severity"`
	Reasons  []Reason `json:"reasons"`
}

// Flow is what TCP connections between two services did, whatever they speak.
type Flow struct {
	Client         string  `json:"client"`
	Server         string  `json:"server"`
	Protocol       string  `json:"protocol"` // "tcp" for what nobody recognised
	Seen           string  `json:"seen"`     // as Edge.Seen
	ClientExternal bool    `json:"clientExternal"`
	ServerExternal bool    `json:"serverExternal"`
	Opened         float64 `json:"opened"` // connections
	Resets         float64 `json:"resets"` // of those that ended
	Retransmits    float64 `json:"retransmits"`
	RequestBytes   float64 `json:"requestBytes"` // from the client to the server
	ResponseBytes  float64 `json:"responseBytes"`
	RoundTrip      float64 `json:"roundTrip"` // seconds, at the end of the range; 0 for not known
	// ServerNames are what was asked for in TLS handshakes (SNI) on connections that cannot be read otherwise.
	ServerNames []string `json:"serverNames"`
}

// TopologyReply answers GET /api/topology?start=&end=.
type TopologyReply struct {
	Range Range  `json:"range"`
	Nodes []Node `json:"nodes"`
	Edges []Edge `json:"edges"`
	Flows []Flow `json:"flows"` // of all connections, those of the edges included
	Loss  Loss   `json:"loss"`
}

// Interface is one operation that a service offers or calls.
type Interface struct {
	Protocol  string             `json:"protocol"`
	Kind      string             `json:"kind"`      // "http", "rpc", "db", "cache", "messaging", "dns" or "other"
	Operation string             `json:"operation"` // "GET"
	Target    string             `json:"target"`    // route template, statement, destination, name
	Peer      string             `json:"peer,omitempty"`
	Statuses  map[string]float64 `json:"statuses"` // status → number of requests
	// Counts are what the protocol counts besides: "returned_rows" → number. What did not grow is absent.
	Counts map[string]float64 `json:"counts"`
	// Time is the seconds spent in it, added up over all requests; 0 where some of them wait on purpose.
	Time float64 `json:"time"`
	RED  RED     `json:"red"`
}

// Caller is a service that calls an interface.
type Caller struct {
	Name string `json:"name"`
	RED  RED    `json:"red"`
}

// Offer is one operation on one target of one service, by whomever it is called.
type Offer struct {
	Service string `json:"service"` // that answers
	Interface
	// Seen is the end whose view this is: the server's where it was observed, for it includes callers that are not.
	Seen string `json:"seen"`
	// Callers are those that were observed, as they see it, busiest first.
	Callers []Caller `json:"callers"`
}

// Offerer is a service that answers to one protocol.
type Offerer struct {
	Service  string   `json:"service"`
	External bool     `json:"external"`
	Protocol string   `json:"protocol"`
	Kind     string   `json:"kind"`
	Callers  []string `json:"callers"`
	RED      RED      `json:"red"`
	Severity Severity `json:"severity"`
	Reasons  []Reason `json:"reasons"`
}

// Level is a number that goes up and down, of one target and one client, as it was at the end of the range: consumer lag.
type Level struct {
	Service  string `json:"service"` // that answers
	Protocol string `json:"protocol"`
	Target   string `json:"target"`
	Name     string `json:"name"` // "kafka_consumer_lag"
	Client   string `json:"client"`
	// Group is who the number is of, where the client says: the consumer group of "kafka_consumer_group_lag".
	Group string  `json:"group,omitempty"`
	Value float64 `json:"value"`
}

// InterfacesReply answers GET /api/interfaces?kind=&start=&end=&sort=&limit=. A database, a queue, a DNS server, an RPC
// service each is an offerer, its statements, destinations, names, methods are offers.
type InterfacesReply struct {
	Range     Range     `json:"range"`
	Kinds     []string  `json:"kinds"`     // asked for
	Protocols []string  `json:"protocols"` // of these kinds that Sonde knows
	Offerers  []Offerer `json:"offerers"`
	Offers    []Offer   `json:"offers"`
	Levels    []Level   `json:"levels"`
	Total     int       `json:"total"` // of offers; there are fewer in the reply if it is above the limit
	Loss      Loss      `json:"loss"`
}

// Peer is a caller or a dependency of a service.
type Peer struct {
	Name     string   `json:"name"`
	External bool     `json:"external"`
	Protocol string   `json:"protocol"`
	Kind     string   `json:"kind"`
	RED      RED      `json:"red"`
	Severity Severity `json:"severity"`
	Reasons  []Reason `json:"reasons"`
}

// Instance is one running copy of a service.
type Instance struct {
	ID          string   `json:"id"`
	PID         int      `json:"pid,omitempty"`
	Executable  string   `json:"executable,omitempty"`
	Language    string   `json:"language,omitempty"`
	ContainerID string   `json:"containerId,omitempty"`
	Unit        string   `json:"unit,omitempty"`
	Host        string   `json:"host,omitempty"`
	Server      *RED     `json:"server,omitempty"`
	Client      *RED     `json:"client,omitempty"`
	Severity    Severity `json:"severity"`
	Reasons     []Reason `json:"reasons"` // also "five times slower than its siblings"
	// Rate, P95 and ErrorRatio over time, aligned with ServiceReply.Series.Time.
	Rate       []*float64 `json:"rate"`
	P95        []*float64 `json:"p95"`
	ErrorRatio []*float64 `json:"errorRatio"`
}

// Series are the golden signals over time; null where there is no data.
type Series struct {
	Time       []float64             `json:"time"`
	Rate       []*float64            `json:"rate"`
	Errors     []*float64            `json:"errors"` // errors per second
	ErrorRatio []*float64            `json:"errorRatio"`
	Slow       []*float64            `json:"slow"` // slow calls per second
	P50        []*float64            `json:"p50"`
	P90        []*float64            `json:"p90"`
	P95        []*float64            `json:"p95"`
	P99        []*float64            `json:"p99"`
	Status     map[string][]*float64 `json:"status"` // status class "2xx" or status → requests per second
}

// ServiceReply answers GET /api/services/{name}?start=&end=&step=&side=server|client. Series, Interfaces are of the side;
// side defaults to server where the service serves anything.
type ServiceReply struct {
	Range         Range       `json:"range"`
	Service       Service     `json:"service"`
	Side          string      `json:"side"`
	SlowThreshold float64     `json:"slowThreshold"`
	Series        Series      `json:"series"`
	Interfaces    []Interface `json:"interfaces"` // served
	Calls         []Interface `json:"calls"`      // made, by peer
	Callers       []Peer      `json:"callers"`
	Dependencies  []Peer      `json:"dependencies"`
	Instances     []Instance  `json:"instances"`
	Loss          Loss        `json:"loss"`
}

// Sample is one slow or failed request with what was said in it. Secrets were taken out before it was stored.
type Sample struct {
	Time      float64 `json:"time"`     // of the request's first byte
	Duration  float64 `json:"duration"` // to the last byte of the response, or until it was given up
	Slow      bool    `json:"slow"`
	Failed    bool    `json:"failed"`
	Service   string  `json:"service"` // that observed it
	Instance  string  `json:"instance"`
	Side      string  `json:"side"` // "server": service answered; "client": it asked
	Peer      string  `json:"peer"` // the other end
	Protocol  string  `json:"protocol"`
	Kind      string  `json:"kind"`
	Operation string  `json:"operation"`
	Target    string  `json:"target"` // as in the metrics
	Status    string  `json:"status"`
	Error     string  `json:"error"` // error.type, "" for none
	Partial   bool    `json:"partial"`

	RequestBytes  float64           `json:"requestBytes"`
	ResponseBytes float64           `json:"responseBytes"`
	Attributes    map[string]string `json:"attributes"`
	// Request and Response are the start of both messages where the protocol shows them, otherwise what is known of the request.
	Request     string `json:"request"`
	Response    string `json:"response"`
	RequestCut  bool   `json:"requestCut"` // there was more
	ResponseCut bool   `json:"responseCut"`
}

// SamplesReply answers GET /api/samples?service=&interface=&protocol=&kind=&side=&start=&end=&limit=.
type SamplesReply struct {
	Range         Range    `json:"range"`
	Enabled       bool     `json:"enabled"` // false: content is turned off, nothing is kept
	SlowThreshold float64  `json:"slowThreshold"`
	Samples       []Sample `json:"samples"` // newest first
	More          bool     `json:"more"`    // than the limit
}

// Probe is one collector of the agent.
type Probe struct {
	Name         string  `json:"name"`
	State        string  `json:"state"` // "running", "stopped", "failed", "unsupported"
	Detail       string  `json:"detail,omitempty"`
	Programs     int     `json:"programs"`
	Runs         float64 `json:"runs"`         // executions, where the kernel counts them
	NanosPerRun  float64 `json:"nanosPerRun"`  // average, 0 where the kernel does not count
	Missed       float64 `json:"missed"`       // recursion misses
	MemoryBytes  float64 `json:"memoryBytes"`  // maps and ring buffers
	EventsPerSec float64 `json:"eventsPerSec"` //
}

// StatusReply answers GET /api/status.
type StatusReply struct {
	Version   string  `json:"version"`
	Host      string  `json:"host"`
	Kernel    string  `json:"kernel"`
	StartedAt float64 `json:"startedAt"`
	Now       float64 `json:"now"`
	// Tier is "socket" or "syscall"; TierReason says why.
	Tier          string             `json:"tier"`
	TierReason    string             `json:"tierReason"`
	FlushInterval float64            `json:"flushInterval"`
	Probes        []Probe            `json:"probes"`
	Lost          map[string]float64 `json:"lost"` // since start, by cause
	Rates         StatusRates        `json:"rates"`
	Memory        StatusMemory       `json:"memory"`
	CPUSeconds    float64            `json:"cpuSeconds"`
	Connections   int                `json:"connections"`
	Processes     int                `json:"processes"`
	Store         StatusStore        `json:"store"`
	Selection     string             `json:"selection"` // the include and exclude rules in force, in words
	Ignore        string             `json:"ignore"`    // the rules on requests in force, in words; "" for none
	Ignored       float64            `json:"ignored"`   // requests left out by them since start
	Content       StatusContent      `json:"content"`
}

// StatusRates are averages over the last flush interval.
type StatusRates struct {
	Events    float64 `json:"events"`
	Exchanges float64 `json:"exchanges"`
	Bytes     float64 `json:"bytes"` // copied from the kernel
}

// StatusMemory is memory against its bound.
type StatusMemory struct {
	RSS   float64 `json:"rss"`
	Bound float64 `json:"bound"`
	BPF   float64 `json:"bpf"`
	Heap  float64 `json:"heap"`
}

// StatusStore describes what is kept.
type StatusStore struct {
	Series        float64 `json:"series"`
	Samples       float64 `json:"samples"` // appended since start
	DiskBytes     float64 `json:"diskBytes"`
	DiskBound     float64 `json:"diskBound"`
	RetentionSecs float64 `json:"retentionSecs"`
	Oldest        float64 `json:"oldest"`
	// FsyncInterval is how much kill -9 or a power cut may cost, in seconds.
	FsyncInterval float64 `json:"fsyncInterval"`
}

// StatusContent tells what is kept of slow and failed requests. What was dropped is in the metrics all the same.
type StatusContent struct {
	Enabled       bool               `json:"enabled"`
	Kept          float64            `json:"kept"`    // since start
	Dropped       map[string]float64 `json:"dropped"` // since start, by cause
	Records       float64            `json:"records"` // on disk
	DiskBytes     float64            `json:"diskBytes"`
	DiskBound     float64            `json:"diskBound"`
	RetentionSecs float64            `json:"retentionSecs"`
	Oldest        float64            `json:"oldest"`
}

// ErrorReply is the body of every reply that is not 2xx.
type ErrorReply struct {
	Error string `json:"error"` // what is wrong and what to do
}
