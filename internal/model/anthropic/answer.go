package anthropic

import (
	"crypto/rand"
	stdjson "encoding/json"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	openclaw "github.com/openclaw/openclaw-go"
)

// answer puts the events of a stream together. Blocks are told apart by the
// index in the event, and finished ones leave in the order they began.
type answer struct {
	asked    string
	provider string

	blocks []*block // begun and not yet emitted
	usage  tokens
	model  string
	stop   string
	calls  int
}

// block is one piece of content being received.
type block struct {
	index    int
	kind     string
	text     strings.Builder // text, thinking, or the arguments of a call
	given    string          // arguments that came whole with the beginning
	id, name string
	opaque   opaque
	splice   splice
	done     bool
}

// The events, as far as they are read.
type (
	envelope struct {
		Type    string         `json:"type"`
		Index   int            `json:"index"`
		Message jsontext.Value `json:"message"`
		Block   jsontext.Value `json:"content_block"`
		Delta   jsontext.Value `json:"delta"`
		Usage   jsontext.Value `json:"usage"`
		Error   jsontext.Value `json:"error"`
	}
	wireMessage struct {
		Model string         `json:"model"`
		Stop  string         `json:"stop_reason"`
		Usage jsontext.Value `json:"usage"`
	}
	wireBlock struct {
		Type      string         `json:"type"`
		Text      string         `json:"text"`
		Thinking  string         `json:"thinking"`
		Signature string         `json:"signature"`
		Data      string         `json:"data"`
		ID        string         `json:"id"`
		Name      string         `json:"name"`
		Input     jsontext.Value `json:"input"`
	}
	wireDelta struct {
		Type      string         `json:"type"`
		Text      jsontext.Value `json:"text"`
		Thinking  jsontext.Value `json:"thinking"`
		Signature string         `json:"signature"`
		JSON      jsontext.Value `json:"partial_json"`
		Stop      string         `json:"stop_reason"`
	}
)

// The types of content block that are read; any other is passed over.
const (
	blockText     = "text"
	blockThinking = "thinking"
	blockRedacted = "redacted_thinking"
	blockCall     = "tool_use"
)

