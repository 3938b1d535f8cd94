package dns

// The IANA registry "Domain Name System (DNS) Parameters": types, classes, opcodes and codes.
const (
	typeA    = 1
	typeAAAA = 28
	typeOPT  = 41
	typeIXFR = 251
	typeAXFR = 252

	classIN = 1

	opcodeQuery = 0

	rcodeServFail = 2
	rcodeNXDomain = 3
	rcodeNotImp   = 4
	rcodeNotZone  = 10
)

const other = "other"

func typeName(t uint16) string {
	if n := typeNames[t]; n != "" {
		return n
	}
	return other
}

// mayBeAsked excludes what is no question, and NetBIOS, whose messages look the same (RFC 1002 §4.2.1.2).
func mayBeAsked(t uint16) bool {
	const netBIOS = 32
	return t != 0 && t != typeOPT && t != netBIOS
}

var typeNames = map[uint16]string{
	1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 17: "RP", 18: "AFSDB", 24: "SIG", 25: "KEY",
	28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 36: "KX", 37: "CERT", 38: "A6", 39: "DNAME", 41: "OPT", 42: "APL", 43: "DS", 44: "SSHFP",
	45: "IPSECKEY", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 49: "DHCID", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA",
	55: "HIP", 59: "CDS", 60: "CDNSKEY", 61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD", 64: "SVCB", 65: "HTTPS", 99: "SPF",
	108: "EUI48", 109: "EUI64", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY", 256: "URI", 257: "CAA",
}

func isKnownClass(c uint16) bool {
	const chaos, hesiod, anyClass = 3, 4, 255
	return c == classIN || c == chaos || c == hesiod || c == anyClass
}

// opcodeNames are the operations that are no queries.
var opcodeNames = [16]string{1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE", 6: "DSO"}

func operation(h header, qtype uint16) string {
	if op := h.opcode(); op != opcodeQuery {
		if n := opcodeNames[op]; n != "" {
			return n
		}
		return other
	}
	return typeName(qtype)
}

var rcodeNames = [...]string{
	0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN", 7: "YXRRSET", 8: "NXRRSET",
	9: "NOTAUTH", 10: "NOTZONE", 11: "DSOTYPENI", 16: "BADVERS", 17: "BADKEY", 18: "BADTIME", 19: "BADMODE", 20: "BADNAME",
	21: "BADALG", 22: "BADTRUNC", 23: "BADCOOKIE",
}

func rcodeName(c uint16) string {
	if int(c) < len(rcodeNames) && rcodeNames[c] != "" {
		return rcodeNames[c]
	}
	return other
}

// failures say what of a code is an error, as the client and as the server sees it: a server answers well when it says that a
// name does not exist, or that it will not tell.
func failures(code uint16, isSearch bool) (client, server string) {
	if code != 0 && !isSearch {
		client = rcodeName(code)
	}
	if code == rcodeServFail || code == rcodeNotImp {
		server = rcodeName(code)
	}
	return client, server
}
