package agent

import (
	"context"
	"fmt"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
)

// ask makes the next model call on a conversation that fits the model. Where
// the API finds it too long all the same, the conversation is compacted and
// sent once more.
func (t *turn) ask(ctx context.Context) (parts []openclaw.Part, end openclaw.ModelEvent, err error) {
	if err := t.makeRoom(ctx); err != nil {
		return nil, end, err
	}
	parts, end, err = t.answer(ctx)
	if openclaw.CodeOf(err) != openclaw.CodeContextOverflow || t.overflowed {
		return parts, end, err
	}
	t.overflowed = true
	t.agent.config.Logger.Info("conversation too long for the model", "session", t.in.Session, "model", t.choice.Name, "err", err)
	shortened, failed := t.compact(ctx, min(t.threshold(), t.size())/2, "")
	switch {
	case failed != nil:
		return nil, end, failed
	case !shortened:
		return nil, end, &openclaw.Error{
			Code: openclaw.CodeContextOverflow, Err: err,
			Message: "this message alone is too long for the model; send less at once, or choose a model with a larger context window",
		}
	}
	return t.answer(ctx)
}

// makeRoom compacts the conversation when it has grown to the threshold. What
// cannot be made smaller than that is left to grow half way to the window
// before it is tried again.
func (t *turn) makeRoom(ctx context.Context) error {
	limit := t.threshold()
	if t.size() <= max(limit, t.bar) {
		return nil
	}
	if _, err := t.compact(ctx, limit/2, ""); err != nil {
		return err
	}
	if size := t.size(); size > limit*9/10 {
		t.bar = (size + t.choice.window()) / 2
	}
	return nil
}

// compact leaves older turns out of what the model reads, so that the next
// request has about target tokens, and says whether it could. The newest turn
// stays word for word as far as it fits; if it does not, its newest steps do.
// The log keeps everything.
func (t *turn) compact(ctx context.Context, target int, focus string) (bool, error) {
	keep := max(target-t.fixed()-summaryTokens, target/4)
	n, limit := t.in.Transcript.cut(t.estimated(keep))
	return t.cutBefore(ctx, n, limit, focus)
}

// cutBefore puts a summary in place of the first n messages and cuts the
// results in the others to limit bytes.
func (t *turn) cutBefore(ctx context.Context, n, limit int, focus string) (bool, error) {
	tr := t.in.Transcript
	if n == 0 && limit == 0 {
		return false, nil
	}
	body := openclaw.Compacted{Summary: "(Nothing was left out; long tool results were cut.)", Limit: limit, Dir: tr.dir}
	if n > 0 {
		text, err := t.sumUp(ctx, tr.messages[:n], focus)
		if err != nil {
			return false, err
		}
		body.Summary, body.Usage, body.Charges = text, t.unpaid, t.carry()
		t.unpaid = nil
		if request := tr.request(n); request != "" {
			body.Summary += "\n\n" + requestHead + clip(request, maxDigest)
		}
	} else if earlier := tr.summary(); earlier != "" {
		n, body.Summary = 1, earlier
	}
	body.BeforeSeq = tr.origins[n].seq
	return true, t.emit(body)
}

// sumUp returns the model's summary of messages, or a digest where there is
// none that is of use. Only the end of ctx is an error.
func (t *turn) sumUp(ctx context.Context, messages []openclaw.Message, focus string) (string, error) {
	whole := 0
	for _, m := range messages {
		whole += len(recordOf(m))
	}
	text, err := t.summarise(ctx, messages, focus)
	if cause := context.Cause(ctx); cause != nil {
		return "", cause
	}
	if err == nil && len(text) < whole {
		return text, nil
	}
	t.agent.config.Logger.Info("conversation summed up without the model", "session", t.in.Session, "err", err)
	return digest(messages, max(whole/2, 2*maxDigestLine)), nil
}

// compactCommand is the chat text that asks for a compaction, with what the
// summary should keep after it.
const compactCommand = "/compact"

// AsksToCompact says whether a client's text is the command that compacts its
// conversation, and what the summary should keep above all. Whoever gives
// texts a meaning of their own, as skills do, leaves it alone.
func AsksToCompact(text string) (focus string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), compactCommand)
	focus = strings.TrimSpace(rest)
	return focus, ok && (rest == "" || focus != rest) // and not the beginning of another word
}

// compaction says whether the turn asks for one, and with which focus.
func compaction(b openclaw.TurnStarted) (focus string, ok bool) {
	if b.Source != openclaw.SourceClient || b.Prompt != "" {
		return "", false
	}
	return AsksToCompact(b.Text)
}

// compactNow carries out the command: everything before the turn is summed
// up.
func (t *turn) compactNow(ctx context.Context, focus string) error {
	if t.text != "" { // said before the gateway stopped
		return nil
	}
	tr := t.in.Transcript
	n := len(tr.messages) - 1
	for n > 0 && tr.origins[n].begins != beginsTurn {
		n--
	}
	t.text = "There is nothing to compact yet."
	switch before := estimateAll(tr.messages[:n]); {
	case t.compacted:
		t.text = "The conversation is compacted."
	case n > 1 || n == 1 && tr.origins[0].begins != beginsNothing:
		shortened, err := t.cutBefore(ctx, n, 0, focus)
		if err != nil {
			return err
		}
		if shortened {
			t.text = fmt.Sprintf("Compacted: %d messages, about %d tokens, are now a summary of about %d. The log keeps all of them.",
				n, before, estimateAll(tr.messages[:1]))
		}
	}
	t.step++
	return t.emit(openclaw.TextWritten{Text: t.text, Step: openclaw.Step{N: t.step}})
}
