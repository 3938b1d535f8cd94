package clickhouse

// Packets of a client (src/Core/Protocol.h, Protocol::Client).
const (
	clientHello  = 0
	clientQuery  = 1
	clientData   = 2
	clientCancel = 3
	clientPing   = 4
)

// Packets of a server (Protocol::Server).
const (
	serverHello         = 0
	serverData          = 1
	serverException     = 2
	serverProgress      = 3
	serverPong          = 4
	serverEndOfStream   = 5
	serverProfileInfo   = 6
	serverTotals        = 7
	serverExtremes      = 8
	serverLog           = 10
	serverTableColumns  = 11
	serverPartUUIDs     = 12
	serverReadTask      = 13
	serverProfileEvents = 14
	serverTimezone      = 17
)

// Revisions from which on something is sent (src/Core/ProtocolDefines.h, DBMS_MIN_REVISION_WITH_…).
const (
	minRevision         = 54032 // client information; older servers are from 2016
	maxRevision         = 54469 // from 54470 on packets may be cut into chunks
	withTimezone        = 54058
	withQuotaKey        = 54060 // in the client information
	withDisplayName     = 54372
	withPatch           = 54401
	withWriteInfo       = 54420
	withStringSettings  = 54429
	withSecret          = 54441
	withTelemetry       = 54442
	withForwardedFor    = 54443 // HTTP only
	withReferer         = 54447 // HTTP only
	withDepth           = 54448
	withStartTime       = 54449
	withReplicas        = 54453
	withSerialization   = 54454
	withAddendum        = 54458
	withParameters      = 54459
	withElapsed         = 54460
	withPasswordRules   = 54461
	withNonce           = 54462
	withTotalBytes      = 54463
	withRowsAggregation = 54469
)

// steps is what follows the number of a packet, one letter for each thing:
//
//	1 2 4 8  so many bytes      v  a number of variable length    s  a string
//	R r      the client's, the server's revision                  k  the kind of a query; 0: nothing more is told of the client
//	i        the interface it came by, and what depends on that   t  telemetry: a flag and perhaps a span
//	O o      settings until an empty name, as strings or typed    P  parameters until an empty name
//	Q        the statement       C  whether blocks are compressed; c whether the stage is one
//	B b      a block, compressed if the query said so, or never   N  a list of pairs of strings
//	E        an exception        U  a list of UUIDs               p  the number of rows
//	a        after the greeting
func helloSteps() string { return "svvRsss" }

func serverHelloSteps(rev int) string {
	s := ""
	if rev >= withTimezone {
		s += "s"
	}
	if rev >= withDisplayName {
		s += "s"
	}
	if rev >= withPatch {
		s += "v"
	}
	if rev >= withPasswordRules {
		s += "N"
	}
	if rev >= withNonce {
		s += "8"
	}
	return s + "a"
}

// querySteps is everything after the number of a query's packet.
func querySteps(rev int) string {
	s := "sk"
	if rev >= withStringSettings {
		s += "O"
	} else {
		s += "o"
	}
	if rev >= withSecret {
		s += "s"
	}
	s += "cCQ"
	if rev >= withParameters {
		s += "P"
	}
	return s
}

// clientSteps is the client information after its first byte, up to the interface.
func clientSteps(rev int) string {
	s := "sss"
	if rev >= withStartTime {
		s += "8"
	}
	return s + "i"
}

// tcpSteps is the rest of it for queries that came by this protocol, httpSteps for those passed on from HTTP.
func tcpSteps(rev int) string { return "sssvvR" + commonSteps(rev, true) }

func httpSteps(rev int) string {
	s := "1s"
	if rev >= withForwardedFor {
		s += "s"
	}
	if rev >= withReferer {
		s += "s"
	}
	return s + commonSteps(rev, false)
}

func commonSteps(rev int, isTCP bool) string {
	s := ""
	if rev >= withQuotaKey {
		s += "s"
	}
	if rev >= withDepth {
		s += "v"
	}
	if rev >= withPatch && isTCP {
		s += "v"
	}
	if rev >= withTelemetry {
		s += "t"
	}
	if rev >= withReplicas {
		s += "vvv"
	}
	return s
}

// serverSteps is everything after the number of a server's packet; false for those that are not known.
func serverSteps(kind byte, rev int) (string, bool) {
	switch kind {
	case serverHello:
		return "svvr", true
	case serverData, serverTotals, serverExtremes:
		return "sB", true
	case serverLog, serverProfileEvents:
		return "sb", true
	case serverException:
		return "E", true
	case serverProgress:
		s := "vvv"
		if rev >= withTotalBytes {
			s += "v"
		}
		if rev >= withWriteInfo {
			s += "vv"
		}
		if rev >= withElapsed {
			s += "v"
		}
		return s, true
	case serverPong, serverEndOfStream, serverReadTask:
		return "", true
	case serverProfileInfo:
		if rev >= withRowsAggregation {
			return "pvv1v11v", true
		}
		return "pvv1v1", true
	case serverTableColumns:
		return "ss", true
	case serverPartUUIDs:
		return "U", true
	case serverTimezone:
		return "s", true
	}
	return "", false
}
