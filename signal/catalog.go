package signal

// The catalogue: every metric whose name is Sonde's own. Metrics whose names a protocol chooses are made by
// InterfaceMetrics.Describe. The entries must not be modified.
var (
	InterfaceSlow = &Desc{
		Name: "sonde_interface_slow_requests_total", Type: Counter, Unit: "{request}",
		Help:   "Requests of one interface that took longer than the slow threshold, but for those without service time.",
		Labels: interfaceLabels,
	}

	InterfaceUntimed = &Desc{
		Name: "sonde_interface_untimed_requests_total", Type: Counter, Unit: "{request}",
		Help: "Requests of one interface that have no service time: the server answers late on purpose (a long poll, a blocking " +
			"pop), or never (a publish that nobody confirms). Here, and only here, their durations count; without a response that is 0.",
		Labels: interfaceLabels,
	}

	ServiceDuration = &Desc{
		Name: "sonde_service_request_duration_seconds", Type: Histogram, Unit: "s",
		Help: "Time from the first byte of a request to the last byte of its response, all interfaces of a service but for " +
			"requests that wait on purpose or get no response.",
		Labels: serviceLabels,
	}
	ServiceErrors = &Desc{
		Name: "sonde_service_errors_total", Type: Counter, Unit: "{request}",
		Help:   "Requests that failed, by what went wrong as this side sees it.",
		Labels: []string{"service_name", "side", "network_protocol_name", "error_type"},
	}
	ServiceSlow = &Desc{
		Name: "sonde_service_slow_requests_total", Type: Counter, Unit: "{request}",
		Help: "Requests that took longer than the slow threshold.", Labels: serviceLabels,
	}
	ServicePartial = &Desc{
		Name: "sonde_service_partial_requests_total", Type: Counter, Unit: "{request}",
		Help:   "Requests of which bytes were lost where they mattered: their sizes, route or status may be incomplete.",
		Labels: serviceLabels,
	}
	ServiceRequestBytes = &Desc{
		Name: "sonde_service_request_bytes_total", Type: Counter, Unit: "By",
		Help: "Bytes of request bodies as on the wire.", Labels: serviceLabels,
	}
	ServiceResponseBytes = &Desc{
		Name: "sonde_service_response_bytes_total", Type: Counter, Unit: "By",
		Help: "Bytes of response bodies as on the wire.", Labels: serviceLabels,
	}
	ServiceStatus = &Desc{
		Name: "sonde_service_status_total", Type: Counter, Unit: "{request}",
		Help:   "Requests by the status of their response; without the label if there was none.",
		Labels: []string{"service_name", "side", "network_protocol_name", "status"},
	}

	ServiceUntimed = &Desc{
		Name: "sonde_service_untimed_requests_total", Type: Counter, Unit: "{request}",
		Help: untimedHelp, Labels: serviceLabels,
	}

	EdgeDuration = &Desc{
		Name: "sonde_edge_request_duration_seconds", Type: Histogram, Unit: "s",
		Help: "Duration of requests from one service to another but for those that wait on purpose or get no response; side says which end " +
			"observed it.",
		Labels: edgeEndLabels,
	}
	EdgeErrors = &Desc{
		Name: "sonde_edge_errors_total", Type: Counter, Unit: "{request}",
		Help:   "Requests from one service to another that failed, by what went wrong as this side sees it.",
		Labels: []string{"client", "server", "side", "network_protocol_name", "error_type"},
	}
	EdgeSlow = &Desc{
		Name: "sonde_edge_slow_requests_total", Type: Counter, Unit: "{request}",
		Help: "Requests from one service to another that took longer than the slow threshold.", Labels: edgeLabels,
	}
	ConnectionsOpened = &Desc{
		Name: "sonde_connection_opened_total", Type: Counter, Unit: "{connection}",
		Help:   "TCP connections from one service to another that were opened, whatever they speak (network_protocol_name: tcp for what nobody knows).",
		Labels: edgeEndLabels,
	}
	ConnectionsClosed = &Desc{
		Name: "sonde_connection_closed_total", Type: Counter, Unit: "{connection}", Help: "TCP connections that ended.", Labels: edgeEndLabels,
	}
	ConnectionResets = &Desc{
		Name: "sonde_connection_resets_total", Type: Counter, Unit: "{connection}",
		Help: "TCP connections that ended by a reset or an error rather than FINs both ways.", Labels: edgeEndLabels,
	}
	ConnectionSentBytes = &Desc{
		Name: "sonde_connection_sent_bytes_total", Type: Counter, Unit: "By",
		Help: "Bytes sent by this side over TCP and confirmed by the other, retransmissions not counted again; SYN and FIN count as one.", Labels: edgeEndLabels,
	}
	ConnectionReceivedBytes = &Desc{
		Name: "sonde_connection_received_bytes_total", Type: Counter, Unit: "By", Help: "Bytes received by this side over TCP; a FIN counts as one.", Labels: edgeEndLabels,
	}
	ConnectionRetransmits = &Desc{
		Name: "sonde_connection_retransmits_total", Type: Counter, Unit: "{segment}",
		Help: "TCP segments that this side sent again.", Labels: edgeEndLabels,
	}
	ConnectionRoundTrip = &Desc{
		Name: "sonde_connection_round_trip_seconds", Type: Gauge, Unit: "s",
		Help: "Smoothed round-trip time of TCP (RFC 6298): the mean over the connections that moved something in the last flush interval in which any did.", Labels: edgeEndLabels,
	}
	EdgeRequestBytes = &Desc{
		Name: "sonde_edge_request_bytes_total", Type: Counter, Unit: "By",
		Help: "Bytes of request bodies from one service to another.", Labels: edgeLabels,
	}
	EdgeResponseBytes = &Desc{
		Name: "sonde_edge_response_bytes_total", Type: Counter, Unit: "By",
		Help: "Bytes of response bodies to one service from another.", Labels: edgeLabels,
	}

	EdgeUntimed = &Desc{
		Name: "sonde_edge_untimed_requests_total", Type: Counter, Unit: "{request}", Help: untimedHelp, Labels: edgeEndLabels,
	}

	InstanceDuration = &Desc{
		Name: "sonde_instance_request_duration_seconds", Type: Histogram, Unit: "s",
		Help: "Duration of the requests of one instance of a service but for those that wait on purpose or get no response.", Labels: instanceLabels,
	}
	InstanceErrors = &Desc{
		Name: "sonde_instance_errors_total", Type: Counter, Unit: "{request}",
		Help: "Requests of one instance of a service that failed.", Labels: instanceLabels,
	}
	InstanceSlow = &Desc{
		Name: "sonde_instance_slow_requests_total", Type: Counter, Unit: "{request}",
		Help: "Requests of one instance of a service that took longer than the slow threshold.", Labels: instanceLabels,
	}
	InstanceUntimed = &Desc{
		Name: "sonde_instance_untimed_requests_total", Type: Counter, Unit: "{request}", Help: untimedHelp, Labels: instanceLabels,
	}
	InstanceInfo = &Desc{
		Name: "sonde_instance_info", Type: Gauge, Unit: "1",
		Help: "Facts about an instance of a service; the value is 1.",
		Labels: []string{"service_name", "service_instance_id", "process_pid", "process_executable_name",
			"process_runtime_name", "container_id", "container_runtime", "systemd_unit", "host_name"},
	}
)

