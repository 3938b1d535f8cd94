package dialect

import "strings"

// OpenAI's API, which many servers of models offer too: vLLM, llama.cpp, LiteLLM, Azure, Groq and others.
var openai = llm("openai", []string{
	"chat completions, completions, embeddings and responses of OpenAI's API, whoever offers it: the provider is openai for all of them",
	"/v1/… below any prefix, and Azure's /openai/deployments/…",
})

var (
	openaiChat       = &llmAPI{names: openai, operation: "chat"}
	openaiText       = &llmAPI{names: openai, operation: "text_completion"}
	openaiEmbeddings = &llmAPI{names: openai, operation: "embeddings"}
	azureChat        = &llmAPI{names: openai, operation: "chat", inPath: true}
	azureText        = &llmAPI{names: openai, operation: "text_completion", inPath: true}
	azureEmbeddings  = &llmAPI{names: openai, operation: "embeddings", inPath: true}
)

func beginOpenAI(r Request) Reader {
	api := openaiOf(r.Path)
	if api == nil {
		return nil
	}
	return newLLM(api, r)
}

func openaiOf(path string) *llmAPI {
	isAzure := strings.Contains(path, "/openai/deployments/")
	switch {
	case isAzure && strings.HasSuffix(path, "/chat/completions"):
		return azureChat
	case isAzure && strings.HasSuffix(path, "/completions"):
		return azureText
	case isAzure && strings.HasSuffix(path, "/embeddings"):
		return azureEmbeddings
	case strings.HasSuffix(path, "/chat/completions"):
		return openaiChat
	case strings.HasSuffix(path, "/v1/responses"):
		return openaiChat // OpenTelemetry's conventions for OpenAI
	case strings.HasSuffix(path, "/v1/completions"):
		return openaiText
	case strings.HasSuffix(path, "/v1/embeddings"):
		return openaiEmbeddings
	}
	return nil
}
