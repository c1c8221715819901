package anthropic

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/packages/param"

	openclaw "github.com/openclaw/openclaw-go"
)

// params builds the request. The same history gives the same bytes in front,
// whatever is appended to it: only the cache marks move, and the API does not
// count those as part of the prompt.
func (a *Adapter) params(p *plan) anthropic.MessageNewParams {
	messages := a.messages(p)
	maxTokens, budget := p.limits()
	params := anthropic.MessageNewParams{
		Model:     p.req.Model,
		MaxTokens: int64(maxTokens),
		Messages:  messages,
		Tools:     tools(p.req.Tools),
	}
	if len(params.Tools) == 0 {
		declareUsed(&params)
	}
	if p.req.System != "" {
		params.System = []anthropic.TextBlockParam{{Text: p.req.System, CacheControl: anthropic.NewCacheControlEphemeralParam()}}
	}
	setThinking(&params, p, budget)
	if t := p.temperature(); t != nil && params.Thinking.OfEnabled == nil {
		params.Temperature = anthropic.Float(*t)
	}
	return params
}

func setThinking(params *anthropic.MessageNewParams, p *plan, budget int) {
	switch level := p.level(); {
	case level == "":
		switch p.offType() {
		case offDisabled:
			params.Thinking.OfDisabled = &anthropic.ThinkingConfigDisabledParam{}
		case offBetweenTools:
			between := anthropic.NewThinkingConfigBetweenToolsParam()
			params.Thinking.OfBetweenTools = &between
		}
	case p.traits.mode == modeAdaptive:
		params.Thinking.OfAdaptive = &anthropic.ThinkingConfigAdaptiveParam{}
		if p.traits.effort {
			params.OutputConfig.Effort = anthropic.OutputConfigEffort(level)
		}
	case budget > 0 && opensWithThinking(params.Messages):
		params.Thinking = anthropic.ThinkingConfigParamOfEnabled(int64(budget))
	}
}

// opensWithThinking says whether the answer in progress, the last one if it
// waits for the results of its calls, begins with a thinking block. The API
// refuses to think with a budget from the middle of an answer on, which
// happens when another provider began it.
func opensWithThinking(messages []anthropic.MessageParam) bool {
	if len(messages) < 2 {
		return true
	}
	last, before := messages[len(messages)-1], messages[len(messages)-2]
	if len(last.Content) == 0 || last.Content[0].OfToolResult == nil || len(before.Content) == 0 {
		return true
	}
	first := before.Content[0]
	return first.OfThinking != nil || first.OfRedactedThinking != nil
}

func tools(specs []openclaw.ToolSpec) []anthropic.ToolUnionParam {
	var list []anthropic.ToolUnionParam
	for _, spec := range specs {
		schema := spec.Parameters
		if !isObject(schema) {
			schema = anyObject
		}
		tool := &anthropic.ToolParam{
			Name: spec.Name,
			// The schema goes out as it is: the SDK's own type would reorder it.
			InputSchema: param.Override[anthropic.ToolInputSchemaParam](schema),
		}
		if spec.Description != "" {
			tool.Description = anthropic.String(spec.Description)
		}
		list = append(list, anthropic.ToolUnionParam{OfTool: tool})
	}
	if len(list) > 0 {
		list[len(list)-1].OfTool.CacheControl = anthropic.NewCacheControlEphemeralParam()
	}
	return list
}

var anyObject = json.RawMessage(`{"type":"object"}`)

// declareUsed declares the tools that a conversation used, for a request that
// offers none, such as one for a summary: the API refuses calls of tools that
// are not declared.
func declareUsed(params *anthropic.MessageNewParams) {
	var names []string
	for _, m := range params.Messages {
		for _, b := range m.Content {
			if b.OfToolUse != nil && !slices.Contains(names, b.OfToolUse.Name) {
				names = append(names, b.OfToolUse.Name)
			}
		}
	}
	for _, name := range names {
		params.Tools = append(params.Tools, anthropic.ToolUnionParam{OfTool: &anthropic.ToolParam{
			Name: name, InputSchema: param.Override[anthropic.ToolInputSchemaParam](anyObject),
		}})
		none := anthropic.NewToolChoiceNoneParam()
		params.ToolChoice = anthropic.ToolChoiceUnionParam{OfNone: &none}
	}
}

