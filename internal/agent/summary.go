package agent

import (
	"context"
	_ "embed" // what the writer of a summary is told
	"errors"
	"fmt"
	"strings"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/fence"
)

//go:embed summary.md
var summaryRules string

// The bounds of the model call that writes a summary.
const (
	summaryTime   = time.Minute
	summaryTokens = 1200
	maxSummary    = 8 << 10 // bytes that are kept of it
	maxRecord     = 192 << 10
)

// summaryRequestHead is the first line of the message that asks for a
// summary: the offline model knows it by that.
const summaryRequestHead = "# Summary"

// The most bytes that the record shows of one message.
const (
	recordedText   = 3000
	recordedArgs   = 400
	recordedResult = 800
)

// errNoSummary says that the model's summary is of no use.
var errNoSummary = errors.New("the model wrote no summary of use")

// summarise lets the model sum up messages: the one that the turn asks, and
// where it fails those that would take over. They have no tools and summaryTime
// in all. An error says only that there is no such summary.
func (t *turn) summarise(ctx context.Context, messages []openclaw.Message, focus string) (text string, err error) {
	ctx, cancel := context.WithTimeout(ctx, summaryTime)
	defer cancel()
	first := t.choice
	defer func() { t.choice = first }()
	for _, c := range append([]Choice{first}, t.spare...) {
		t.choice = c
		if text, err = t.writeSummary(ctx, messages, focus); err == nil || ctx.Err() != nil {
			break
		}
	}
	return text, err
}

// writeSummary asks one model, within the budget.
func (t *turn) writeSummary(ctx context.Context, messages []openclaw.Message, focus string) (string, error) {
	req := &openclaw.Request{
		Model: t.choice.Name, System: strings.TrimSpace(summaryRules), MaxTokens: summaryTokens, Thinking: "off",
		Temperature: t.agent.config.Temperature,
		Messages:    []openclaw.Message{openclaw.Text(openclaw.RoleUser, t.summaryRequest(messages, focus))},
	}
	settle, err := t.reserve(ctx, req)
	if err != nil {
		return "", err
	}
	var end openclaw.ModelEvent
	heard := 0 // bytes
	defer func() { settle(end, heard) }()
	var out strings.Builder
	for ev, err := range t.choice.Model.Stream(ctx, req) {
		if err != nil {
			return "", err
		}
		heard += len(ev.Delta)
		switch {
		case ev.Part != nil && ev.Part.Kind == openclaw.PartText:
			out.WriteString(ev.Part.Text)
		case ev.Stop != "":
			end = ev
		}
		if heard > 4*maxSummary {
			return "", errNoSummary
		}
	}
	text := strings.TrimSpace(out.String())
	if text == "" {
		return "", errNoSummary
	}
	return clip(text, maxSummary), nil
}

// summaryRequest is what the writer of the summary reads.
func (t *turn) summaryRequest(messages []openclaw.Message, focus string) string {
	limit := min(maxRecord, t.choice.window()*3/2) // half of the window, at three bytes a token
	text := summaryRequestHead + "\n\n" + fence.Wrap("Record of the conversation", record(messages, limit))
	if focus != "" {
		text += "\n\nThe owner asks that the summary keeps above all: " + focus
	}
	return text
}

// record writes messages down as text of about limit bytes. Long messages are
// cut; where that is not enough, those in the middle are left out.
func record(messages []openclaw.Message, limit int) string {
	entries := make([]string, len(messages))
	total := 0
	for i, m := range messages {
		entries[i] = recordOf(m)
		total += len(entries[i])
	}
	first := 0
	for size := 0; first < len(entries) && size+len(entries[first]) <= limit/4; first++ {
		size += len(entries[first])
	}
	last := first
	for total > limit && last < len(entries) {
		total -= len(entries[last])
		last++
	}
	if last == first {
		return strings.Join(entries, "\n")
	}
	gap := fmt.Sprintf("[… %d messages left out …]\n", last-first)
	return strings.Join(entries[:first], "\n") + gap + strings.Join(entries[last:], "\n")
}

func recordOf(m openclaw.Message) string {
	var out strings.Builder
	for _, p := range m.Parts {
		switch {
		case p.Kind == openclaw.PartText && m.Role == openclaw.RoleUser:
			if label, text, ok := fence.Unwrap(p.Text); ok && label == summaryLabel {
				fmt.Fprintf(&out, "EARLIER SUMMARY: %s\n", clip(text, maxSummary))
				continue
			}
			fmt.Fprintf(&out, "OWNER: %s\n", clip(p.Text, recordedText))
		case p.Kind == openclaw.PartText:
			fmt.Fprintf(&out, "AGENT: %s\n", clip(p.Text, recordedText))
		case p.Call != nil:
			fmt.Fprintf(&out, "CALL %s %s\n", p.Call.Tool, clip(string(p.Call.Args), recordedArgs))
		case p.Result != nil:
			fmt.Fprintf(&out, "RESULT (exit %d): %s\n", p.Result.ExitCode, clip(p.Result.Output, recordedResult))
		}
	}
	return out.String()
}