// Metrics of the agent about itself.
var (
	AgentLost = &Desc{
		Name: "sonde_agent_lost_total", Type: Counter, Unit: "1",
		Help: "What was not counted, by cause. Every known cause is reported from zero on.", Labels: []string{"cause"},
	}
	AgentEvents = &Desc{
		Name: "sonde_agent_events_total", Type: Counter, Unit: "{event}",
		Help: "Events read from the kernel.", Labels: []string{"kind"},
	}
	AgentExchanges = &Desc{
		Name: "sonde_agent_exchanges_total", Type: Counter, Unit: "{request}",
		Help: "Requests with their response, or the reason why there is none.", Labels: []string{"network_protocol_name", "side"},
	}
	AgentCopiedBytes = &Desc{
		Name: "sonde_agent_copied_bytes_total", Type: Counter, Unit: "By", Help: "Bytes copied from the kernel to the agent.",
	}
	AgentCPU = &Desc{
		Name: "sonde_agent_cpu_seconds_total", Type: Counter, Unit: "s", Help: "CPU time of the agent's process.",
	}
	AgentRSS = &Desc{
		Name: "sonde_agent_resident_memory_bytes", Type: Gauge, Unit: "By", Help: "Resident memory of the agent's process.",
	}
	AgentMemoryLimit = &Desc{
		Name: "sonde_agent_memory_limit_bytes", Type: Gauge, Unit: "By", Help: "The bound on the agent's memory.",
	}
	AgentBPFMemory = &Desc{
		Name: "sonde_agent_bpf_memory_bytes", Type: Gauge, Unit: "By", Help: "Memory of the BPF maps and ring buffers.",
	}
	AgentHeap = &Desc{
		Name: "sonde_agent_heap_bytes", Type: Gauge, Unit: "By", Help: "Live and not yet collected objects of the Go heap.",
	}
	AgentConnections = &Desc{
		Name: "sonde_agent_connections", Type: Gauge, Unit: "{connection}", Help: "Connections being followed.",
	}
	AgentProcesses = &Desc{
		Name: "sonde_agent_processes", Type: Gauge, Unit: "{process}", Help: "Processes known by name.",
	}
	AgentSeries = &Desc{
		Name: "sonde_agent_series", Type: Gauge, Unit: "{series}", Help: "Live time series of the observed services.",
	}
	AgentIgnored = &Desc{
		Name: "sonde_agent_ignored_exchanges_total", Type: Counter, Unit: "{request}",
		Help: "Requests that were read and, as the rules of ignore want it, not counted anywhere else; at each end that is observed.",
	}
	AgentSamplesKept = &Desc{
		Name: "sonde_agent_samples_kept_total", Type: Counter, Unit: "{request}",
		Help: "Slow and failed requests that were kept with what they said, secrets taken out.",
	}
	AgentSamplesDropped = &Desc{
		Name: "sonde_agent_samples_dropped_total", Type: Counter, Unit: "{request}",
		Help: "Slow and failed requests that were not kept, by cause: service_rate, host_rate (as many in that second were), queue, store; " +
			"memory: kept without its text. All of them are in the metrics.",
		Labels: []string{"cause"},
	}
	AgentInfo = &Desc{
		Name: "sonde_agent_info", Type: Gauge, Unit: "1", Help: "Facts about the agent; the value is 1.",
		Labels: []string{"version", "tier", "kernel"},
	}
)

