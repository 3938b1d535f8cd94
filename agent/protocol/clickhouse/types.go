package clickhouse

import (
	"strconv"
	"strings"
)

// shape says how the values of a type are written (https://clickhouse.com/docs/sql-reference/data-types, Native format).
type shape uint8

const (
	fixedSize shape = iota // size bytes each
	stringOf               // length and bytes
	nullable               // a byte for each, then all values
	arrayOf                // 8 bytes for each: where it ends; then all values
	tupleOf                // one type after the other
	lowCard                // a dictionary and keys
)

// column is a type.
type column struct {
	shape shape
	size  uint64
	of    []*column
}

// Bounds of types: nobody nests deeper, and names of longer types are enums with a fixed size.
const (
	maxTypeDepth = 12
	maxTypeName  = 1 << 10
	maxTypeParts = 256
)

var sizes = map[string]uint64{
	"UInt8": 1, "Int8": 1, "Bool": 1, "Enum8": 1, "Nothing": 1, "UInt16": 2, "Int16": 2, "Date": 2, "Enum16": 2, "BFloat16": 2,
	"UInt32": 4, "Int32": 4, "Float32": 4, "DateTime": 4, "Date32": 4, "IPv4": 4, "Decimal32": 4, "Time": 4,
	"UInt64": 8, "Int64": 8, "Float64": 8, "DateTime64": 8, "Decimal64": 8, "Time64": 8, "UUID": 16, "IPv6": 16, "Int128": 16, "UInt128": 16, "Decimal128": 16,
	"Int256": 32, "UInt256": 32, "Decimal256": 32, "Point": 16,
}

// typeNamed reads the name of a type; nil for one that is not known.
func typeNamed(name string, depth int) *column {
	name = strings.TrimSpace(name)
	if depth > maxTypeDepth {
		return nil
	}
	base, args := name, ""
	if i := strings.IndexByte(name, '('); i >= 0 {
		if name[len(name)-1] != ')' {
			if size, ok := sizes[name[:i]]; ok && strings.HasPrefix(name, "Enum") { // cut: only enums are that long
				return &column{size: size}
			}
			return nil
		}
		base, args = name[:i], name[i+1:len(name)-1]
	}
	if size, ok := sizes[base]; ok {
		return &column{size: size}
	}
	switch base {
	case "String":
		return &column{shape: stringOf}
	case "FixedString":
		n, err := strconv.ParseUint(args, 10, 32)
		if err != nil || n == 0 {
			return nil
		}
		return &column{size: n}
	case "Decimal":
		return decimalOf(args)
	case "Nullable", "Array", "LowCardinality":
		return wrapped(base, typeNamed(args, depth+1))
	case "Ring", "LineString":
		return wrapped("Array", typeNamed("Point", depth+1))
	case "Polygon", "MultiLineString":
		return wrapped("Array", typeNamed("Ring", depth+1))
	case "MultiPolygon":
		return wrapped("Array", typeNamed("Polygon", depth+1))
	case "SimpleAggregateFunction":
		if parts := splitArgs(args); len(parts) == 2 {
			return typeNamed(parts[1], depth+1)
		}
		return nil
	case "Tuple", "Map", "Nested":
		t := tuple(args, depth)
		if t != nil && base != "Tuple" {
			return wrapped("Array", t)
		}
		return t
	}
	if strings.HasPrefix(base, "Interval") {
		return &column{size: 8}
	}
	return nil
}

func wrapped(base string, t *column) *column {
	if t == nil {
		return nil
	}
	c := &column{of: []*column{t}}
	switch base {
	case "Nullable":
		c.shape = nullable
	case "Array":
		c.shape = arrayOf
	default:
		c.shape = lowCard
		if t.shape == nullable { // the dictionary has a place for NULL instead
			c.of[0] = t.of[0]
		}
		if c.of[0].shape > stringOf {
			return nil
		}
	}
	return c
}

// decimalOf reads "precision, scale".
func decimalOf(args string) *column {
	precision, _, _ := strings.Cut(args, ",")
	p, err := strconv.Atoi(strings.TrimSpace(precision))
	switch {
	case err != nil || p < 1 || p > 76:
		return nil
	case p <= 9:
		return &column{size: 4}
	case p <= 18:
		return &column{size: 8}
	case p <= 38:
		return &column{size: 16}
	}
	return &column{size: 32}
}

// tuple reads types that may have names before them.
func tuple(args string, depth int) *column {
	c := &column{shape: tupleOf}
	for _, part := range splitArgs(args) {
		t := typeNamed(part, depth+1)
		if i := strings.IndexByte(strings.TrimSpace(part), ' '); t == nil && i > 0 {
			t = typeNamed(strings.TrimSpace(part)[i+1:], depth+1)
		}
		if t == nil {
			return nil
		}
		c.of = append(c.of, t)
	}
	if len(c.of) == 0 || len(c.of) > maxTypeParts {
		return nil
	}
	return c
}

// splitArgs cuts at commas outside brackets and quotes.
func splitArgs(s string) (parts []string) {
	depth, start, quoted := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}
