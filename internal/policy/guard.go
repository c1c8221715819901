package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	openclaw "github.com/openclaw/openclaw-go"
)

// acting is a tool whose calls can run commands or need more than the sandbox
// gives. Action says what a call comes to, without doing anything that shows;
// Run then does what Call.Approved says and nothing else.
type acting interface {
	openclaw.Tool
	Action(call *openclaw.Call) (*openclaw.Action, error)
}

// Wrap returns the tools with the policy in front of them. The model still
// sees a tool that is denied, so that it can say why it cannot do what it was
// asked for.
func (p *Policy) Wrap(tools []openclaw.Tool) []openclaw.Tool {
	guarded := make([]openclaw.Tool, len(tools))
	for i, tool := range tools {
		guarded[i] = guardedTool{tool, p}
	}
	return guarded
}

// guardedTool is a tool with the policy in front of it.
type guardedTool struct {
	openclaw.Tool
	policy *Policy
}

// Run implements openclaw.Tool. A call that is denied runs nothing and fails
// with APPROVAL_DENIED.
func (g guardedTool) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	checked := *call
	ruling, err := g.judge(&checked)
	if err != nil {
		return nil, err
	}
	var result *openclaw.Result
	switch ruling.Decision {
	case Denies:
		err = denied(ruling.Message)
	case Asks:
		result, err = g.policy.ask(ctx, &checked)
	}
	g.policy.config.Record(Record{
		Session: call.Session, CallID: call.ID, Tool: call.Tool, Args: call.Args,
		Runs: err == nil, Rule: ruling.Rule, Needs: ruling.Needs.Strings(),
	})
	if err != nil {
		return result, err
	}
	return g.Tool.Run(ctx, &checked)
}

// judge says what happens with a call, and sets in it what is judged, asked for
// and run: one value, whatever changes meanwhile.
func (g guardedTool) judge(call *openclaw.Call) (Ruling, error) {
	call.Approved = nil
	if tool, acts := g.Tool.(acting); acts {
		action, err := tool.Action(call)
		if err != nil {
			return Ruling{}, err
		}
		call.Approved = action
	}
	ruling := g.policy.Judge(call.Session, call.Tool, call.Approved)
	if call.Approved != nil {
		call.Approved.Needs = ruling.Needs
	}
	return ruling, nil
}

// Explain says what would happen with a call of a tool that Wrap returned. It
// fails if the arguments are wrong.
func Explain(tool openclaw.Tool, call *openclaw.Call) (Ruling, error) {
	g, guarded := tool.(guardedTool)
	if !guarded {
		return Ruling{}, errors.New("policy: this tool is not guarded")
	}
	copied := *call
	return g.judge(&copied)
}

func denied(message string) error {
	return &openclaw.Error{Code: openclaw.CodeApprovalDenied, Message: message}
}

// ask returns nil when somebody has approved the call.
func (p *Policy) ask(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	action := call.Approved
	need := needed(action.Needs)
	if call.Asker == nil {
		return nil, denied(noAnswer(openclaw.ByNobody, need))
	}
	answer, err := call.Asker.Ask(ctx, openclaw.ApprovalRequested{
		CallID: call.ID, Tool: call.Tool, Args: call.Args, Reason: reason(action),
		Argv: action.Argv, Dir: action.Dir, Env: action.Env, Needs: action.Needs.Strings(),
	}, p.config.Timeout)
	if err != nil {
		return &openclaw.Result{
			CallID: call.ID, Output: "did not run: the turn ended before somebody approved it", ExitCode: openclaw.ExitDenied,
		}, err
	}
	p.config.Record(Record{
		Session: call.Session, CallID: call.ID, Tool: call.Tool, Args: call.Args,
		ApprovalID: answer.ApprovalID, Decision: answer.Decision, By: answer.By, Needs: action.Needs.Strings(),
	})
	switch answer.Decision {
	case openclaw.DecideOnce:
		return nil, nil
	case openclaw.DecideSession, openclaw.DecideAlways:
		p.grant(call, answer)
		return nil, nil
	}
	return nil, denied(noAnswer(answer.By, need))
}

// grant keeps an approval. Where it cannot be kept the call runs all the same:
// that it may was said.
func (p *Policy) grant(call *openclaw.Call, answer openclaw.ApprovalResolved) {
	if p.config.Grants == nil {
		return
	}
	session := ""
	if answer.Decision == openclaw.DecideSession {
		session = call.Session
	}
	if err := p.config.Grants.add(answer.ApprovalID, session, call.Tool, call.Approved); err != nil {
		p.config.Logger.Error("approval could not be kept", "session", call.Session, "tool", call.Tool, "err", err)
	}
}

// noAnswer is what the model reads of a call that was not approved.
func noAnswer(by, need string) string {
	const advice = "; do without it or tell the user"
	switch by {
	case openclaw.ByNobody:
		return "denied: this needs an approval (" + need + ") and nobody is there to give it" + advice
	case openclaw.ByTimeout:
		return "denied: this needs an approval (" + need + ") and nobody gave it in time" + advice
	}
	return "denied by the user (it needs " + need + "); do not try it another way, ask what to do instead"
}

func needed(n openclaw.Needs) string {
	texts := n.Strings()
	if i := slices.Index(texts, "unconfined"); i >= 0 {
		texts[i] = "no sandbox"
	}
	return strings.Join(texts, ", ")
}

// maxReason bounds what the model may tell the person it asks, in bytes.
const maxReason = 500

// reason says why somebody is asked. The model's own words are marked as such:
// who approves must not take them for the gateway's.
func reason(a *openclaw.Action) string {
	text := "it needs " + needed(a.Needs)
	said := strings.Join(strings.Fields(strings.ToValidUTF8(a.Reason, "\uFFFD")), " ")
	if len(said) > maxReason {
		cut := maxReason
		for !utf8.RuneStart(said[cut]) {
			cut--
		}
		said = said[:cut] + "…"
	}
	if said != "" {
		text += fmt.Sprintf("; the agent says: %q", said)
	}
	return text
}

// joinRules lists each rule once.
func joinRules(judged []CommandRule) string {
	var texts []string
	for _, c := range judged {
		if !slices.Contains(texts, c.Rule) {
			texts = append(texts, c.Rule)
		}
	}
	return strings.Join(texts, ", ")
}
