// Package policy decides whether a tool call may run: it wraps a Tool, so that
// whatever asks for the call (a model, a skill, a heartbeat, another program)
// passes the same check.
//
// Rules of the owner come first, those that deny before those that allow; then
// what somebody has approved before; then, for a call that needs more than the
// sandbox gives, the mode: ask a person, allow, deny. The package keeps the
// approvals that outlive a call (Grants). It runs nothing itself and confines
// nothing: what a permitted command can reach is the business of package
// sandbox, and who is asked that of package session.
package policy

import (
	"cmp"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"mvdan.cc/sh/v3/syntax"

	openclaw "github.com/openclaw/openclaw-go"
)

// Mode says what happens with a call that needs more than the sandbox gives.
type Mode string

// The modes of permissions.mode.
const (
	Ask  Mode = "ask"
	Auto Mode = "auto" // let it run
	Deny Mode = "deny"
)

// The configuration keys that rules come from.
const (
	allowKey   = "permissions.auto_approve"
	denyKey    = "permissions.always_deny"
	modeKey    = "permissions.mode"
	blockedKey = "hands.shell.blocked_commands"
)

// Config is what a Policy is made of. The zero value asks.
type Config struct {
	Mode        Mode
	Timeout     time.Duration // how long an answer may take; 0: 5 minutes
	AutoApprove []string      // rules: see docs/security.md
	AlwaysDeny  []string      // likewise
	Blocked     []string      // hands.shell.blocked_commands
	// Unconfined says whether commands run without a sandbox: every one then
	// needs what a sandbox would not give. nil: they do not.
	Unconfined func() bool
	// Record is told of each call that is about to run or was denied, and of each
	// answer to a question, before anything else happens; nil: nobody wants it.
	// It must not block for long.
	Record func(Record)
	Grants *Grants      // what has been approved for longer; nil: nothing can be
	Logger *slog.Logger // default: discards
}

// Policy is a checked Config. It is safe for concurrent use and does not
// change; a new configuration makes a new one.
type Policy struct {
	config   Config
	allow    []rule
	deny     []rule   // those about whole tools
	commands denyList // those about commands
}

// New checks the configuration: a rule that is none is INVALID_MESSAGE.
func New(c Config) (*Policy, error) {
	c.Mode, c.Timeout = cmp.Or(c.Mode, Ask), cmp.Or(c.Timeout, 5*time.Minute)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Record == nil {
		c.Record = func(Record) {}
	}
	if c.Unconfined == nil {
		c.Unconfined = func() bool { return false }
	}
	p := &Policy{config: c}
	for _, text := range c.Blocked {
		r, err := blockedRule(text)
		if err != nil {
			return nil, err
		}
		p.commands = append(p.commands, r)
	}
	for _, text := range c.AlwaysDeny {
		r, err := parseRule(denyKey, text)
		if err != nil {
			return nil, err
		}
		if r.forCommands() {
			p.commands = append(p.commands, denyRule{key: denyKey, text: r.text, may: r.mayMatch})
		} else {
			p.deny = append(p.deny, r)
		}
	}
	for _, text := range c.AutoApprove {
		r, err := parseRule(allowKey, text)
		if err != nil {
			return nil, err
		}
		p.allow = append(p.allow, r)
	}
	return p, nil
}

// Record is one thing to remember: a call with what was decided about it, or,
// with an ApprovalID, the answer to its question.
type Record struct {
	Session, CallID, Tool string
	Args                  []byte // may hold secrets
	Runs                  bool
	Rule                  string
	Needs                 []string

	ApprovalID, Decision, By string
}

// Decision is what happens with a call.
type Decision string

// The decisions.
const (
	Runs   Decision = "runs"
	Asks   Decision = "asks"
	Denies Decision = "denies"
)

