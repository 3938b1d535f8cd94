package redis

// Statuses of replies that are not errors.
const (
	statusOK     = "OK"
	statusNil    = "NIL"    // nothing there, a transaction not executed, a pop that waited in vain
	statusQueued = "QUEUED" // inside MULTI: EXEC runs it
)

// errorWords are the first words of errors that Redis, its modules, Sentinel and cluster nodes send.
var errorWords = func() map[string]string {
	m := make(map[string]string)
	for _, w := range []string{
		"ERR", "WRONGTYPE", "NOAUTH", "WRONGPASS", "NOPERM", "NOPROTO", "EXECABORT", "NOSCRIPT", "BUSY", "BUSYKEY", "BUSYGROUP", "NOGROUP",
		"MOVED", "ASK", "TRYAGAIN", "CROSSSLOT", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "NOREPLICAS", "LOADING", "MISCONF", "OOM",
		"UNKILLABLE", "NOTBUSY", "INPROG", "NOGOODSLAVE", "NOQUORUM", "NOMASTERLINK", "NOTREADY", "UNBLOCKED", "IOERR", "INVALIDOBJ", "DENIED", "STALE",
		"REDIRECT", "VERSIONMISMATCH", "SEARCH_INDEX_NOT_FOUND", "NOADDR", "INTERRUPTED", "LIMIT",
	} {
		m[w] = w
	}
	return m
}()

// errorWord returns the first word of an error line if it is known.
func errorWord(line []byte) string {
	for i, c := range line {
		if c <= ' ' {
			line = line[:i]
			break
		}
	}
	if w, ok := errorWords[string(line)]; ok {
		return w
	}
	return "other"
}

// isRedirect: the node works and the key is elsewhere; a cluster's client follows it.
func isRedirect(status string) bool { return status == "MOVED" || status == "ASK" }
