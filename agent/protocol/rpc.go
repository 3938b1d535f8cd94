package protocol

// RPC returns the semantics of remote procedure calls, by OpenTelemetry's conventions for them. system is the value of rpc.system.name. The method is the
// target rather than the operation: it comes from the wire and must be bounded like a path.
func RPC(system string, template func(string) string) Semantics {
	return Semantics{
		ServerDuration:    "rpc_server_call_duration_seconds",
		ClientDuration:    "rpc_client_call_duration_seconds",
		ServerTargetLabel: "rpc_method",
		ClientTargetLabel: "rpc_method",
		StatusLabel:       "rpc_response_status_code",
		Template:          template,
		Constant:          []Attribute{{Key: "rpc_system_name", Value: system}},
	}
}
