package protocol

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	openclaw "github.com/openclaw/openclaw-go"
)

// Chat is the payload of chat.
type Chat struct {
	Text    string         `json:"text"`
	Context jsontext.Value `json:"context,omitzero"` // an object; see Context
	Options Options        `json:"options,omitzero"`

	// What clients in the wild send in other places; Options and Context win.
	SessionID string `json:"session_id,omitzero"`
	Model     string `json:"model,omitzero"`
	NoMemory  bool   `json:"no_memory,omitzero"`
}

// SkillInvoke is the payload of skill_invoke.
type SkillInvoke struct {
	Skill   string         `json:"skill"`
	Args    jsontext.Value `json:"args,omitzero"` // a string or an object
	Context jsontext.Value `json:"context,omitzero"`
	Options Options        `json:"options,omitzero"`

	SessionID string `json:"session_id,omitzero"`
	Model     string `json:"model,omitzero"`
	NoMemory  bool   `json:"no_memory,omitzero"`
}

// Options are a request's wishes for its turn.
type Options struct {
	Model          string `json:"model,omitzero"` // "model" or "provider/model"
	NoMemory       *bool  `json:"no_memory,omitzero"`
	Stream         bool   `json:"stream,omitzero"`
	IdempotencyKey string `json:"idempotency_key,omitzero"`
	TimeoutMS      int64  `json:"timeout_ms,omitzero"`
	MaxTokens      int    `json:"max_tokens,omitzero"`
	Thinking       string `json:"thinking,omitzero"` // off, low, medium or high
	Approvals      bool   `json:"approvals,omitzero"`
}

// Context is the context object of a request, taken apart.
type Context struct {
	Session string `json:"session,omitzero"`
	User    string `json:"user,omitzero"`
	Channel string `json:"channel,omitzero"`
	// Attachments is a list; {type: "image", media_type, data} is a picture in
	// base64.
	Attachments jsontext.Value `json:"attachments,omitzero"`

	Rest jsontext.Value `json:",embed"` // every other member, as one object; nil for none
}

// Turn is what chat and skill_invoke ask for beside their text: which
// conversation, who asks, and how.
type Turn struct {
	Session        string // never empty
	User, Channel  string
	Context        jsontext.Value // untrusted; nil for none
	Images         []openclaw.Image
	Options        openclaw.TurnOptions
	Stream         bool
	IdempotencyKey string
}

// Turn checks the request's context and options.
func (c *Chat) Turn() (Turn, *openclaw.Error) {
	return turn(c.Context, c.Options, c.SessionID, c.Model, c.NoMemory)
}

// Turn checks the request's context and options.
func (s *SkillInvoke) Turn() (Turn, *openclaw.Error) {
	return turn(s.Context, s.Options, s.SessionID, s.Model, s.NoMemory)
}

// ArgsText returns the arguments as the text a skill reads: a string as it is,
// an object as JSON.
func (s *SkillInvoke) ArgsText() (string, *openclaw.Error) {
	switch s.Args.Kind() {
	case jsontext.KindInvalid, 'n':
		return "", nil
	case '{':
		return string(s.Args), nil
	case '"':
		var text string
		if err := json.Unmarshal(s.Args, &text); err == nil {
			return text, nil
		}
	}
	return "", invalid("payload.args must be a string or an object")
}

func turn(rawContext jsontext.Value, o Options, sessionID, model string, noMemory bool) (Turn, *openclaw.Error) {
	context, err := decodeContext(rawContext)
	if err != nil {
		return Turn{}, err
	}
	images, err := context.takeImages()
	if err != nil {
		return Turn{}, err
	}
	t := Turn{
		Session: context.Session, User: context.User, Channel: context.Channel, Context: context.Rest, Images: images,
		Stream: o.Stream, IdempotencyKey: o.IdempotencyKey,
		Options: openclaw.TurnOptions{
			Model: o.Model, MaxTokens: o.MaxTokens, Thinking: o.Thinking, Approvals: o.Approvals,
			Timeout: time.Duration(o.TimeoutMS) * time.Millisecond, NoMemory: noMemory,
		},
	}
	if o.NoMemory != nil {
		t.Options.NoMemory = *o.NoMemory
	}
	if t.Options.Model == "" {
		t.Options.Model = model
	}
	if t.Session == "" {
		t.Session = sessionID
	}
	if t.Session == "" {
		t.Session = DefaultSession
	}
	return t, t.check(o)
}

