package protocol_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

func nested(depth int) string {
	return `{"type":"chat","id":"1","payload":{"a":` + strings.Repeat("[", depth-2) + strings.Repeat("]", depth-2) + `}}`
}

var decodeTests = map[string]struct {
	in      string
	want    protocol.Request // beside an error: what the reply needs
	problem string           // a part of the error's message; "" is no error
}{
	"the page's chat": {`{"type":"chat","id":"msg-001","payload":{"text":"What files?","context":{},"options":{"model":"claude-opus-4-6","no_memory":false}}}`,
		protocol.Request{Type: "chat", ID: "msg-001", Payload: jsontext.Value(`{"text":"What files?","context":{},"options":{"model":"claude-opus-4-6","no_memory":false}}`)}, ""},
	"the page's status":      {`{"type":"status","payload":{}}`, protocol.Request{Type: "status"}, ""},
	"no payload":             {`{"type":"status"}`, protocol.Request{Type: "status"}, ""},
	"null payload and id":    {`{"type":"status","id":null,"payload":null}`, protocol.Request{Type: "status"}, ""},
	"empty id":               {`{"type":"status","id":""}`, protocol.Request{Type: "status"}, ""},
	"numeric timestamp":      {`{"type":"status","id":"1","timestamp":1700000000}`, protocol.Request{Type: "status", ID: "1"}, ""},
	"unknown members":        {`{"type":"status","id":"1","extra":[{"a":1}]}`, protocol.Request{Type: "status", ID: "1"}, ""},
	"space around":           {" \r\n{\"type\" : \"status\"}\t ", protocol.Request{Type: "status"}, ""},
	"unknown type":           {`{"type":"connect","id":"1"}`, protocol.Request{Type: "connect", ID: "1"}, ""},
	"escaped members":        {`{"\u0074ype":"status","id":"\u00e9"}`, protocol.Request{Type: "status", ID: "é"}, ""},
	"longest id":             {`{"type":"status","id":"` + strings.Repeat("é", 128) + `"}`, protocol.Request{Type: "status", ID: strings.Repeat("é", 128)}, ""},
	"deepest nesting":        {nested(64), protocol.Request{Type: "chat", ID: "1", Payload: jsontext.Value(`{"a":` + strings.Repeat("[", 62) + strings.Repeat("]", 62) + `}`)}, ""},
	"brackets in strings":    {`{"type":"chat","payload":{"text":"` + strings.Repeat(`[{\"`, 100) + `"}}`, protocol.Request{Type: "chat", Payload: jsontext.Value(`{"text":"` + strings.Repeat(`[{\"`, 100) + `"}`)}, ""},
	"id too long":            {`{"type":"status","id":"` + strings.Repeat("é", 129) + `"}`, protocol.Request{}, "longer than 128"},
	"numeric id":             {`{"type":"status","id":7}`, protocol.Request{}, "id must be a string"},
	"no type":                {`{"id":"1","text":"hi"}`, protocol.Request{ID: "1"}, "type must be a string"},
	"empty type":             {`{"id":"1","type":""}`, protocol.Request{ID: "1"}, "type must be a string"},
	"numeric type":           {`{"id":"1","type":3}`, protocol.Request{ID: "1"}, "type must be a string"},
	"type in another case":   {`{"id":"1","Type":"chat"}`, protocol.Request{ID: "1"}, "type must be a string"},
	"payload is a list":      {`{"id":"1","type":"chat","payload":[]}`, protocol.Request{Type: "chat", ID: "1"}, "payload must be an object"},
	"payload is a string":    {`{"id":"1","type":"chat","payload":"hi"}`, protocol.Request{Type: "chat", ID: "1"}, "payload must be an object"},
	"JSON-RPC":               {`{"jsonrpc":"2.0","id":1,"method":"initialize"}`, protocol.Request{}, "speaks the OpenClaw gateway protocol"},
	"another gateway":        {`{"type":"req","id":"1","method":"connect","params":{}}`, protocol.Request{Type: "req", ID: "1"}, ""},
	"a list":                 {`[{"type":"chat"}]`, protocol.Request{}, "speaks the OpenClaw gateway protocol"},
	"a string":               {`"hello"`, protocol.Request{}, "speaks the OpenClaw gateway protocol"},
	"a number":               {`42`, protocol.Request{}, "speaks the OpenClaw gateway protocol"},
	"null":                   {`null`, protocol.Request{}, "speaks the OpenClaw gateway protocol"},
	"words":                  {`hello`, protocol.Request{}, "not valid JSON"},
	"empty":                  {``, protocol.Request{}, "empty"},
	"blank":                  {" \n", protocol.Request{}, "empty"},
	"cut short":              {`{"type":"chat","id":"1","payload":{`, protocol.Request{}, "not valid JSON"},
	"two objects":            {`{"type":"status","id":"1"}{"type":"status"}`, protocol.Request{}, "not valid JSON"},
	"comment":                {`{"type":"status" /* hi */}`, protocol.Request{}, "not valid JSON"},
	"trailing comma":         {`{"type":"status",}`, protocol.Request{}, "not valid JSON"},
	"duplicate type":         {`{"type":"status","id":"1","type":"chat"}`, protocol.Request{ID: "1"}, "occurs twice"},
	"duplicate, escaped":     {`{"type":"status","id":"1","\u0074ype":"chat"}`, protocol.Request{ID: "1"}, "occurs twice"},
	"duplicate deep inside":  {`{"type":"chat","id":"1","payload":{"context":{"a":[{"b":1,"b":2}]}}}`, protocol.Request{ID: "1"}, "occurs twice"},
	"unpaired surrogate":     {`{"type":"chat","payload":{"text":"\ud800"}}`, protocol.Request{}, "not valid JSON"},
	"invalid UTF-8":          {"{\"type\":\"chat\",\"payload\":{\"text\":\"\xff\"}}", protocol.Request{}, "not valid JSON"},
	"nested too deep":        {nested(65), protocol.Request{ID: "1"}, "deeper than 64"},
	"nested without an end":  {strings.Repeat("[", 1<<20), protocol.Request{}, "deeper than 64"},
	"hostile, as an object":  {strings.Repeat(`{"a":`, 1<<17), protocol.Request{}, "deeper than 64"},
	"closing brackets first": {`]]]]{}`, protocol.Request{}, "not valid JSON"},
}

