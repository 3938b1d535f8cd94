package dns

import "strings"

// maxLabels is how many labels of a name tell names apart, from the end.
const maxLabels = 7

// anyLabel stands for labels that are made by machines, one or several.
const anyLabel = "*"

// Template turns a name into one of low cardinality: labels at its start that are made by machines, addresses read backwards, and what is
// deeper than maxLabels become one "*". It returns name itself when nothing changes.
func Template(name string) string {
	for _, zone := range [...]string{"in-addr.arpa", "ip6.arpa"} {
		if strings.HasSuffix(name, "."+zone) {
			return anyLabel + "." + zone
		}
	}
	const keep = 2 // the last two labels are somebody's name
	at := 0
	for labels := strings.Count(name, ".") + 1; labels > keep; labels-- {
		label, _, _ := strings.Cut(name[at:], ".")
		if labels <= maxLabels && label != anyLabel && !isMachineMade(label) {
			break
		}
		at += len(label) + 1
	}
	if at == 0 || at == len(anyLabel)+1 && name[0] == anyLabel[0] {
		return name
	}
	return anyLabel + "." + name[at:]
}

// isMachineMade recognises numbers, addresses, hashes, UUIDs and names of pods.
func isMachineMade(label string) bool {
	digits, hex, hyphens, turns := 0, 0, 0, 0
	last := byte(0)
	for i := range len(label) {
		c := label[i]
		kind := byte('x')
		switch {
		case c >= '0' && c <= '9':
			digits++
			hex++
			kind = '0'
		case c >= 'a' && c <= 'f':
			hex++
		case c == '-' || c == '_':
			hyphens++
			kind = last
		}
		if last != 0 && kind != last {
			turns++ // between letters and digits
		}
		last = kind
	}
	letters := len(label) - digits - hyphens
	switch {
	case digits == 0:
		return len(label) > 40 && hyphens < 3 // words are shorter
	case letters == 0:
		return digits > 1 || hyphens > 0 // 17, 10-0-0-1
	case len(label) >= 8 && hex+hyphens == len(label):
		return true // a hash, an UUID
	case hyphens >= 4 && digits >= 4:
		return true // ip-10-0-0-1, shop-7d4b9c6f5d-x2x9z-…
	}
	return len(label) >= 10 && turns >= 4 || len(label) >= 20 && digits >= 6
}

// isSearch recognises names that exist only because a resolver tried its search list: a name with dots of its own, put before the domains
// that Kubernetes gives its pods (SERVICE.NAMESPACE.svc.cluster.local and what is above it). With fewer labels it may be a service
// that is missing, or a pod of one, so nothing is said.
func isSearch(name string) bool {
	rest, ok := strings.CutSuffix(name, ".cluster.local")
	if !ok {
		return false
	}
	inner, isService := strings.CutSuffix(rest, ".svc")
	if !isService {
		return strings.Contains(rest, ".") && !strings.HasSuffix(rest, ".pod") // api.example.com.cluster.local
	}
	const podServiceNamespace = 3 // labels of the longest name that there is
	labels := strings.Count(inner, ".") + 1
	return labels > podServiceNamespace || labels == podServiceNamespace && isTopLevel(inner[strings.LastIndexByte(inner, '.')+1:])
}

// isTopLevel knows top-level domains that nobody calls a namespace: with ndots:5 each call to api.example.com asks for
// api.example.com.svc.cluster.local, too.
func isTopLevel(label string) bool {
	switch label {
	case "com", "net", "org", "edu", "gov":
		return true
	}
	return false
}
