package promapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/sonde-dev/sonde/signal"
)

type metadataEntry struct {
	Type string `json:"type"`
	Help string `json:"help"`
	Unit string `json:"unit"`
}

// metadataHandler answers GET /api/v1/metadata?metric=&limit= from the descriptions of what was appended. Prometheus'
// own handler knows only what it scraped.
func metadataHandler(descs func() map[string]*signal.Desc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := -1
		if s := r.FormValue("limit"); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil {
				writeMetadata(w, http.StatusBadRequest, map[string]any{"status": "error", "errorType": "bad_data", "error": "limit must be a number"})
				return
			}
			limit = n
		}
		all, only := descs(), r.FormValue("metric")
		data := map[string][]metadataEntry{}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if limit >= 0 && len(data) >= limit {
				break
			}
			if d := all[name]; only == "" || only == name {
				data[name] = []metadataEntry{{Type: typeName(d.Type), Help: d.Help, Unit: d.Unit}}
			}
		}
		writeMetadata(w, http.StatusOK, map[string]any{"status": "success", "data": data})
	})
}

func writeMetadata(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // an error here is the client's going away
}

func typeName(t signal.MetricType) string {
	switch t {
	case signal.Counter:
		return "counter"
	case signal.Histogram:
		return "histogram"
	}
	return "gauge"
}
