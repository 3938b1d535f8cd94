package dialect_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
)

const (
	events = "Content-Type: text/event-stream; charset=utf-8\r\n"
	lines  = "Content-Type: application/x-ndjson\r\n"
	claude = json + "anthropic-version: 2023-06-01\r\nx-api-key: sk-ant-secret\r\n"
	ask    = `{"messages":[{"role":"user","content":"say \"model\":\"x\" {"}],"model":"gpt-4o","stream":true}`
)

// Shapes after the API references of OpenAI, Anthropic and Ollama (2026).
const (
	chatAnswer = `{"id":"c","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"message":{"content":"usage: {\"usage\":{\"prompt_tokens\":9}}"}}],` +
		`"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":3}}}`
	chatStream = "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"delta\":{\"content\":\"Hi\\ndata: [DONE]\"}}],\"usage\":null}\n\n" +
		": keep-alive\n\ndata: {\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":42}}\n\ndata: [DONE]\n\n"
	silentStream    = "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{}]}\r\n\r\ndata: [DONE]\r\n\r\n"
	cutStream       = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\n"
	responsesStream = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"object\":\"response\",\"usage\":null}}\n\n" +
		"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"model\":\"gpt-5\",\"usage\":{\"input_tokens\":37,\"input_tokens_details\":{\"cached_tokens\":9},\"output_tokens\":11}}}\n\n"
	messageStream = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-x\",\"usage\":{\"input_tokens\":25,\"cache_read_input_tokens\":100,\"cache_creation_input_tokens\":5,\"output_tokens\":1}}}\n\n" +
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"Hello\"}}\n\n" +
		"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":15}}\n\n"
	messageStop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	ollamaLines = `{"model":"llama3.2","created_at":"2026","message":{"content":"The"},"done":false}` + "\n" +
		`{"model":"llama3.2","created_at":"2026","message":{"content":""},"done":true,"total_duration":4883583458,"prompt_eval_count":26,"eval_count":282}` + "\n"
)

func TestModels(t *testing.T) {
	chat := func(name, fields, reply, want string) exchange {
		return exchange{name: name, request: "POST /v1/chat/completions", fields: json, body: ask, response: fields, reply: reply, want: want}
	}
	runTable(t, []exchange{
		chat("chat", json, chatAnswer, "openai chat gpt-4o [19 10 0 0]"),
		chat("stream", events, chatStream, "openai chat gpt-4o [7 42 0 0]"),
		chat("stream without usage", events, silentStream, "openai chat gpt-4o [0 0 0 1]"),
		chat("stream without an end", events, cutStream, "openai chat gpt-4o [0 0 1 0]"),
		chat("answer cut", json, chatAnswer[:len(chatAnswer)-2], "openai chat gpt-4o [0 0 1 0]"),
		chat("answer without usage", json, `{"object":"chat.completion"}`, "openai chat gpt-4o [0 0 0 1]"),
		chat("compressed", json+"Content-Encoding: gzip\r\n", "\x1f\x8bxxxx", "openai chat gpt-4o [0 0 1 0]"),
		chat("usage that is no number", json, `{"usage":{"prompt_tokens":1.5,"completion_tokens":-3}}`, "openai chat gpt-4o [0 0 0 1]"),
		chat("absurd usage", json, `{"usage":{"prompt_tokens":99999999999999999999999}}`, "openai chat gpt-4o [0 0 0 1]"),
		{name: "no response", request: "POST /v1/chat/completions", fields: json, body: ask, want: "openai chat gpt-4o"},
		{name: "too many requests", request: "POST /v1/chat/completions", fields: json, body: ask, response: json, status: 429, reply: `{"error":{}}`, want: "openai chat gpt-4o"},
		{name: "Groq", request: "POST /openai/v1/chat/completions", fields: json, body: ask, response: json, reply: chatAnswer, want: "openai chat gpt-4o [19 10 0 0]"},
		{name: "Azure", request: "POST /openai/deployments/d/chat/completions?api-version=1", fields: json, body: `{"messages":[]}`, response: json, reply: chatAnswer, want: "openai chat gpt-4o-2024-08-06 [19 10 0 0]"},
		{name: "completions", request: "POST /v1/completions", fields: json, body: `{"model":"m","prompt":"x"}`, response: json, reply: `{"object":"text_completion","usage":{"prompt_tokens":5,"completion_tokens":7}}`, want: "openai text_completion m [5 7 0 0]"},
		{name: "embeddings", request: "POST /v1/embeddings", fields: json, body: `{"model":"e","input":["x"]}`, response: json, reply: `{"object":"list","data":[{"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":8,"total_tokens":8}}`, want: "openai embeddings e [8 0 0 0]"},
		{name: "responses", request: "POST /v1/responses", fields: json, body: `{"model":"gpt-5","input":"x"}`, response: json, reply: `{"object":"response","usage":{"input_tokens":36,"output_tokens":87}}`, want: "openai chat gpt-5 [36 87 0 0]"},
		{name: "responses streamed", request: "POST /v1/responses", fields: json, body: `{"model":"gpt-5","input":[{}]}`, response: events, reply: responsesStream, want: "openai chat gpt-5 [37 11 0 0]"},
		{name: "messages", request: "POST /v1/messages", fields: claude, body: `{"model":"claude-x","messages":[]}`, response: json, reply: `{"type":"message","usage":{"input_tokens":12,"cache_read_input_tokens":8,"output_tokens":6}}`, want: "anthropic chat claude-x [20 6 0 0]"},
		{name: "messages streamed", request: "POST /v1/messages", fields: claude, body: `{"model":"claude-x","messages":[]}`, response: events, reply: messageStream + messageStop, want: "anthropic chat claude-x [130 15 0 0]"},
		{name: "messages cut", request: "POST /v1/messages", fields: claude, body: `{"model":"claude-x","messages":[]}`, response: events, reply: messageStream, want: "anthropic chat claude-x [0 0 1 0]"},
		{name: "Ollama", request: "POST /api/chat", fields: json, body: `{"model":"llama3.2","messages":[]}`, response: lines, reply: ollamaLines, want: "ollama chat llama3.2 [26 282 0 0]"},
		{name: "Ollama cut", request: "POST /api/chat", fields: json, body: `{"model":"llama3.2","messages":[]}`, response: lines, reply: ollamaLines[:120], want: "ollama chat llama3.2 [0 0 1 0]"},
		{name: "Ollama at once", request: "POST /api/generate", fields: json, body: `{"model":"llama3.2","prompt":"x","stream":false}`, response: json, reply: ollamaLines[strings.Index(ollamaLines, "\n")+1:], want: "ollama text_completion llama3.2 [26 282 0 0]"},
		{name: "Ollama's embeddings", request: "POST /api/embed", fields: json, body: `{"model":"m","input":"x"}`, response: json, reply: `{"model":"m","embeddings":[[0.1]],"total_duration":1,"prompt_eval_count":8}`, want: "ollama embeddings m [8 0 0 0]"},

		// near misses
		{name: "chat without a model", request: "POST /v1/chat/completions", fields: json, body: `{"messages":[]}`, response: json, reply: `{}`},
		{name: "completions of a course", request: "POST /v1/completions", fields: json, body: `{"course":1,"user":2}`, response: json, reply: `{"object":"list"}`},
		{name: "messages of a messenger", request: "POST /v1/messages", fields: json, body: `{"model":"x","messages":[]}`, response: json, reply: `{"type":"message"}`},
		{name: "survey", request: "POST /v1/responses", fields: json, body: `{"survey":1,"input":"x"}`, response: json, reply: `{"object":"response"}`},
		{name: "chat of a web application", request: "POST /api/chat", fields: json, body: `{"model":"gpt-4o","messages":[]}`, response: events, reply: "data: {\"type\":\"text\",\"done\":true}\n\n"},
		{name: "another with JSON", request: "POST /api/chat", fields: json, body: `{"model":"gpt-4o","messages":[]}`, response: json, reply: `{"text":"hello","done":true}`},
		{name: "generator", request: "POST /api/generate", fields: json, body: `{"model":"car","prompt":"x"}`, response: json, reply: `{"created_at":"2026","id":1}`},
		{name: "list", request: "GET /v1/chat/completions", response: json, reply: `{"object":"list"}`},
	})
}