// messages translates the conversation: messages of one side in a row become
// one, and what the API would refuse as empty is left out.
func (a *Adapter) messages(p *plan) []anthropic.MessageParam {
	var list []anthropic.MessageParam
	for _, m := range p.req.Messages {
		role := anthropic.MessageParamRoleUser
		if m.Role == openclaw.RoleAssistant {
			role = anthropic.MessageParamRoleAssistant
		}
		var blocks []anthropic.ContentBlockParamUnion
		for i := range m.Parts {
			if block, ok := a.block(&m.Parts[i], p.noReplay); ok {
				blocks = append(blocks, block)
			}
		}
		switch last := len(list) - 1; {
		case len(blocks) == 0:
		case last >= 0 && list[last].Role == role:
			list[last].Content = append(list[last].Content, blocks...)
		default:
			list = append(list, anthropic.MessageParam{Role: role, Content: blocks})
		}
	}
	markMessages(list)
	return list
}

// markMessages sets the cache marks of the conversation: the end, where the
// next request begins to differ, and the end of what the request before this
// one sent, where its cache entry is found. With the marks of the system text
// and the tools these are the four the API allows.
func markMessages(list []anthropic.MessageParam) {
	marks := 0
	for i := len(list) - 1; i >= 0 && marks < 2; i-- {
		if i < len(list)-1 && list[i].Role != anthropic.MessageParamRoleUser {
			continue
		}
		if markLast(list[i].Content) {
			marks++
		}
	}
}

// markLast marks the last block that can bear a mark; thinking blocks cannot.
func markLast(blocks []anthropic.ContentBlockParamUnion) bool {
	for i := len(blocks) - 1; i >= 0; i-- {
		if mark := blocks[i].GetCacheControl(); mark != nil {
			*mark = anthropic.NewCacheControlEphemeralParam()
			return true
		}
	}
	return false
}

// block translates a part; ok is false for a part the API must not see.
func (a *Adapter) block(part *openclaw.Part, noReplay bool) (block anthropic.ContentBlockParamUnion, ok bool) {
	switch part.Kind {
	case openclaw.PartText:
		return anthropic.NewTextBlock(part.Text), strings.TrimSpace(part.Text) != ""
	case openclaw.PartImage:
		if part.Image == nil {
			return block, false
		}
		return anthropic.NewImageBlockBase64(part.Image.MediaType, base64.StdEncoding.EncodeToString(part.Image.Data)), true
	case openclaw.PartThinking:
		if noReplay || part.Provider != a.name {
			return block, false
		}
		return thinkingBlock(part)
	case openclaw.PartToolCall:
		if part.Call == nil {
			return block, false
		}
		args := part.Call.Args
		if !isObject(args) {
			args = json.RawMessage(`{}`)
		}
		return anthropic.NewToolUseBlock(wireName(part.Call.ID), args, wireName(part.Call.Tool)), true
	case openclaw.PartToolResult:
		if part.Result == nil {
			return block, false
		}
		return resultBlock(part.Result), true
	}
	return block, false
}

// opaque is what a thinking part keeps for the API.
type opaque struct {
	Signature string `json:"signature,omitempty"`
	Redacted  string `json:"redacted,omitempty"`
}

func thinkingBlock(part *openclaw.Part) (block anthropic.ContentBlockParamUnion, ok bool) {
	var kept opaque
	if len(part.Opaque) > 0 && json.Unmarshal(part.Opaque, &kept) != nil {
		return block, false
	}
	if kept.Redacted != "" {
		return anthropic.NewRedactedThinkingBlock(kept.Redacted), true
	}
	return anthropic.NewThinkingBlock(kept.Signature, part.Text), true
}

func resultBlock(result *openclaw.Result) anthropic.ContentBlockParamUnion {
	block := &anthropic.ToolResultBlockParam{ToolUseID: wireName(result.CallID)}
	text := result.Output
	if result.ExitCode != 0 {
		block.IsError = anthropic.Bool(true)
		if strings.TrimSpace(text) == "" {
			text = "failed without output" // an error without content is refused
		}
	}
	if strings.TrimSpace(text) != "" {
		block.Content = []anthropic.ToolResultBlockParamContentUnion{{OfText: &anthropic.TextBlockParam{Text: text}}}
	}
	return anthropic.ContentBlockParamUnion{OfToolResult: block}
}

// wireName makes an id or a tool name acceptable: other providers' models use
// characters that this API refuses.
func wireName(name string) string {
	if name == "" {
		return "unnamed"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '_'
	}, name)
}

func isObject(data []byte) bool {
	return strings.HasPrefix(strings.TrimSpace(string(data[:min(len(data), 64)])), "{") && json.Valid(data)
}
