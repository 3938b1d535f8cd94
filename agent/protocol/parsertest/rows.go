package parsertest

import (
	"fmt"

	"github.com/sonde-dev/sonde/agent/protocol/sqltext"
)

// Rows renders the exchanges of Lines as a database's, whose targets hold spaces: OPERATION|TARGET|STATUS|RETURNED|AFFECTED|req=N|res=N and what
// is special about it. It fails where a template or a status is too long.
func (r *Recorder) Rows() []string { return r.rows(true) }

// BareRows is Rows without the sizes.
func (r *Recorder) BareRows() []string { return r.rows(false) }

func (r *Recorder) rows(hasSizes bool) (rows []string) {
	const longestStatus = 8
	for _, x := range r.Told {
		q, p := &x.Request, &x.Response
		if len(q.Target) > sqltext.MaxTemplate || len(p.Status) > longestStatus {
			r.t.Fatalf("%+v has a long target or status", *x)
		}
		s := fmt.Sprintf("%s|%s|%s|%d|%d", q.Operation, q.Target, p.Status, p.Counts[0], p.Counts[1])
		if hasSizes {
			s += fmt.Sprintf("|req=%d|res=%d", x.RequestEnd.BodyBytes, x.ResponseEnd.BodyBytes)
		}
		if p.ClientError != p.Status {
			s += "|error=" + p.ClientError
		}
		for _, a := range p.Attributes {
			s += "|" + a.Key + "=" + a.Value
		}
		if x.IsPartial() {
			s += "|partial"
		}
		if !x.ResponseEnded && !q.NoResponse {
			s += "|unanswered"
		}
		rows = append(rows, s)
	}
	return rows
}