// Where bytes are missing, no number is told, wherever it is; and the connection is asked for when the request begins.
func TestTokensAreNotGuessed(t *testing.T) {
	for name, c := range map[string]exchange{
		"stream": {request: "POST /v1/chat/completions", fields: json, body: ask, response: events, reply: chatStream},
		"whole":  {request: "POST /v1/chat/completions", fields: json, body: ask, response: json, reply: chatAnswer},
		"claude": {request: "POST /v1/messages", fields: claude, body: `{"model":"claude-x","messages":[]}`, response: events, reply: messageStream + messageStop},
	} {
		request, response := c.calls(false)
		head := strings.Index(response, "\r\n\r\n") + 4
		for at := head; at < len(response); at += 5 {
			v := &viewer{views: map[uint64]*protocol.View{}}
			p := http1.Protocol{}.NewParser(protocol.Start{})
			p.Data(protocol.ToServer, []byte(request), v)
			n := min(5, len(response)-at)
			p.Data(protocol.FromServer, []byte(response[:at]), v)
			p.Gap(protocol.FromServer, uint32(n), nil, v)
			if at+n < len(response) {
				p.Data(protocol.FromServer, []byte(response[at+n:]), v)
			}
			if view := v.views[1]; view == nil || view.Counts != [protocol.MaxCounts]uint64{2: 1} {
				t.Fatalf("%s without the bytes %d to %d: %s", name, at, at+n, describe(view))
			}
			if !v.whole {
				t.Fatalf("%s: the connection is not asked for", name)
			}
		}
	}
}

// Nothing that a reader keeps holds what people say or what lets them in.
func TestNoContentIsKept(t *testing.T) {
	const secret = "geheim"
	for _, x := range []exchange{
		{request: "POST /v1/chat/completions", fields: json + "Authorization: Bearer " + secret + "\r\n", body: `{"model":"m","messages":[{"content":"` + secret + `"}],"` + secret + `":1}`, response: json, reply: `{"usage":{},"x":"` + secret + `"}`},
		{request: "POST /graphql", fields: json, body: `{"query":"query A { a(x: \"` + secret + `\") { b } }","variables":{"x":"` + secret + `"}}`, response: json, reply: `{"errors":[{"message":"` + secret + `"}]}`},
		{request: "POST /orders/_search", fields: json, body: `{"query":"` + secret + `"}`, response: es, reply: `{"took":1,"x":"` + secret + `"}`},
	} {
		v := x.play(1<<20, false)
		if v.views[1] == nil {
			t.Errorf("%s is nothing", x.request)
		}
		if s := fmt.Sprintf("%+v", v.views[1]); strings.Contains(s, secret) {
			t.Errorf("%s: %s", x.request, s)
		}
	}
}
