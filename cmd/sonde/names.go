package main

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/agent/entity"
	"github.com/sonde-dev/sonde/agent/exchange"
	"github.com/sonde-dev/sonde/agent/protocol/dns"
)

// Names are kept for as long as the answer says, but programs keep answers and connect late: a name that is still shown is better than
// one that comes and goes.
const (
	shortestName = 10 * time.Minute
	longestName  = 24 * time.Hour
)

// learnNames tells the joiner which addresses a program of this host was given for a name.
func learnNames(j *entity.Joiner, x *exchange.Exchange) {
	if x.Side != exchange.Client || x.Protocol != (dns.Protocol{}) {
		return
	}
	var answers, ttl string
	for _, a := range x.Attributes {
		switch a.Key {
		case dns.AttrAnswers:
			answers = a.Value
		case dns.AttrTTL:
			ttl = a.Value
		}
	}
	if answers == "" {
		return
	}
	seconds, _ := strconv.ParseUint(ttl, 10, 32) // none is 0
	until := x.ResponseEnd + uint64(min(max(time.Duration(seconds)*time.Second, shortestName), longestName))
	for s := range strings.SplitSeq(answers, ",") {
		if addr, err := netip.ParseAddr(s); err == nil {
			j.LearnName(addr, x.Target, until)
		}
	}
}
