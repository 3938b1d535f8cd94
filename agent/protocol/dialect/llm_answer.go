package dialect

// llmAnswer visits the response: one value, or one for each event or line of a stream. What a later one says takes the place of what an
// earlier one said: where numbers come several times, they are totals so far.
type llmAnswer llmReader

func (d *llmAnswer) open(s *scanner, kind byte) bool {
	if s.depth == 0 || s.depth > 3 {
		return false
	}
	d.to = nil
	switch {
	case kind == '"':
		d.openText(s)
	case kind >= '0' && kind <= '9':
		d.openNumber(s)
	case d.api.names == ollama && (kind == 't' || kind == 'f') && s.at("done"):
		d.hasDone, d.isLast = true, kind == 't'
	case d.api.names == ollama && kind == '[' && s.at("embeddings"):
		d.isLast = true
	}
	return d.to != nil
}

func (d *llmAnswer) openText(s *scanner) {
	switch {
	case s.at("model"), s.at("message", "model"), s.at("response", "model"):
		d.answered = name{}
		d.to = &d.answered
	case s.at("object"), s.at("type"), s.at("response", "object"):
		d.word = name{}
		d.to = &d.word
	case s.at("created_at"):
		d.hasCreated = true
	}
}

func (d *llmAnswer) openNumber(s *scanner) {
	d.number, d.isNumber = 0, true
	if s.depth == 1 {
		if d.api.names == ollama {
			d.openOllama(s)
		}
		return
	}
	if !s.inObject(s.depth) || !s.inObject(s.depth-1) || !s.is(s.depth-1, "usage") || s.depth == 3 && !s.is(1, "message") && !s.is(1, "response") {
		return
	}
	switch {
	case s.is(s.depth, "prompt_tokens"), s.is(s.depth, "input_tokens"):
		d.to = &d.input
	case s.is(s.depth, "completion_tokens"), s.is(s.depth, "output_tokens"):
		d.to = &d.output
	case d.api.names == anthropic && s.is(s.depth, "cache_read_input_tokens"):
		d.to = &d.cached
	case d.api.names == anthropic && s.is(s.depth, "cache_creation_input_tokens"):
		d.to = &d.stored
	}
}

func (d *llmAnswer) openOllama(s *scanner) {
	switch {
	case s.at("prompt_eval_count"):
		d.to = &d.input
	case s.at("eval_count"):
		d.to = &d.output
	case s.at("total_duration"):
		d.isSaid = true
	}
}

func (d *llmAnswer) text(b []byte) {
	if n, ok := d.to.(*name); ok {
		n.addAll(b)
		return
	}
	const most = 1e12 // no operation has as many tokens
	for _, c := range b {
		d.isNumber = d.isNumber && isDigit(c) && d.number < most
		d.number = d.number*10 + uint64(c-'0')
	}
}

func (d *llmAnswer) shut() {
	switch to := d.to.(type) {
	case *uint64:
		if d.isNumber {
			*to, d.hasUsage = d.number, true
		}
	case *name:
		if to == &d.word {
			d.judge(to.String())
		}
	}
	d.to = nil
}

// judge looks at the kind of an object or of an event.
func (d *llmAnswer) judge(word string) {
	switch word {
	case "chat.completion", "chat.completion.chunk", "text_completion", "response", "list":
		d.isSaid = d.isSaid || d.api.names == openai
	case "message", "message_start":
		d.isSaid = d.isSaid || d.api.names == anthropic
	case "message_stop":
		d.isComplete = d.isComplete || d.api.names == anthropic
	case "response.completed", "response.incomplete", "response.failed":
		d.isComplete = d.isComplete || d.api.names == openai
	}
}

// end is called when a value is over. Alone, it is the response.
func (d *llmAnswer) end() {
	switch {
	case d.api.names == ollama:
		d.isSaid = d.isSaid || d.hasDone && d.hasCreated
		d.isComplete = d.isLast
	case !d.isStream:
		d.isComplete = true
	}
}
