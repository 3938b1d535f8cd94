package dialect

// Ollama's own API. Its paths are common, so the response must show that it is Ollama's.
var ollama = llm("ollama", []string{"/api/chat, /api/generate and /api/embed of Ollama, where the response was read and shows it"})

var (
	ollamaChat     = &llmAPI{names: ollama, operation: "chat", needsSaid: true}
	ollamaGenerate = &llmAPI{names: ollama, operation: "text_completion", needsSaid: true}
	ollamaEmbed    = &llmAPI{names: ollama, operation: "embeddings", needsSaid: true}
)

func beginOllama(r Request) Reader {
	switch r.Path {
	case "/api/chat":
		return newLLM(ollamaChat, r)
	case "/api/generate":
		return newLLM(ollamaGenerate, r)
	case "/api/embed":
		return newLLM(ollamaEmbed, r)
	}
	return nil
}
