package anthropic

import openclaw "github.com/openclaw/openclaw-go"

// tokens are the API's counters, those it has sent.
type tokens struct {
	Input      *int `json:"input_tokens"`
	Output     *int `json:"output_tokens"`
	CacheRead  *int `json:"cache_read_input_tokens"`
	CacheWrite *int `json:"cache_creation_input_tokens"`
}

// merge takes over the counters present in data. They only ever grow within an
// answer, so a smaller one, such as the zeros some servers fill in at the end,
// is passed over.
func (t *tokens) merge(data []byte) error {
	var now tokens
	if err := decode(data, &now); err != nil {
		return err
	}
	for _, c := range []struct{ kept, now **int }{
		{&t.Input, &now.Input}, {&t.Output, &now.Output}, {&t.CacheRead, &now.CacheRead}, {&t.CacheWrite, &now.CacheWrite},
	} {
		if *c.now != nil && (*c.kept == nil || **c.now > **c.kept) {
			*c.kept = *c.now
		}
	}
	return nil
}

func (t *tokens) total() openclaw.Usage {
	value := func(p *int) int {
		if p == nil {
			return 0
		}
		return max(*p, 0)
	}
	read, write := value(t.CacheRead), value(t.CacheWrite)
	return openclaw.Usage{Input: value(t.Input) + read + write, Output: value(t.Output), CacheRead: read, CacheWrite: write}
}