// decode reads JSON of a foreign API: unknown and doubled fields pass.
func decode(data []byte, into any) error {
	if len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, into, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// take reads one event and emits what it completes. It says whether that was
// the last event of the answer.
func (a *answer) take(name string, data []byte, emit func(openclaw.ModelEvent) bool) (done bool, err error) {
	var ev envelope
	if err := decode(data, &ev); err != nil {
		return false, err
	}
	if ev.Type == "" {
		ev.Type = name
	}
	switch ev.Type {
	case "message_start":
		err = a.begin(ev.Message)
	case "content_block_start":
		err = a.beginBlock(ev.Index, ev.Block, emit)
	case "content_block_delta":
		err = a.grow(ev.Index, ev.Delta, emit)
	case "content_block_stop":
		if b := a.open(ev.Index); b != nil {
			b.done = true
		}
		err = a.flush(false, emit)
	case "message_delta":
		var d wireDelta
		if err = decode(ev.Delta, &d); err == nil {
			a.sayStop(d.Stop)
			err = a.usage.merge(ev.Usage)
		}
	case "message_stop":
		return true, a.finish(emit)
	case "error":
		err = readFault(ev.Error, data)
	}
	return false, err
}

func (a *answer) sayStop(reason string) {
	if reason != "" {
		a.stop = reason
	}
}

func (a *answer) begin(data []byte) error {
	var m wireMessage
	if err := decode(data, &m); err != nil {
		return err
	}
	a.model = m.Model
	a.sayStop(m.Stop)
	return a.usage.merge(m.Usage)
}

// open returns the unfinished block of an index, or nil.
func (a *answer) open(index int) *block {
	for _, b := range a.blocks {
		if b.index == index && !b.done {
			return b
		}
	}
	return nil
}

func (a *answer) beginBlock(index int, data []byte, emit func(openclaw.ModelEvent) bool) error {
	var w wireBlock
	if err := decode(data, &w); err != nil {
		return err
	}
	if old := a.open(index); old != nil {
		old.done = true // a server that counts wrongly or leaves the stop out
	}
	b := &block{index: index, kind: w.Type, id: w.ID, name: w.Name, opaque: opaque{Signature: w.Signature, Redacted: w.Data}}
	a.blocks = append(a.blocks, b)
	switch {
	case w.Type == blockText:
		return a.say(b, w.Text, emit)
	case w.Type == blockThinking:
		return a.say(b, w.Thinking, emit)
	case w.Type == blockCall && isObject(w.Input):
		b.given = string(w.Input)
	}
	return nil
}

func (a *answer) grow(index int, data []byte, emit func(openclaw.ModelEvent) bool) error {
	var d wireDelta
	if err := decode(data, &d); err != nil {
		return err
	}
	b := a.open(index)
	if b == nil {
		if d.Type != "text_delta" {
			return nil // nothing to which it could belong
		}
		b = &block{index: index, kind: blockText}
		a.blocks = append(a.blocks, b)
	}
	var piece jsontext.Value
	switch { // a delta of another kind than its block is passed over
	case d.Type == "text_delta" && b.kind == blockText:
		piece = d.Text
	case d.Type == "thinking_delta" && b.kind == blockThinking:
		piece = d.Thinking
	case d.Type == "input_json_delta" && b.kind == blockCall:
		piece = d.JSON
	case d.Type == "signature_delta":
		b.opaque.Signature += d.Signature
	}
	text, err := b.splice.join(piece)
	if err != nil {
		return err
	}
	return a.say(b, text, emit)
}

// say adds text to a block and emits it if a person may read it.
func (a *answer) say(b *block, text string, emit func(openclaw.ModelEvent) bool) error {
	b.text.WriteString(text)
	if text == "" || b.kind != blockText {
		return nil
	}
	if !emit(openclaw.ModelEvent{Delta: text}) {
		return errStopped
	}
	return nil
}

// flush emits the finished blocks at the front, or all of them.
func (a *answer) flush(all bool, emit func(openclaw.ModelEvent) bool) error {
	for len(a.blocks) > 0 && (all || a.blocks[0].done) {
		b := a.blocks[0]
		a.blocks = a.blocks[1:]
		if err := a.say(b, b.splice.end(), emit); err != nil {
			return err
		}
		part := a.part(b)
		if part != nil && !emit(openclaw.ModelEvent{Part: part}) {
			return errStopped
		}
	}
	return nil
}

// part translates a finished block, or returns nil for one that says nothing.
func (a *answer) part(b *block) *openclaw.Part {
	switch b.kind {
	case blockText:
		if b.text.Len() == 0 {
			return nil
		}
		return &openclaw.Part{Kind: openclaw.PartText, Text: b.text.String()}
	case blockThinking, blockRedacted:
		kept, err := stdjson.Marshal(b.opaque)
		if err != nil {
			return nil // two strings always marshal
		}
		return &openclaw.Part{Kind: openclaw.PartThinking, Text: b.text.String(), Opaque: kept, Provider: a.provider}
	case blockCall:
		a.calls++
		call := &openclaw.Call{ID: b.id, Tool: b.name, Args: b.args()}
		if call.ID == "" {
			call.ID = "toolu_" + rand.Text()
		}
		return &openclaw.Part{Kind: openclaw.PartToolCall, Call: call}
	}
	return nil
}

// args returns the arguments of a call, always as a JSON object.
func (b *block) args() stdjson.RawMessage {
	raw := strings.TrimSpace(b.text.String())
	switch {
	case raw == "" && b.given != "":
		return stdjson.RawMessage(b.given)
	case raw == "":
		return stdjson.RawMessage(`{}`)
	case isObject([]byte(raw)):
		return stdjson.RawMessage(raw)
	}
	wrapped, err := stdjson.Marshal(map[string]string{openclaw.InvalidArguments: raw})
	if err != nil {
		return stdjson.RawMessage(`{}`) // a map of strings always marshals
	}
	return wrapped
}

// finish emits what is left and the closing event.
func (a *answer) finish(emit func(openclaw.ModelEvent) bool) error {
	if err := a.flush(true, emit); err != nil {
		return err
	}
	last := openclaw.ModelEvent{Stop: a.stopReason(), Usage: a.usage.total()}
	if a.model != a.asked {
		last.Model = a.model
	}
	if !emit(last) {
		return errStopped
	}
	return nil
}

// stopReason goes by what came where the API's word does not fit it: some
// servers end an answer with calls by "end_turn".
func (a *answer) stopReason() openclaw.StopReason {
	switch a.stop {
	case "max_tokens", "model_context_window_exceeded":
		return openclaw.StopLength
	case "refusal":
		return openclaw.StopFilter
	}
	if a.calls > 0 {
		return openclaw.StopToolCall
	}
	return openclaw.StopEnd // end_turn, stop_sequence, pause_turn (server tools only), unknown
}
