package query

import (
	"maps"
	"net/http"
	"reflect"
	"strings"
)

// answerOpenAPI describes the API as OpenAPI 3.1, made from the routes and the Go types of the replies.
func (a *api) answerOpenAPI(*http.Request) (any, error) {
	schemas := map[string]any{}
	failure := map[string]any{"description": "What is wrong and what to do", "content": jsonContent(schemaOf(reflect.TypeFor[ErrorReply](), schemas))}
	paths := map[string]any{}
	for _, r := range a.routes() {
		params := []any{}
		for _, p := range r.params {
			schema := map[string]any{"type": "string"}
			if p.enum != nil {
				schema["enum"] = p.enum
			}
			params = append(params, map[string]any{"name": p.name, "in": p.in, "required": p.required, "description": p.text, "schema": schema})
		}
		schema := map[string]any{"type": "object"}
		if r.reply != nil {
			schema = schemaOf(reflect.TypeOf(r.reply), schemas)
		}
		paths[r.path] = map[string]any{"get": map[string]any{
			"summary": r.summary, "parameters": params,
			"responses": map[string]any{"200": map[string]any{"description": "The answer", "content": jsonContent(schema)}, "default": failure},
		}}
	}
	return map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Sonde", "version": a.cfg.Prom.Version,
			"description": "Times are Unix seconds, durations seconds, sizes bytes, rates per second. Counts over a range are exact integers. " +
				"The Prometheus HTTP API is served under /api/v1, federation under /federate.",
		},
		"paths":      paths,
		"components": map[string]any{"schemas": schemas},
	}, nil
}

func jsonContent(schema any) map[string]any {
	return map[string]any{"application/json": map[string]any{"schema": schema}}
}

// schemaOf returns the JSON schema of a type as encoding/json writes it; structs become components.
func schemaOf(t reflect.Type, components map[string]any) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return map[string]any{"anyOf": []any{schemaOf(t.Elem(), components), map[string]any{"type": "null"}}}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), components)}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem(), components)}
	case reflect.String:
		if t == reflect.TypeFor[Severity]() {
			return map[string]any{"type": "string", "enum": []any{SeverityOK, SeverityWarning, SeverityCritical}}
		}
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Struct:
		if components[t.Name()] == nil {
			components[t.Name()] = map[string]any{} // ends recursion
			components[t.Name()] = structSchema(t, components)
		}
		return map[string]any{"$ref": "#/components/schemas/" + t.Name()}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	}
	return map[string]any{"type": "number"}
}

func structSchema(t reflect.Type, components map[string]any) map[string]any {
	properties, required := map[string]any{}, []string{}
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && f.Tag.Get("json") == "" { // its fields are written among the others
			in := structSchema(f.Type, components)
			maps.Copy(properties, in["properties"].(map[string]any))
			required = append(required, in["required"].([]string)...)
			continue
		}
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		field := t.Field(i).Type
		optional := strings.Contains(options, "omitempty")
		if optional && field.Kind() == reflect.Pointer {
			field = field.Elem() // absent rather than null
		}
		properties[name] = schemaOf(field, components)
		if !optional {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}
