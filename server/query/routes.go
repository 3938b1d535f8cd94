package query

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// route is one question of the page. The list of routes is also what the OpenAPI document is made from.
type route struct {
	path, summary string
	params        []param
	reply         any // a zero value of the type of the reply
	expensive     bool
	answer        func(*http.Request) (any, error)
}

type param struct {
	name, in, text string
	required       bool
	enum           []string
}

func (a *api) routes() []route {
	ranged := []param{
		{name: "start", in: "query", text: `Unix seconds, RFC 3339 or "now-15m"; default: 15 minutes before end`},
		{name: "end", in: "query", text: `as start; default: now`},
	}
	detail := append([]param{{name: "name", in: "path", text: "service.name", required: true}}, ranged...)
	detail = append(detail,
		param{name: "step", in: "query", text: `of series, seconds or "30s"; default: about 120 steps in the range`},
		param{name: "side", in: "query", text: "of the series; default: server where the service serves anything", enum: []string{sideServer, sideClient}})
	return []route{
		{"/api/services", "All services with traffic in the range, worst first", ranged, ServicesReply{}, true, a.answerServices},
		{"/api/services/{name}", "One service in detail", detail, ServiceReply{}, true, a.answerService},
		{"/api/interfaces", "What services of some kinds offer (statements of databases, destinations of queues, names of DNS, methods of RPC) and who calls it",
			slices.Concat(ranged, []param{
				{name: "kind", in: "query", text: `"db", or several: "db,cache"`, required: true},
				{name: "sort", in: "query", text: "most first; default: time", enum: slices.Sorted(maps.Keys(orders()))},
				{name: "limit", in: "query", text: fmt.Sprintf("of offers; default: %d", defaultOffers)},
			}), InterfacesReply{}, true, a.answerInterfaces},
		{"/api/topology", "The map: who calls whom", ranged, TopologyReply{}, true, a.answerTopology},
		{"/api/samples", "Slow and failed requests with what was said in them, secrets taken out, newest first", a.samplesParams(ranged), SamplesReply{}, true, a.answerSamples},
		{"/api/status", "The state of Sonde itself", nil, StatusReply{}, false, a.answerStatus},
		{"/api/openapi.json", "This description", nil, nil, false, a.answerOpenAPI},
	}
}

func (a *api) span(r *http.Request) (span, error) {
	s, err := parseSpan(r.URL.Query(), a.now(), a.cfg.MinStep)
	if err != nil {
		return s, badRequest(err)
	}
	return s, nil
}

func (a *api) answerServices(r *http.Request) (any, error) {
	s, err := a.span(r)
	if err != nil {
		return nil, err
	}
	rows, err := a.services(r.Context(), s)
	if err != nil {
		return nil, err
	}
	s.step = (s.end - s.start) / sparkSteps
	out := ServicesReply{Range: s.reply(), Services: rows, Total: len(rows)}
	for _, x := range rows {
		if x.Severity != SeverityOK {
			out.Abnormal++
		}
	}
	out.Loss, err = a.loss(r.Context(), s)
	return out, err
}

func (a *api) answerInterfaces(r *http.Request) (any, error) {
	s, err := a.span(r)
	if err != nil {
		return nil, err
	}
	s.step = 0
	kinds, order, limit, err := parseOffers(r.URL.Query())
	if err != nil {
		return nil, badRequest(err)
	}
	return a.offers(r.Context(), s, kinds, order, limit)
}

func (a *api) answerTopology(r *http.Request) (any, error) {
	s, err := a.span(r)
	if err != nil {
		return nil, err
	}
	s.step = 0
	return a.topology(r.Context(), s)
}

func (a *api) answerService(r *http.Request) (any, error) {
	s, err := a.span(r)
	if err != nil {
		return nil, err
	}
	name := r.PathValue("name")
	side := r.URL.Query().Get("side")
	if side != "" && side != sideServer && side != sideClient {
		return nil, badRequest(errUnknownSide)
	}
	rows, err := a.services(r.Context(), s, is("service_name", name))
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, notFound("no service named " + name + " had a request in the range: check the name with /api/services, or widen the range")
	}
	return a.service(r.Context(), s, rows[0], side)
}

func (a *api) answerStatus(*http.Request) (any, error) {
	var out StatusReply
	if a.deps.Status != nil {
		out = a.deps.Status.Status()
	}
	if a.deps.Usage != nil {
		out.Store = a.deps.Usage()
	}
	if out.Probes == nil {
		out.Probes = []Probe{}
	}
	if out.Lost == nil {
		out.Lost = map[string]float64{}
	}
	a.contentStatus(&out.Content)
	out.Now = float64(a.now().UnixMilli()) / 1000
	return out, nil
}
