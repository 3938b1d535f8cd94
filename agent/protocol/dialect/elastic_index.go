package dialect

import "strings"

// indexTemplate replaces in the name of an index what grows with time: logs-2026.11.21 becomes logs-{date}, .ds-web-2026.11.21-000042
// .ds-web-{date}-{id}. Of a list each name is replaced, and names that come out the same are told once. It is idempotent.
func indexTemplate(index string) string {
	if strings.IndexByte(index, '%') >= 0 { // escaped: date math
		return "{expression}"
	}
	list := strings.Split(index, ",")
	const most = 3 // names of a list that tell interfaces apart
	out := make([]string, 0, most+1)
	for _, name := range list {
		name = templateIndex(name)
		if len(out) > 0 && out[len(out)-1] == name {
			continue
		}
		if len(out) == most {
			out = append(out, "…")
			break
		}
		out = append(out, name)
	}
	return strings.Join(out, ",")
}

// templateIndex does it for one name: a run of digits, and dots or hyphens between digits, is a date or a number.
func templateIndex(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		if !isDigit(s[i]) || i > 0 && isLetter(s[i-1]) {
			out.WriteByte(s[i])
			i++
			continue
		}
		end := i
		for end < len(s) && (isDigit(s[end]) || (s[end] == '.' || s[end] == '-') && end+1 < len(s) && isDigit(s[end+1])) {
			end++
		}
		if end < len(s) && isLetter(s[end]) { // 3f2a9c1b, 2nd
			for end < len(s) && (isDigit(s[end]) || isLetter(s[end])) {
				end++
			}
			if end-i >= 8 {
				out.WriteString("{token}")
			} else {
				out.WriteString(s[i:end])
			}
			i = end
			continue
		}
		out.WriteString(placeOf(s[i:end]))
		i = end
	}
	return out.String()
}

// placeOf judges digits with separators: what begins with a year and goes on is a date, with a number behind it perhaps.
func placeOf(s string) string {
	const date = len("2026.11")
	isDate := len(s) >= date && (s[0] == '1' || s[0] == '2') && isDigit(s[1]) && isDigit(s[2]) && isDigit(s[3]) && !isDigit(s[4])
	switch {
	case isDate && strings.LastIndexByte(s, '-') > strings.LastIndexByte(s, '.') && strings.IndexByte(s, '.') > 0:
		return "{date}-{id}"
	case isDate || len(s) == len("20261121") && s[0] == '2' && s[1] == '0':
		return "{date}"
	}
	return "{id}"
}

func isDigit(c byte) bool  { return c-'0' <= 9 }
func isLetter(c byte) bool { return (c|0x20)-'a' <= 'z'-'a' }
