package signal

// Entity says who one end of a connection is, in the names of OpenTelemetry's resource conventions.
// It is plain data; resolvers live in agent/entity.
type Entity struct {
	// Service is service.name: the node of the map. For an external peer it is its address and port.
	Service string
	// Instance is service.instance.id: "host:pid" of the topmost process of the service instance, or the short container id.
	Instance string
	// External is true for a peer that is not a process of this host.
	External bool

	PID           uint32 // process.pid as the root PID namespace sees it; 0 if External
	Executable    string // process.executable.name
	Language      string // process.runtime.name where known: "go", "python", "nodejs", "java", "native", ""
	ContainerID   string // container.id, 64 hex digits, or ""
	ContainerName string // container.runtime: "docker", "containerd", "cri-o", "podman", or ""
	Unit          string // systemd unit, or ""
	Host          string // host.name
}
