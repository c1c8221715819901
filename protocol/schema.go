package protocol

import (
	"encoding/json"
	"reflect"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/jsonschema-go/jsonschema"
)

// message describes one message for Schema and AsyncAPI.
type message struct {
	kind    Type
	payload reflect.Type
	doc     string
}

// requests and replies are every message of the protocol. They are functions,
// so that a program which never asks for a schema pays nothing for them.
func requests() []message {
	return []message{
		{TypeChat, reflect.TypeFor[Chat](), "Send a message to the agent. Completed by response."},
		{TypeHeartbeatTrigger, reflect.TypeFor[HeartbeatTrigger](), "Trigger an immediate heartbeat. Completed by heartbeat_status."},
		{TypeStatus, reflect.TypeFor[struct{}](), "Request the gateway's status. Completed by status."},
		{TypeSkillInvoke, reflect.TypeFor[SkillInvoke](), "Run a skill as one turn. Completed by response."},
		{TypeCancel, reflect.TypeFor[Cancel](), "Stop a request of this connection, or the turns of a session. Completed by ok."},
		{TypeSubscribe, reflect.TypeFor[Subscribe](), "Receive the events of a session. Completed by subscribed."},
		{TypeUnsubscribe, reflect.TypeFor[SessionRef](), "Stop receiving the events of a session. Completed by ok."},
		{TypeApprove, reflect.TypeFor[Approve](), "Answer an approval_requested event. Completed by ok."},
		{TypeApprovalList, reflect.TypeFor[ApprovalList](), "List the approvals that wait and those that are kept, and follow those of every session. Completed by approvals."},
		{TypeApprovalRevoke, reflect.TypeFor[ApprovalRevoke](), "Revoke an approval that is kept. Completed by ok."},
		{TypeApprovalExplain, reflect.TypeFor[ApprovalExplain](), "Ask what would happen with a command. Completed by approval_explained."},
		{TypeSessionList, reflect.TypeFor[SessionList](), "List sessions, the newest first. Completed by sessions."},
		{TypeSessionHistory, reflect.TypeFor[SessionHistory](), "Read the events of a session. Completed by history."},
		{TypeSessionReset, reflect.TypeFor[SessionRef](), "Start an empty context and keep the log. Completed by ok."},
		{TypeSessionDelete, reflect.TypeFor[SessionRef](), "Remove a session and its log. Completed by ok."},
		{TypeSkillList, reflect.TypeFor[struct{}](), "List the skills. Completed by skills."},
		{TypeToolList, reflect.TypeFor[struct{}](), "List the tools. Completed by tools."},
		{TypeModelList, reflect.TypeFor[struct{}](), "List the models. Completed by models."},
		{TypeUsage, reflect.TypeFor[UsageRequest](), "Ask what models used. Completed by usage."},
		{TypeHeartbeatHistory, reflect.TypeFor[HeartbeatHistory](), "List past heartbeats. Completed by heartbeats."},
		{TypeCronList, reflect.TypeFor[struct{}](), "List the cron jobs. Completed by cron_jobs."},
		{TypeCronAdd, reflect.TypeFor[CronSpec](), "Add a cron job. Completed by ok."},
		{TypeCronRemove, reflect.TypeFor[CronRef](), "Remove a cron job that was added. Completed by ok."},
		{TypeCronPause, reflect.TypeFor[CronPause](), "Pause a cron job, or let it go on. Completed by ok."},
		{TypeCronRun, reflect.TypeFor[CronRef](), "Run a cron job now. Completed by cron_runs when it is over."},
		{TypeCronHistory, reflect.TypeFor[CronHistory](), "List past runs of cron jobs. Completed by cron_runs."},
	}
}

