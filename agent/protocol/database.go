package protocol

// What databases count of rows, in the order of Semantics.Counts.
const (
	RowsReturned = iota
	RowsAffected
)

// ReturnedRows is the first of Semantics.Counts of a database; help says what a row is.
func ReturnedRows(help string) Count {
	return Count{Server: "db_server_response_returned_rows_total", Client: "db_client_response_returned_rows_total", Unit: "{row}", Help: help}
}

// AffectedRows is the second.
func AffectedRows(help string) Count {
	return Count{Server: "db_server_response_affected_rows_total", Client: "db_client_response_affected_rows_total", Unit: "{row}", Help: help}
}

// Database returns the semantics of a database, by OpenTelemetry's database conventions. system is the value of db.system.name; target is the label of what
// is asked for: db_query_text or db_collection_name.
func Database(system, target string, template func(string) string, counts ...Count) Semantics {
	return Semantics{
		ServerDuration:    "db_server_operation_duration_seconds",
		ClientDuration:    "db_client_operation_duration_seconds",
		OperationLabel:    "db_operation_name",
		ServerTargetLabel: target,
		ClientTargetLabel: target,
		StatusLabel:       "db_response_status_code",
		Template:          template,
		Counts:            counts,
		Constant:          []Attribute{{Key: "db_system_name", Value: system}},
	}
}