func TestDecode(t *testing.T) {
	for name, tt := range decodeTests {
		t.Run(name, func(t *testing.T) {
			got, problem := protocol.Decode([]byte(tt.in), 0)
			if problem == nil && tt.want.Payload == nil {
				tt.want.Payload = jsontext.Value("{}")
			}
			switch {
			case (problem == nil) != (tt.problem == ""):
				t.Fatalf("error %v, want %q", problem, tt.problem)
			case problem != nil && (problem.Code != openclaw.CodeInvalidMessage || !strings.Contains(problem.Message, tt.problem)):
				t.Errorf("error %s %q, want %q in it", problem.Code, problem.Message, tt.problem)
			case problem != nil: // the reply needs the ID alone
				got.Payload, tt.want.Payload = nil, nil
			}
			got.Object = false
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// Only a reply to an object may carry an ID.
func TestDecodeTellsObjects(t *testing.T) {
	for in, want := range map[string]bool{
		`{"type":"status"}`: true, `{}`: true, ` {"type":1}`: true, `{"type":"a","type":"b"}`: true,
		`[]`: false, `"x"`: false, `null`: false, `1`: false, ``: false, `hello`: false,
	} {
		if got, _ := protocol.Decode([]byte(in), 0); got.Object != want {
			t.Errorf("%s: object %v", in, got.Object)
		}
	}
}

func TestDecodeDepth(t *testing.T) {
	if _, problem := protocol.Decode([]byte(nested(5)), 5); problem != nil {
		t.Errorf("5 levels of 5: %v", problem)
	}
	if _, problem := protocol.Decode([]byte(nested(6)), 5); problem == nil {
		t.Error("6 levels of 5: no error")
	}
}

func TestUnknownType(t *testing.T) {
	e := protocol.UnknownType(protocol.Type(strings.Repeat("é", 1000)))
	if e.Code != openclaw.CodeUnknownType || utf8.RuneCountInString(e.Message) > 400 || !utf8.ValidString(e.Message) {
		t.Errorf("%s %q", e.Code, e.Message)
	}
}

// FuzzDecode checks that what is accepted is what any strict reader would
// take, and that the rest can be answered.
func FuzzDecode(f *testing.F) {
	for _, tt := range decodeTests {
		if len(tt.in) < 1000 {
			f.Add([]byte(tt.in))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		req, problem := protocol.Decode(data, 0)
		if utf8.RuneCountInString(req.ID) > protocol.MaxID || !utf8.ValidString(req.ID) || req.ID != "" && !req.Object {
			t.Errorf("ID %q of an object: %v", req.ID, req.Object)
		}
		if problem != nil {
			if problem.Code != openclaw.CodeInvalidMessage || problem.Message == "" || len(problem.Message) > 1000 {
				t.Errorf("error %s %q", problem.Code, problem.Message)
			}
			protocol.Encode(protocol.TypeError, req.ID, protocol.NewError(problem), time.Now())
			return
		}
		// Not its reading of the members: that takes pAYloAd for payload.
		if !json.Valid(data) {
			t.Errorf("accepted what encoding/json refuses: %q", data)
		}
		if req.Type == "" || !req.Object || !req.Payload.IsValid() || req.Payload.Kind() != '{' {
			t.Errorf("accepted type %q, payload %s", req.Type, req.Payload)
		}
		again, problem := protocol.Decode(protocol.Encode(req.Type, req.ID, req.Payload, time.Now()), 0)
		if problem != nil || again.Type != req.Type || again.ID != req.ID {
			t.Errorf("encoded and decoded again: %+v, %v", again, problem)
		}
	})
}

func TestDecodePayload(t *testing.T) {
	for in, want := range map[string]string{
		`{"text":"hi","mood":1}`:         "",
		`{}`:                             "",
		`{"text":5}`:                     "payload.text must be a string",
		`{"options":[]}`:                 "payload.options must be an object",
		`{"options":{"stream":"yes"}}`:   "payload.options.stream must be true or false",
		`{"options":{"max_tokens":1.5}}`: "payload.options.max_tokens must be a whole number",
		`{"options":{"max_tokens":99999999999999}}`: "",
		`{"options":{"timeout_ms":"1s"}}`:           "payload.options.timeout_ms must be a whole number",
	} {
		_, problem := protocol.DecodePayload[protocol.Chat](protocol.Request{Payload: jsontext.Value(in)})
		got := ""
		if problem != nil {
			got = problem.Message
		}
		if got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestTurnOfAChat(t *testing.T) {
	yes := func(change func(*protocol.Turn)) *protocol.Turn {
		turn := protocol.Turn{Session: "main"}
		if change != nil {
			change(&turn)
		}
		return &turn
	}
	for name, tt := range map[string]struct {
		in   string
		want *protocol.Turn // nil: refused
	}{
		"plain": {`{"text":"x"}`, yes(nil)},
		"context": {`{"context":{"session":"a/b","user":"ann","channel":"web","page":{"n":1}}}`, yes(func(turn *protocol.Turn) {
			turn.Session, turn.User, turn.Channel, turn.Context = "a/b", "ann", "web", jsontext.Value(`{"page":{"n":1}}`)
		})},
		"labels only":       {`{"context":{"user":"ann"}}`, yes(func(turn *protocol.Turn) { turn.User = "ann" })},
		"null context":      {`{"context":null}`, yes(nil)},
		"session_id":        {`{"session_id":"s"}`, yes(func(turn *protocol.Turn) { turn.Session = "s" })},
		"context wins":      {`{"session_id":"s","context":{"session":"c"}}`, yes(func(turn *protocol.Turn) { turn.Session = "c" })},
		"model in payload":  {`{"model":"m"}`, yes(func(turn *protocol.Turn) { turn.Options.Model = "m" })},
		"options win":       {`{"model":"m","no_memory":true,"options":{"model":"o","no_memory":false}}`, yes(func(turn *protocol.Turn) { turn.Options.Model = "o" })},
		"no_memory outside": {`{"no_memory":true}`, yes(func(turn *protocol.Turn) { turn.Options.NoMemory = true })},
		"every option": {`{"options":{"stream":true,"idempotency_key":"k","timeout_ms":1500,"max_tokens":5,"thinking":"low","approvals":true}}`,
			yes(func(turn *protocol.Turn) {
				turn.Stream, turn.IdempotencyKey = true, "k"
				turn.Options = openclaw.TurnOptions{Timeout: 1500 * time.Millisecond, MaxTokens: 5, Thinking: "low", Approvals: true}
			})},
		"session of another alphabet": {`{"context":{"session":"a b"}}`, nil},
		"session too long":            {`{"session_id":"` + strings.Repeat("s", 129) + `"}`, nil},
		"context is a list":           {`{"context":[]}`, nil},
		"user is a number":            {`{"context":{"user":1}}`, nil},
		"negative timeout":            {`{"options":{"timeout_ms":-1}}`, nil},
		"endless timeout":             {`{"options":{"timeout_ms":9223372036854775807}}`, nil},
		"negative max_tokens":         {`{"options":{"max_tokens":-1}}`, nil},
		"thinking hard":               {`{"options":{"thinking":"hard"}}`, nil},
		"key too long":                {`{"options":{"idempotency_key":"` + strings.Repeat("k", 257) + `"}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			chat, problem := protocol.DecodePayload[protocol.Chat](protocol.Request{Payload: jsontext.Value(tt.in)})
			if problem != nil {
				t.Fatal(problem)
			}
			turn, problem := chat.Turn()
			if (problem == nil) != (tt.want != nil) {
				t.Fatalf("error %v", problem)
			}
			if problem != nil {
				if problem.Code != openclaw.CodeInvalidMessage {
					t.Errorf("code %s", problem.Code)
				}
				return
			}
			if diff := cmp.Diff(*tt.want, turn); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestArgsText(t *testing.T) {
	for in, want := range map[string]string{`"a \u00e9"`: "a é", `{"k": 1}`: `{"k": 1}`, `null`: "", ``: ""} {
		s := protocol.SkillInvoke{Args: jsontext.Value(in)}
		if got, problem := s.ArgsText(); got != want || problem != nil {
			t.Errorf("%s: %q, %v", in, got, problem)
		}
	}
	for _, in := range []string{`[]`, `1`, `true`} {
		s := protocol.SkillInvoke{Args: jsontext.Value(in)}
		if _, problem := s.ArgsText(); problem == nil {
			t.Errorf("%s: no error", in)
		}
	}
}

func TestEncode(t *testing.T) {
	at := time.Date(2026, 1, 2, 4, 4, 5, 6_999_999, time.FixedZone("", 3600))
	for want, got := range map[string][]byte{
		`{"type":"ok","payload":{},"timestamp":"2026-01-02T03:04:05.006Z"}`:                    protocol.Encode(protocol.TypeOK, "", nil, at),
		`{"type":"ok","id":"<&>","payload":{},"timestamp":"2026-01-02T03:04:05.006Z"}`:         protocol.Encode(protocol.TypeOK, "<&>", protocol.OK{}, at),
		`{"type":"x","payload":{"a":"\ufffd"},"timestamp":"2026-01-02T03:04:05.006Z"}`:         protocol.Encode("x", "", map[string]string{"a": "\xff"}, at),
		`{"type":"x","payload":{"a":1,"b":2},"timestamp":"2026-01-02T03:04:05.006Z"}`:          protocol.Encode("x", "", map[string]int{"b": 2, "a": 1}, at),
		`{"type":"sessions","payload":{"sessions":[]},"timestamp":"2026-01-02T03:04:05.006Z"}`: protocol.Encode(protocol.TypeSessions, "", protocol.Sessions{}, at),
	} {
		if want := strings.ReplaceAll(want, `\ufffd`, "\uFFFD"); want != string(got) {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
		if m, err := protocol.DecodeMessage(got); err != nil || len(m.Payload) == 0 || bytes.Equal(m.Payload, []byte("null")) {
			t.Errorf("%s: read back %+v, %v", got, m, err)
		}
	}
}