func decodeContext(raw jsontext.Value) (Context, *openclaw.Error) {
	if raw == nil {
		return Context{}, nil
	}
	if k := raw.Kind(); k != '{' && k != 'n' {
		return Context{}, invalid("payload.context must be an object")
	}
	var c Context
	if err := json.Unmarshal(raw, &c); err != nil {
		return Context{}, invalid("payload.context: session, user and channel must be strings")
	}
	if strings.TrimSpace(string(c.Rest)) == "{}" {
		c.Rest = nil
	}
	return c, nil
}

// takeImages takes the pictures out of the context, which the model reads as
// text; other attachments stay in it.
func (c *Context) takeImages() ([]openclaw.Image, *openclaw.Error) {
	if c.Attachments == nil {
		return nil, nil
	}
	images, rest, problem := takeImages(c.Attachments)
	if problem != nil || rest == nil {
		return images, problem
	}
	members := map[string]jsontext.Value{}
	if c.Rest != nil {
		if err := json.Unmarshal(c.Rest, &members); err != nil {
			return nil, invalid("payload.context must be an object")
		}
	}
	members["attachments"] = rest
	data, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		return nil, invalid("payload.context must be an object")
	}
	c.Rest = data
	return images, nil
}

// maxTimeout keeps a client's timeout_ms within what a time.Duration holds.
const maxTimeout = int64(30 * 24 * time.Hour / time.Millisecond)

func (t *Turn) check(o Options) *openclaw.Error {
	switch {
	case !ValidSession(t.Session):
		return BadSession("payload.context.session")
	case o.TimeoutMS < 0 || o.TimeoutMS > maxTimeout:
		return invalid(fmt.Sprintf("payload.options.timeout_ms must be between 0 and %d", maxTimeout))
	case o.MaxTokens < 0:
		return invalid("payload.options.max_tokens must not be negative")
	case len(o.IdempotencyKey) > MaxIdempotencyKey:
		return invalid(fmt.Sprintf("payload.options.idempotency_key is longer than %d bytes", MaxIdempotencyKey))
	case o.IdempotencyKey != "" && t.Options.NoMemory:
		return invalid("payload.options.idempotency_key needs a turn that is recorded; leave out no_memory or the key")
	}
	switch o.Thinking {
	case "", "off", "low", "medium", "high":
		return nil
	}
	return invalid("payload.options.thinking must be off, low, medium or high")
}

// BadSession is the answer to a session name that is none.
func BadSession(field string) *openclaw.Error {
	return invalid(field + " must be 1 to 128 characters from A-Z a-z 0-9 . _ : @ / -")
}

// HeartbeatTrigger is the payload of heartbeat_trigger.
type HeartbeatTrigger struct {
	DryRun bool `json:"dry_run,omitzero"`
}

// Cancel is the payload of cancel: a request of the same connection, or every
// turn of a session, or (both given) the session's turns of that request.
type Cancel struct {
	RequestID string `json:"request_id,omitzero"`
	Session   string `json:"session,omitzero"`
}

// Subscribe is the payload of subscribe. Without AfterSeq only what happens
// from now on is sent.
type Subscribe struct {
	Session  string `json:"session"`
	AfterSeq *int64 `json:"after_seq,omitzero"`
}

// SessionRef is the payload of unsubscribe, session_reset and session_delete.
type SessionRef struct {
	Session string `json:"session"`
}

// SessionList is the payload of session_list.
type SessionList struct {
	Limit int    `json:"limit,omitzero"`
	After string `json:"after,omitzero"` // the next of the page before
}

// SessionHistory is the payload of session_history.
type SessionHistory struct {
	Session   string `json:"session"`
	BeforeSeq int64  `json:"before_seq,omitzero"`
	Limit     int    `json:"limit,omitzero"`
}

// Empty is the payload of requests that need none.
type Empty struct {
	_ struct{} `json:"-"`
}