// untimedHelp is the same on each level.
const untimedHelp = "Requests that the server answers late on purpose (a long poll, a blocking pop), or never (a publish that nobody " +
	"confirms). Their duration is not service time: they are no part of the durations and slow requests beside this, but of everything else."

var (
	interfaceLabels = []string{"service_name", "side", "network_protocol_name", "operation", "target", "peer_service"}

	serviceLabels  = []string{"service_name", "side", "network_protocol_name"}
	edgeEndLabels  = []string{"client", "server", "side", "network_protocol_name", "client_external", "server_external"}
	edgeLabels     = []string{"client", "server", "side", "network_protocol_name"}
	instanceLabels = []string{"service_name", "service_instance_id", "side", "network_protocol_name"}
)

// Catalog returns the metrics whose names are Sonde's own, in the order of the reference.
func Catalog() []*Desc {
	return []*Desc{
		InterfaceSlow, InterfaceUntimed,
		ServiceDuration, ServiceErrors, ServiceSlow, ServicePartial, ServiceRequestBytes, ServiceResponseBytes, ServiceStatus,
		ServiceUntimed,
		EdgeDuration, EdgeErrors, EdgeSlow, EdgeRequestBytes, EdgeResponseBytes, EdgeUntimed,
		ConnectionsOpened, ConnectionsClosed, ConnectionResets, ConnectionSentBytes, ConnectionReceivedBytes, ConnectionRetransmits,
		ConnectionRoundTrip,
		InstanceDuration, InstanceErrors, InstanceSlow, InstanceUntimed, InstanceInfo,
		AgentLost, AgentEvents, AgentExchanges, AgentCopiedBytes, AgentCPU, AgentRSS, AgentMemoryLimit, AgentBPFMemory,
		AgentHeap, AgentConnections, AgentProcesses, AgentSeries, AgentIgnored, AgentSamplesKept, AgentSamplesDropped, AgentInfo,
	}
}