func replies() []message {
	return []message{
		{TypeResponse, reflect.TypeFor[Response](), "The agent's answer to chat and skill_invoke."},
		{TypeToolCall, reflect.TypeFor[ToolCall](), "A tool starts. Carries no envelope id."},
		{TypeToolResult, reflect.TypeFor[ToolResult](), "What came of a tool call. Carries no envelope id."},
		{TypeError, reflect.TypeFor[Error](), "The request failed."},
		{TypeHeartbeatStatus, reflect.TypeFor[HeartbeatStatus](), "The result of a heartbeat."},
		{TypeStatus, reflect.TypeFor[Status](), "The gateway's status."},
		{TypeOK, reflect.TypeFor[OK](), "The request is done."},
		{TypeSubscribed, reflect.TypeFor[Subscribed](), "Events of the session follow."},
		{TypeEvent, reflect.TypeFor[Event](), "An event of a session the client subscribed to, or a delta it asked for."},
		{TypeApprovals, reflect.TypeFor[Approvals](), "The approvals that wait and those that are kept."},
		{TypeApprovalExplained, reflect.TypeFor[ApprovalExplained](), "What would happen with a command, and why."},
		{TypeSessions, reflect.TypeFor[Sessions](), "A page of sessions."},
		{TypeHistory, reflect.TypeFor[History](), "A page of a session's events."},
		{TypeSkills, reflect.TypeFor[Skills](), "The skills."},
		{TypeTools, reflect.TypeFor[Tools](), "The tools."},
		{TypeModels, reflect.TypeFor[Models](), "The models."},
		{TypeUsage, reflect.TypeFor[Usage](), "What models used."},
		{TypeHeartbeats, reflect.TypeFor[Heartbeats](), "Past heartbeats, the newest first."},
		{TypeCronJobs, reflect.TypeFor[CronJobs](), "The cron jobs."},
		{TypeCronRuns, reflect.TypeFor[CronRuns](), "Runs of cron jobs, the newest first."},
	}
}

// Schema returns the JSON Schema (draft 2020-12) of every message: client and
// gateway under $defs, each the union of what that side may send.
func Schema() []byte {
	defs := map[string]*jsonschema.Schema{
		"client":  union(requests(), false),
		"gateway": union(replies(), true),
	}
	return document(&jsonschema.Schema{
		Schema: "https://json-schema.org/draft/2020-12/schema",
		Title:  "OpenClaw Gateway protocol",
		Defs:   defs,
		AnyOf:  []*jsonschema.Schema{{Ref: "#/$defs/client"}, {Ref: "#/$defs/gateway"}},
	})
}

// union is the schema of any one of the messages.
func union(messages []message, sent bool) *jsonschema.Schema {
	u := &jsonschema.Schema{}
	for _, m := range messages {
		u.AnyOf = append(u.AnyOf, envelope(m, sent))
	}
	return u
}

// envelope is the schema of one message. What the gateway sends always has a
// payload and a timestamp.
func envelope(m message, sent bool) *jsonschema.Schema {
	minID, maxID := 1, MaxID
	s := &jsonschema.Schema{
		Title: string(m.kind), Description: m.doc, Type: "object", Required: []string{"type"},
		Properties: map[string]*jsonschema.Schema{
			"type":    {Const: jsonschema.Ptr[any](string(m.kind))},
			"id":      {Type: "string", MinLength: &minID, MaxLength: &maxID},
			"payload": payloadSchema(m.payload),
		},
	}
	if sent {
		s.Properties["timestamp"] = &jsonschema.Schema{Type: "string", Format: "date-time"}
		s.Required = []string{"type", "payload", "timestamp"}
	}
	return s
}

func payloadSchema(t reflect.Type) *jsonschema.Schema {
	object := &jsonschema.Schema{}
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[jsontext.Value]():  object,
		reflect.TypeFor[json.RawMessage](): object,
	}})
	if err != nil {
		panic("protocol: no schema for " + t.String() + ": " + err.Error())
	}
	open(s)
	return s
}

// open lets objects have members that this version does not know: readers
// ignore them.
func open(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	s.AdditionalProperties = nil
	for _, p := range s.Properties {
		open(p)
	}
	open(s.Items)
}

// AsyncAPI returns the AsyncAPI 3.0 document of the protocol.
func AsyncAPI(version string) []byte {
	messages, operations := map[string]any{}, map[string]any{}
	add := func(prefix, action string, list []message, sent bool) {
		for _, m := range list {
			name := prefix + string(m.kind)
			messages[name] = map[string]any{"name": string(m.kind), "summary": m.doc, "payload": envelope(m, sent)}
			operations[name] = map[string]any{
				"action":   action,
				"channel":  map[string]string{"$ref": "#/channels/gateway"},
				"messages": []any{map[string]string{"$ref": "#/channels/gateway/messages/" + name}},
			}
		}
	}
	add("client_", "receive", requests(), false)
	add("gateway_", "send", replies(), true)
	return document(map[string]any{
		"asyncapi":   "3.0.0",
		"info":       map[string]any{"title": "OpenClaw Gateway", "version": version, "license": map[string]string{"name": "MIT"}},
		"servers":    map[string]any{"local": map[string]string{"host": "127.0.0.1:18789", "protocol": "ws"}},
		"channels":   map[string]any{"gateway": map[string]any{"address": "/", "messages": messages}},
		"operations": operations,
	})
}

func document(v any) []byte {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic("protocol: schema: " + err.Error())
	}
	return append(data, '\n')
}
