package dialect

import "strings"

// Anthropic's messages. Input tokens include those that a cache saved or took up, as OpenTelemetry's conventions want it.
var anthropic = llm("anthropic", []string{"messages of Anthropic's API, told by its header anthropic-version too; cached input tokens are counted in"})

var anthropicChat = &llmAPI{names: anthropic, operation: "chat"}

func beginAnthropic(r Request) Reader {
	if r.Signs&signAnthropic == 0 || !strings.HasSuffix(r.Path, "/v1/messages") {
		return nil
	}
	return newLLM(anthropicChat, r)
}
