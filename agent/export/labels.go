package export

import (
	"cmp"
	"slices"

	"github.com/sonde-dev/sonde/signal"
)

// labelsOf returns the labels of a series with those of its resource, without the absent ones, sorted by name. What the
// series says goes before what the resource says.
func labelsOf(s *signal.Series, resource []signal.Label) []signal.Label {
	ls := make([]signal.Label, 0, len(s.LabelValues)+len(resource)+1)
	for i, v := range s.LabelValues {
		if n := s.Desc.Labels[i]; v != "" && n != "" {
			ls = append(ls, signal.Label{Name: n, Value: v})
		}
	}
	own := len(ls)
	for _, l := range resource {
		if l.Value != "" && !slices.ContainsFunc(ls[:own], func(o signal.Label) bool { return o.Name == l.Name }) {
			ls = append(ls, l)
		}
	}
	slices.SortFunc(ls, func(a, b signal.Label) int { return cmp.Compare(a.Name, b.Name) })
	return ls
}
