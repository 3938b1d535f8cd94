package mongodb

import "github.com/sonde-dev/sonde/agent/protocol/internal/names"

// commands of servers up to version 8; whatever else a client asks for is "other".
var commands = func() map[string]string {
	m := map[string]string{"ismaster": "hello", "isMaster": "hello"}
	for _, name := range []string{
		"abortTransaction", "aggregate", "authenticate", "buildInfo", "buildinfo", "bulkWrite", "collMod", "collStats", "commitTransaction", "compact",
		"connPoolStats", "connectionStatus", "convertToCapped", "coordinateCommitTransaction", "count", "create", "createIndexes", "createRole",
		"createUser", "currentOp", "dataSize", "dbHash", "dbStats", "dbstats", "delete", "distinct", "drop", "dropDatabase", "dropIndexes",
		"dropUser", "endSessions", "explain", "features", "find", "findAndModify", "findandmodify", "fsync", "getCmdLineOpts", "getLastError",
		"getlasterror", "getLog", "getMore", "getParameter", "getnonce", "hello", "hostInfo", "insert", "isdbgrid", "killAllSessions",
		"killCursors", "killOp", "killSessions", "listCollections", "listCommands", "listDatabases", "listIndexes", "logout", "mapReduce",
		"mapreduce", "ping", "planCacheClear", "profile", "refreshSessions", "renameCollection", "replSetGetConfig", "replSetGetStatus",
		"replSetHeartbeat", "replSetRequestVotes", "replSetStepDown", "replSetUpdatePosition", "rolesInfo", "saslContinue", "saslStart", "serverStatus",
		"setParameter", "shardCollection", "shutdown", "startSession", "top", "update", "updateUser", "usersInfo", "validate", "whatsmyuri",
	} {
		m[name] = name
	}
	return m
}()

// other is the operation of commands that are not known.
const other = "other"

// Template makes a name of low cardinality of a collection.
func Template(collection string) string { return names.Template(collection, ".") }
