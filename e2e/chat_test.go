package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// fill puts files with these names into the user's home directory.
func (h *home) fill(names ...string) []string {
	h.t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(name), 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	return names
}

// question is the first thing a newcomer asks.
const question = "What files are in my home directory?"

func TestFirstChat(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	names := h.fill("letter.txt", "holiday photo.jpg", "zürich.pdf")
	c := h.start().dial(client.Options{})
	var shown []protocol.Message
	r, err := c.Chat(within(t), protocol.Chat{Text: question}, func(m protocol.Message) { shown = append(shown, m) })
	if err != nil {
		t.Fatal(err)
	}
	if !containsAll(r.Text, names...) {
		t.Errorf("the answer does not name the files %q:\n%s", names, r.Text)
	}
	if len(r.ToolCalls) != 1 || r.ToolCalls[0].Tool != "shell" || string(r.ToolCalls[0].Args) != `{"command":"ls ~"}` {
		t.Errorf("the tool calls are %+v, want one of ls ~", r.ToolCalls)
	}
	if len(shown) != 2 || shown[0].Type != protocol.TypeToolCall || shown[1].Type != protocol.TypeToolResult {
		t.Errorf("shown meanwhile: %+v, want the call and its result", shown)
	}
}

// TestChatAlone is the first run: no gateway, no key, no configuration.
func TestChatAlone(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	names := h.fill("letter.txt", "holiday.jpg")
	got := h.run("chat", question)
	if got.code != 0 || !containsAll(got.stdout, names...) {
		t.Errorf("chat ended with %d and does not name %q:\n%s\n%s", got.code, names, got.stdout, got.stderr)
	}
	if !strings.Contains(got.stderr, "no gateway is running") {
		t.Errorf("chat does not say that it serves a gateway itself: %s", got.stderr)
	}
	again := h.run("chat", "What did I ask first?")
	if again.code != 0 || !strings.Contains(again.stdout, question) {
		t.Errorf("the second chat does not know of the first one: %+v", again)
	}
}

func TestChatWithRunningGateway(t *testing.T) {
	t.Parallel()
	h := newHome(t).set("OPENCLAW_PORT=" + freePort(t))
	c := h.start().dial(client.Options{})
	got := h.run("chat", "--session", "terminal", "run: echo from-the-terminal")
	if got.code != 0 || !strings.Contains(got.stdout, "from-the-terminal") {
		t.Errorf("chat answers %+v", got)
	}
	if strings.Contains(got.stderr, "no gateway is running") {
		t.Errorf("chat has not found the gateway: %s", got.stderr)
	}
	list, err := client.Ask[protocol.Sessions](within(t), c, protocol.TypeSessionList, protocol.SessionList{})
	if err != nil || len(list.Sessions) != 1 || list.Sessions[0].Session != "terminal" {
		t.Errorf("the gateway has the sessions %+v, %v", list.Sessions, err)
	}
}

// TestNoMemory looks for what such a turn may have left anywhere.
func TestNoMemory(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	g := h.start()
	c := g.dial(client.Options{})
	yes := true
	const secret = "xyzzy-plugh"
	for _, said := range []string{"run: echo " + secret, "Remember that my password is " + secret} {
		chat := say("private", said)
		chat.Options.NoMemory = &yes
		r, err := c.Chat(within(t), chat, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Seq != 0 {
			t.Errorf("%q was stored as event %d", said, r.Seq)
		}
	}
	_, err := client.Ask[protocol.History](within(t), c, protocol.TypeSessionHistory, protocol.SessionHistory{Session: "private"})
	wantCode(t, err, openclaw.CodeSessionNotFound)
	status, err := client.Ask[protocol.Status](within(t), c, protocol.TypeStatus, struct{}{})
	if err != nil || status.Sessions != 0 || status.Memory.Entries != 0 {
		t.Errorf("status says %+v, %v", status, err)
	}
	g.stop()
	if where := h.find(secret); len(where) > 0 {
		t.Errorf("the turn has left something in %q", where)
	}
}

// find returns the files of the home directory that contain the text.
func (h *home) find(what string) (where []string) {
	h.t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(what)) {
			where = append(where, path)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return where
}

func TestMovedHome(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	elsewhere := t.TempDir()
	h.set("OPENCLAW_HOME=" + elsewhere)
	g := h.start()
	if _, err := g.dial(client.Options{}).Chat(within(t), say("main", "run: echo x > made.txt"), nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"openclaw.db", "gateway.pid", "logs", "workspace/made.txt"} {
		if _, err := os.Stat(filepath.Join(elsewhere, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(h.state()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("~/.openclaw is there as well: %v", err)
	}
}

func TestSkillInvoke(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("config.yml", "skills: {path: "+h.state("my-skills")+"}\n")
	h.write("my-skills/greet/SKILL.md", "---\nname: greet\ndescription: Greets.\n---\n\nrun: echo greetings from $(basename {baseDir})\n")
	c := h.start().dial(client.Options{})
	r, err := client.Ask[protocol.Response](within(t), c, protocol.TypeSkillInvoke, protocol.SkillInvoke{Skill: "greet"})
	if err != nil || !strings.Contains(r.Text, "greetings from greet") || len(r.ToolCalls) != 1 {
		t.Errorf("the skill answers %+v, %v", r, err)
	}
	_, err = client.Ask[protocol.Response](within(t), c, protocol.TypeSkillInvoke, protocol.SkillInvoke{Skill: "great"})
	wantCode(t, err, openclaw.CodeSkillNotFound)
}
