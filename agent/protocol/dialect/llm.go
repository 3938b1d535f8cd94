package dialect

import "github.com/sonde-dev/sonde/agent/protocol"

// The APIs of language models are alike: POST of JSON that names a model, an answer of JSON, or of events or lines of JSON where it
// is streamed, and the numbers of tokens in it, at the end of a stream. What differs is in llmAPI.

// llmAPI is one operation of one provider's API.
type llmAPI struct {
	names     *names
	operation string // gen_ai.operation.name
	needsSaid bool   // the path is so common that the answer must show whose it is
	// inPath is true where the path names the model, and the request need not.
	inPath bool
}

// The places of llmCounts.
const (
	countInput = iota
	countOutput
	countUnseen
	countUnsaid
)

// llm describes the API of a provider for the registry.
func llm(provider string, read []string) *names {
	token := func(kind string) protocol.Count {
		return protocol.Count{
			Server: "gen_ai_server_token_usage", Client: "gen_ai_client_token_usage", Unit: "{token}", IsHistogram: true,
			Help:  "Tokens of one operation, as the response says.",
			Label: protocol.Attribute{Key: "gen_ai_token_type", Value: kind},
		}
	}
	return &names{
		name: provider,
		semantics: protocol.Semantics{
			Kind:           protocol.KindRPC,
			ServerDuration: "gen_ai_server_request_duration_seconds", ClientDuration: "gen_ai_client_operation_duration_seconds",
			OperationLabel: "gen_ai_operation_name", ServerTargetLabel: "gen_ai_request_model", ClientTargetLabel: "gen_ai_request_model",
			StatusLabel: "http_response_status_code",
			Constant:    []protocol.Attribute{{Key: "gen_ai_provider_name", Value: provider}},
			Counts: []protocol.Count{
				countInput: token("input"), countOutput: token("output"),
				countUnseen: {
					Server: "gen_ai_server_unseen_usage_total", Client: "gen_ai_client_unseen_usage_total", Unit: "{operation}",
					Help: "Operations that succeeded and whose tokens are not known: the response was compressed, not copied whole, or it was cut.",
				},
				countUnsaid: {
					Server: "gen_ai_server_unsaid_usage_total", Client: "gen_ai_client_unsaid_usage_total", Unit: "{operation}",
					Help: "Operations that succeeded, whose response was read to its end and says nothing of tokens.",
				},
			},
		},
		reading: protocol.Reading{
			Read: append(read, "the model as the request names it, else as the response does",
				"tokens as the response counts them, whole or streamed; a number is told only if the response was seen to its end"),
			NotRead: []string{
				"prompts, completions, parameters, keys: never kept",
				"the first responses of a connection of HTTP/1 that come before the kernel knows that all is to be copied (some milliseconds): their tokens count as unseen",
				"responses above 1 MiB over HTTP/1, and compressed ones: likewise", "batches and files",
			},
		},
	}
}

// llmReader follows one operation.
type llmReader struct {
	api     *llmAPI
	request scanner
	answer  scanner
	stream  events

	model, answered name // as the request says, and the response
	word            name // being read, looked at and not kept
	number          uint64
	isNumber        bool
	to              any // *name or *uint64 being read

	hasModel, hasInput, isWholeRequest, isCutRequest bool
	isSaid                                           bool // the response shows whose it is
	isRefused                                        bool // 4xx, 5xx
	isStream, isReadable, isComplete, isOver         bool
	hasUsage                                         bool
	hasDone, hasCreated, isLast                      bool // members of Ollama's answers
	input, cached, stored, output                    uint64
}

func newLLM(api *llmAPI, r Request) Reader {
	if r.Method != "POST" || r.Signs&signJSON == 0 {
		return nil
	}
	d := &llmReader{api: api, isCutRequest: r.Signs&signCoded != 0}
	d.request.visit = (*llmRequest)(d)
	d.answer.visit = (*llmAnswer)(d)
	d.stream.scanner = &d.answer
	return d
}

func (d *llmReader) Body(dir protocol.Direction, b []byte) {
	switch {
	case dir == protocol.ToServer && !d.isCutRequest:
		d.request.read(b)
	case dir == protocol.ToServer || !d.isReadable:
	case d.isStream:
		d.stream.read(b)
	default:
		d.answer.read(b)
	}
}

func (d *llmReader) Gap(dir protocol.Direction) {
	if dir == protocol.ToServer {
		d.isCutRequest = true
	} else {
		d.isReadable, d.isComplete = false, false
	}
}

func (d *llmReader) Response(code int, signs Signs) {
	d.isRefused = code >= 400
	d.isStream = signs&signEvents != 0
	d.isReadable = signs&signCoded == 0 && signs&(signEvents|signJSON|signLines) != 0
}

// Whole asks for all that may hold the numbers. Where the path is common, the request must first look like one.
func (d *llmReader) Whole() bool { return !d.api.needsSaid || d.isCutRequest || d.isAsked() }

// isAsked reports whether the request was seen to be one.
func (d *llmReader) isAsked() bool { return d.hasInput && (d.hasModel || d.api.inPath) }

func (d *llmReader) View(isOver bool) *protocol.View {
	d.isOver = d.isOver || isOver
	switch {
	case !d.isAsked() && (!d.isCutRequest || !d.isSaid), d.api.needsSaid && !d.isSaid:
		return nil
	}
	v := &protocol.View{Protocol: d.api.names, Operation: d.api.operation, Target: modelOf(&d.model)}
	if v.Target == "" {
		v.Target = modelOf(&d.answered)
	}
	switch {
	case !d.isOver || d.isRefused:
	case !d.isReadable || !d.isComplete && !d.stream.isDone:
		v.Counts[countUnseen] = 1
	case !d.hasUsage:
		v.Counts[countUnsaid] = 1
	default:
		v.Counts[countInput], v.Counts[countOutput] = d.input+d.cached+d.stored, d.output
	}
	return v
}

// modelOf returns a name that may be a model's: gpt-4o-2024-08-06, llama3.1:8b, accounts/x/models/y.
func modelOf(n *name) string {
	for _, c := range n.b[:min(int(n.n), len(n.b))] {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '?' {
			return ""
		}
	}
	return n.String()
}

// llmRequest visits the request.
type llmRequest llmReader

func (d *llmRequest) open(s *scanner, kind byte) bool {
	if s.depth != 1 {
		return false
	}
	switch {
	case kind == '"' && s.at("model"):
		d.hasModel, d.model = true, name{}
		return true
	case s.at("messages"), s.at("prompt"), s.at("input"):
		d.hasInput = d.hasInput || kind == '[' || kind == '"'
	}
	return false
}

func (d *llmRequest) text(b []byte) { d.model.addAll(b) }
func (d *llmRequest) shut()         {}
func (d *llmRequest) end()          { d.isWholeRequest = true }
