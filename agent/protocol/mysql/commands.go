package mysql

// Commands (MySQL Internals, "Text Protocol", "Prepared Statements"), and MariaDB's COM_STMT_BULK_EXECUTE.
const (
	comQuit, comInitDB, comQuery, comFieldList              = 0x01, 0x02, 0x03, 0x04
	comStatistics, comProcessInfo, comPing, comChangeUser   = 0x09, 0x0a, 0x0e, 0x11
	comPrepare, comExecute, comLongData, comClose, comReset = 0x16, 0x17, 0x18, 0x19, 0x1a
	comSetOption, comFetch, comResetConnection, comBulk     = 0x1b, 0x1c, 0x1f, 0xfa
)

// answer is the form of a response.
type answer uint8

// The forms.
const (
	unheard  answer = iota // not a command
	okOnly                 // OK, EOF or ERR
	anything               // one packet
	nothing                // none
	fields                 // column definitions up to EOF
	results                // OK, ERR or result sets
	prepared               // COM_STMT_PREPARE_OK and definitions
	fetched                // rows up to EOF
	dialog                 // authentication anew
	endless                // replication
)

// command is what is known of a command: the bounds of its payload, the command byte included.
type command struct {
	name     string // "" for none that is reported, or for a statement
	answer   answer
	min, max uint32
}

const anySize = 1<<32 - 1

func commandOf(code byte) command {
	if code == comBulk {
		return command{"", results, 8, anySize}
	}
	if int(code) < len(commands) {
		return commands[code]
	}
	return command{}
}

var commands = [0x21]command{
	comQuit:            {"QUIT", nothing, 1, 1},
	comInitDB:          {"INIT_DB", okOnly, 1, 257},
	comQuery:           {"", results, 1, anySize},
	comFieldList:       {"FIELD_LIST", fields, 2, 1024},
	0x05:               {"CREATE_DB", okOnly, 2, 257},
	0x06:               {"DROP_DB", okOnly, 2, 257},
	0x07:               {"REFRESH", okOnly, 2, 2},
	0x08:               {"SHUTDOWN", okOnly, 1, 2},
	comStatistics:      {"STATISTICS", anything, 1, 1},
	comProcessInfo:     {"PROCESS_INFO", results, 1, 1},
	0x0c:               {"PROCESS_KILL", okOnly, 5, 5},
	0x0d:               {"DEBUG", okOnly, 1, 1},
	comPing:            {"PING", okOnly, 1, 1},
	comChangeUser:      {"CHANGE_USER", dialog, 3, 1 << 16},
	0x12:               {"BINLOG_DUMP", endless, 11, 1024},
	0x13:               {"TABLE_DUMP", endless, 3, 1024},
	0x15:               {"REGISTER_REPLICA", okOnly, 18, 1024},
	comPrepare:         {"PREPARE", prepared, 1, anySize},
	comExecute:         {"", results, 10, anySize},
	comLongData:        {"SEND_LONG_DATA", nothing, 7, anySize},
	comClose:           {"CLOSE", nothing, 5, 5},
	comReset:           {"RESET", okOnly, 5, 5},
	comSetOption:       {"SET_OPTION", okOnly, 3, 3},
	comFetch:           {"FETCH", fetched, 9, 9},
	0x1e:               {"BINLOG_DUMP_GTID", endless, 19, anySize},
	comResetConnection: {"RESET_CONNECTION", okOnly, 1, 1},
	0x20:               {"CLONE", endless, 1, 1024},
}
