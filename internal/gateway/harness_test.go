package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
	"github.com/openclaw/openclaw-go/internal/gateway"
	"github.com/openclaw/openclaw-go/internal/model/scripted"
	"github.com/openclaw/openclaw-go/internal/policy"
	"github.com/openclaw/openclaw-go/internal/session"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
	"github.com/openclaw/openclaw-go/protocol"
)

// settings are the -- settings -- of a transcript.
type settings struct {
	InFlight   int     `json:"in_flight"`
	Rate       float64 `json:"messages_per_second"`
	Burst      int     `json:"burst"`
	MaxQueue   int     `json:"max_queue"`
	ModelCalls int     `json:"model_calls"`
	Approvals  bool    `json:"approvals"` // calls of the shell need the network, and so an approval
}

// step is one line of the -- model -- section: what the model says next.
type step struct {
	Text  string          `json:"text"`
	Words []string        `json:"words"` // the text as it is written
	Calls []openclaw.Call `json:"calls"`
	Usage openclaw.Usage  `json:"usage"`
	Error openclaw.Code   `json:"error"`
	Block bool            `json:"block"` // until the turn ends
	Wait  string          `json:"wait"`  // a duration of the test's own clock
	Stop  string          `json:"stop"`
}

func (s step) scripted() scripted.Step {
	out := scripted.Step{Text: s.Text, Deltas: s.Words, Calls: s.Calls, Usage: s.Usage, Stop: openclaw.StopReason(s.Stop)}
	if s.Error != "" {
		out.Err = &openclaw.Error{Code: s.Error, Message: "the model API said so"}
	}
	out.Block = func(ctx context.Context) error {
		wait, _ := time.ParseDuration(s.Wait)
		if s.Block {
			wait = 24 * time.Hour
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	return out
}

// fakeTool answers every call with its text.
type fakeTool struct {
	name, output string
	exit         int
	panics       bool
}

func (f fakeTool) Spec() openclaw.ToolSpec {
	return openclaw.ToolSpec{
		Name: f.name, Description: "Answers " + f.output, Parameters: json.RawMessage(`{"type":"object"}`),
	}
}

func (f fakeTool) Run(context.Context, *openclaw.Call) (*openclaw.Result, error) {
	if f.panics {
		panic("the tool is broken")
	}
	return &openclaw.Result{Output: f.output, ExitCode: f.exit}, nil
}

// careful is a fakeTool whose calls need the network.
type careful struct{ fakeTool }

func (careful) Action(call *openclaw.Call) (*openclaw.Action, error) {
	var args struct{ Command, Reason string }
	if err := json.Unmarshal(call.Args, &args); err != nil {
		return nil, err
	}
	return &openclaw.Action{
		Argv: []string{"/bin/bash", "-c", args.Command}, Dir: "/home/me/.openclaw/workspace",
		Env: []string{"TERM=xterm"}, Needs: openclaw.Needs{Network: true}, Reason: args.Reason,
	}, nil
}

// newTools returns the tools and what is known of approvals.
func newTools(t testing.TB, s settings) ([]openclaw.Tool, gateway.Approvals) {
	shell := fakeTool{name: "shell", output: "Desktop\nDocuments\nDownloads\n"}
	tools := []openclaw.Tool{shell, fakeTool{name: "broken", panics: true}}
	if !s.Approvals {
		return tools, nil
	}
	grants, err := policy.OpenGrants(filepath.Join(t.TempDir(), "approvals.json"), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.New(policy.Config{Grants: grants})
	if err != nil {
		t.Fatal(err)
	}
	tools[0] = careful{shell}
	return p.Wrap(tools), approvals{grants}
}

// approvals are what has been approved for longer.
type approvals struct{ grants *policy.Grants }

func (a approvals) List() []protocol.KeptApproval {
	kept := []protocol.KeptApproval{}
	for _, g := range a.grants.List() {
		kept = append(kept, protocol.KeptApproval{
			ID: g.ID, Session: g.Session, Tool: g.Tool, Argv: g.Argv, Dir: g.Dir, Env: g.Env, Needs: g.Needs, At: protocol.FormatTime(g.At),
		})
	}
	return kept
}

func (a approvals) Revoke(id string) error { return a.grants.Revoke(id) }

func (approvals) Explain(q protocol.ApprovalExplain) (protocol.ApprovalExplained, error) {
	return protocol.ApprovalExplained{Decision: "asks", Rule: "permissions.mode: ask", Reason: q.Command + " needs an approval"}, nil
}

// models serves every name but those of the provider nosuch.
type models struct{ model openclaw.Model }

func (m models) Resolve(name string) (agent.Choice, error) {
	if strings.HasPrefix(name, "nosuch/") {
		return agent.Choice{}, &openclaw.Error{
			Code: openclaw.CodeModelNotFound, Message: "provider nosuch is not configured",
		}
	}
	if name == "" {
		name = "scripted"
	}
	return agent.Choice{Provider: "test", Name: name, Model: m.model}, nil
}

// skills knows the one skill of gateway-api.txt.
type skills struct{}

func (skills) Invoke(name, args string) (gateway.Invocation, error) {
	if name != "email-assistant" {
		return gateway.Invocation{}, &openclaw.Error{
			Code: openclaw.CodeSkillNotFound, Message: "there is no skill " + name,
			Details: map[string]any{"nearest": []string{"email-assistant"}},
		}
	}
	return gateway.Invocation{Prompt: "Skill: read the mail. Arguments: " + args}, nil
}

// Fit knows /email-assistant, which may use no tool at all, and /off, which
// cannot be invoked.
func (s skills) Fit(text string) (gateway.Invocation, error) {
	name, args, _ := strings.Cut(text, " ")
	switch name {
	case "/email-assistant":
		found, err := s.Invoke(name[1:], args)
		found.Tools = []string{}
		return found, err
	case "/off":
		return s.Invoke(name, args)
	}
	if strings.HasPrefix(name, "/") {
		return gateway.Invocation{Hint: "no skill is called " + name[1:]}, nil
	}
	return gateway.Invocation{}, nil
}

func (skills) List() []protocol.SkillEntry {
	return []protocol.SkillEntry{{Name: "email-assistant", Description: "Reads mail.", Source: "user", Enabled: true}}
}

func (skills) Counts() protocol.SkillCounts { return protocol.SkillCounts{Loaded: 1} }

// heart has nothing to do.
type heart struct{}

func (heart) Trigger(dryRun bool) protocol.HeartbeatStatus {
	status := protocol.HeartbeatStatus{Result: protocol.HeartbeatOK, TokensUsed: 450}
	if dryRun {
		status.TokensUsed, status.Due = 0, []protocol.Due{}
	}
	return status
}

func (heart) State() protocol.HeartbeatState {
	return protocol.HeartbeatState{Enabled: true, IntervalSeconds: 1800}
}

func (heart) History(_ context.Context, limit int) ([]openclaw.Run, error) {
	due := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	return []openclaw.Run{{
		Job: "heartbeat", Due: due, State: openclaw.RunSkipped, Result: protocol.HeartbeatSkipped, Reason: "quiet_hours", Attempt: 1, Ended: due,
	}}[:min(1, limit)], nil
}

// rig is a gateway without sockets.
type rig struct {
	log     *strings.Builder // read it when nothing runs
	store   *sqlite.Store
	hub     *session.Hub
	gateway *gateway.Gateway
}

func newRig(t testing.TB, s settings, steps []step) *rig {
	t.Helper()
	store, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(t.TempDir(), "openclaw.db"), Sync: "normal"})
	if err != nil {
		t.Fatal(err)
	}
	var script []scripted.Step
	for _, step := range steps {
		script = append(script, step.scripted())
	}
	tools, kept := newTools(t, s)
	a, err := agent.New(agent.Config{
		Models: models{scripted.New(script...)}, Limits: agent.Limits{ModelCalls: s.ModelCalls}, Retry: agent.Retry{Attempts: 1},
		Tools: tools,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{store: store, log: &strings.Builder{}}
	r.hub, err = session.NewHub(session.Config{
		Store: store, Agent: func() *agent.Agent { return a },
		MaxQueue: func() int { return max(s.MaxQueue, 1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.gateway, err = gateway.New(gateway.Config{
		Version: "test", Hub: r.hub, Skills: skills{}, Heart: heart{}, CronJobs: cronJobs{}, CronRuns: cronJobs{},
		Limits: gateway.Limits{InFlight: s.InFlight, MessagesPerSecond: s.Rate, Burst: s.Burst},
		Facts:  facts(store, a), Approvals: kept,
		Logger: slog.New(slog.NewTextHandler(r.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func facts(store *sqlite.Store, a *agent.Agent) gateway.Facts {
	return gateway.Facts{
		Model: func() (string, string) { return "test", "scripted" },
		Models: func() []protocol.ModelEntry {
			return []protocol.ModelEntry{{ID: "scripted", Provider: "test", Default: true}}
		},
		Memory:   func() protocol.MemoryState { return protocol.MemoryState{Entries: 2} },
		Sandbox:  func() string { return "" },
		Problems: func() []string { return nil },
		Tools: func() []protocol.ToolEntry {
			var entries []protocol.ToolEntry
			for _, s := range a.Tools() {
				entries = append(entries, protocol.ToolEntry{Name: s.Name, Description: s.Description, Parameters: []byte(s.Parameters)})
			}
			return entries
		},
		ToolNames: func() []string {
			var names []string
			for _, s := range a.Tools() {
				names = append(names, s.Name)
			}
			slices.Sort(names)
			return names
		},
		Stored: func(ctx context.Context) (protocol.UsageToday, int, error) {
			used, err := store.Usage(ctx, openclaw.UsageQuery{By: openclaw.UsageByDay})
			var today protocol.UsageToday
			for _, line := range used {
				today.Tokens, today.CostUSD = today.Tokens+line.Usage.Total(), today.CostUSD+line.Usage.CostUSD
			}
			if err != nil {
				return today, 0, err
			}
			n, err := store.Count(ctx)
			return today, n, err
		},
		Usage: func(_ context.Context, days int) (protocol.Usage, error) {
			return protocol.Usage{From: fmt.Sprint(days, " days ago"), To: "today"}, nil
		},
	}
}

// close ends the rig as the program does.
func (r *rig) close(t testing.TB) {
	t.Helper()
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	r.hub.Drain(expired)
	r.gateway.Close()
	if err := r.store.Close(); err != nil {
		t.Error(err)
	}
}

// recorder is a connection that remembers what was sent.
type recorder struct {
	mu     sync.Mutex
	frames []string
	past   []string
	behind atomic.Bool
}

func (c *recorder) Behind() bool { return c.behind.Load() }

func (c *recorder) Send(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames = append(c.frames, string(frame))
}

func (c *recorder) SendWait(frame []byte) error {
	c.Send(frame)
	return nil
}

func (c *recorder) Close(code protocol.CloseCode, reason string) {
	c.Send(fmt.Appendf(nil, "! close %d %s", code, reason))
}

// take returns what was sent since the last take.
func (c *recorder) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	frames := c.frames
	c.frames, c.past = nil, append(c.past, frames...)
	return frames
}

// all returns everything that was ever sent.
func (c *recorder) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(append([]string(nil), c.past...), c.frames...)
}