// Ruling is a decision and what it rests on.
type Ruling struct {
	Decision Decision
	// Rule is what decided: a rule with the key it stands under, an approval, a
	// mode; "": the call needs nothing beyond the sandbox.
	Rule    string
	Message string // for whoever asked for a call that is denied
	// Commands are the simple commands of a shell call and the rules of
	// auto_approve that allow them; Problem says why rules cannot judge it.
	Commands []CommandRule
	Problem  string
	// Unreadable says why the rules about commands could not be applied, where
	// the call is denied for that and no rule matched.
	Unreadable string
	Needs      openclaw.Needs // what the call needs beyond the sandbox, all told
}

// Judge says what happens with a call in a session. action is nil for a tool
// whose calls need nothing and run no command.
func (p *Policy) Judge(session, tool string, action *openclaw.Action) Ruling {
	for i := range p.deny {
		if r := &p.deny[i]; r.forTool(tool) {
			return Ruling{
				Decision: Denies, Rule: denyKey + ": " + r.text,
				Message: fmt.Sprintf("denied: %s has the rule %q; do not try again, tell the owner", denyKey, r.text),
			}
		}
	}
	if action == nil {
		return Ruling{Decision: Runs}
	}
	r := Ruling{Needs: action.Needs}
	text, lang, isCommand := commandLine(action)
	if isCommand {
		if found := p.commands.check(text, lang); found != nil {
			r.Decision, r.Rule, r.Message, r.Unreadable = Denies, found.rule, found.message, found.unreadable
			return r
		}
		r.Needs.Unconfined = r.Needs.Unconfined || p.config.Unconfined()
	}
	p.permit(&r, session, tool, action)
	return r
}

// permit decides about a call that no rule denies.
func (p *Policy) permit(r *Ruling, session, tool string, action *openclaw.Action) {
	r.Decision = Runs
	rule, granted := p.allowed(r, tool, action), ""
	if p.config.Grants != nil {
		granted = p.config.Grants.find(session, tool, action, r.Needs)
	}
	switch {
	case r.Needs.None():
	case rule != "":
		r.Rule = allowKey + ": " + rule
	case granted != "":
		r.Rule = "approval " + granted
	case p.config.Mode == Auto:
		r.Rule = modeKey + ": auto"
	case p.config.Mode == Deny:
		r.Decision, r.Rule = Denies, modeKey+": deny"
		r.Message = "denied: this needs what the owner does not allow (" + needed(r.Needs) + "; permissions.mode is deny); do without it or tell the owner"
	default:
		r.Decision, r.Rule = Asks, modeKey+": ask"
	}
}

// allowed returns the rules of auto_approve that allow a call; "": none do.
//
// A rule says what may run, in the belief that the sandbox keeps it from what is
// blocked. So none covers a call that asks to be without one: cat is then a
// way to every secret. Where no command has a sandbox the owner knows that of
// every rule.
func (p *Policy) allowed(r *Ruling, tool string, action *openclaw.Action) string {
	if action.Needs.Unconfined && !p.config.Unconfined() {
		r.Problem = "it asks to run without the sandbox, which no rule gives"
		return ""
	}
	for i := range p.allow {
		if rule := &p.allow[i]; rule.forTool(tool) && !rule.forCommands() {
			return rule.text
		}
	}
	text, lang, isCommand := commandLine(action)
	if !isCommand {
		return ""
	}
	list, problem := readLine(text, lang, maxNesting)
	if problem != "" {
		r.Problem = problem
		return ""
	}
	if len(action.Env) > 0 {
		r.Problem = "it gets variables that other commands do not"
		return ""
	}
	judged, all := judge(p.allow, tool, list)
	r.Commands = judged
	if !all {
		return ""
	}
	return joinRules(judged)
}

// commandLine returns the text that a shell is to run, and how to read it.
func commandLine(a *openclaw.Action) (text string, lang syntax.LangVariant, ok bool) {
	if len(a.Argv) != 3 || a.Argv[1] != "-c" {
		return "", 0, false
	}
	switch filepath.Base(a.Argv[0]) {
	case "bash":
		lang = syntax.LangBash
	case "zsh", "ksh", "mksh":
		lang = syntax.LangMirBSDKorn
	default:
		lang = syntax.LangPOSIX
	}
	return a.Argv[2], lang, true
}
