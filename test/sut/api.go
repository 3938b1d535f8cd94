package sut

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Sample is one series of an instant query.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Query asks PromQL at a time; the zero time is now. The result must be a vector of plain numbers.
func (s *Sonde) Query(promql string, at time.Time) ([]Sample, error) {
	v := url.Values{"query": {promql}}
	if !at.IsZero() {
		v.Set("time", unix(at))
	}
	var reply struct {
		Error string
		Data  struct {
			Result []struct {
				Metric map[string]string
				Value  []any
			}
		}
	}
	if err := s.Get("/api/v1/query?"+v.Encode(), &reply); err != nil {
		return nil, err
	}
	out := []Sample{}
	for _, r := range reply.Data.Result {
		if len(r.Value) != 2 {
			return nil, fmt.Errorf("query %s: not an instant vector of numbers", promql)
		}
		text, _ := r.Value[1].(string)
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("query %s: value %q: %w", promql, text, err)
		}
		out = append(out, Sample{r.Metric, f})
	}
	return out, nil
}

// Value is Query for a single number: the only sample's value, 0 if there is none.
func (s *Sonde) Value(promql string) (float64, error) {
	samples, err := s.Query(promql, time.Time{})
	if err != nil || len(samples) == 0 {
		return 0, err
	}
	if len(samples) > 1 {
		return 0, fmt.Errorf("query %s: %d series, want one", promql, len(samples))
	}
	return samples[0].Value, nil
}

// RED is what the API says of a set of requests; see the API's own documentation.
type RED struct {
	Requests, Errors, Partial, RequestBytes, ResponseBytes float64
}

// Service is one service of /api/services.
type Service struct {
	Name           string
	External       bool
	Instances      int
	Server, Client *RED
}

// Node and Edge are parts of /api/topology.
type (
	Node struct {
		ID       string
		External bool
	}
	Edge struct {
		Client, Server, Protocol, Seen string
		RED                            RED
	}
	Topology struct {
		Nodes []Node
		Edges []Edge
	}
)

// Status is the part of /api/status that tests ask for.
type Status struct {
	Tier, TierReason string
	Ignore           string // rules on requests, in words
	Lost             map[string]float64
	Memory           struct{ RSS, Bound, BPF, Heap float64 }
	Rates            struct{ Events, Exchanges, Bytes float64 }
	Connections      int
	Store            struct{ Series float64 }
}

// Services asks for all services between two times.
func (s *Sonde) Services(start, end time.Time) ([]Service, error) {
	var r struct{ Services []Service }
	err := s.Get("/api/services?start="+unix(start)+"&end="+unix(end), &r)
	return r.Services, err
}

// Topology asks for the map between two times.
func (s *Sonde) Topology(start, end time.Time) (t Topology, err error) {
	err = s.Get("/api/topology?start="+unix(start)+"&end="+unix(end), &t)
	return t, err
}

// Status asks how Sonde is.
func (s *Sonde) Status() (st Status, err error) {
	err = s.Get("/api/status", &st)
	return st, err
}

// Lost is the number of losses since start, by cause; causes that never happened are left out.
func (s *Sonde) Lost() (map[string]float64, error) {
	st, err := s.Status()
	for c, n := range st.Lost {
		if n == 0 {
			delete(st.Lost, c)
		}
	}
	return st.Lost, err
}

// Get reads a JSON reply of the API.
func (s *Sonde) Get(path string, v any) error {
	c := http.Client{Timeout: 20 * time.Second}
	resp, err := c.Get(s.URL + path)
	if err != nil {
		return fmt.Errorf("ask Sonde: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("ask Sonde %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask Sonde %s: %s: %.300s", path, resp.Status, body)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("ask Sonde %s: %w", path, err)
	}
	return nil
}

func unix(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}
