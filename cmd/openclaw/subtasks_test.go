package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/tool/task"
)

// TestSubtask runs one through the whole gateway: in a conversation of its
// own, with no tools but those it was given, and the same once however often
// it is asked for.
func TestSubtask(t *testing.T) {
	s := serveApp(t)
	w := task.Work{Session: "task:1", Key: "task:1", Prompt: "run: echo hello >> " + s.home + "/mark; echo hello", Tools: []string{"shell"}, Tokens: 1e6, Timeout: time.Minute}
	for range 2 {
		answer, err := s.parts.tasks.RunTask(t.Context(), w)
		if err != nil || !strings.Contains(answer, "hello") {
			t.Errorf("%q, %v", answer, err)
		}
	}
	info, err := s.store.Session(t.Context(), "task:1")
	if err != nil || info.Turns != 1 {
		t.Errorf("%+v, %v", info, err)
	}
	w.Session, w.Key, w.Tools = "task:2", "task:2", []string{}
	if answer, err := s.parts.tasks.RunTask(t.Context(), w); err == nil && strings.Contains(answer, "hello\n") {
		t.Errorf("without tools: %q", answer)
	}
}

// TestSubtaskStops ends with the turn that asked for it.
func TestSubtaskStops(t *testing.T) {
	s := serveApp(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	w := task.Work{Session: "task:1", Key: "k", Prompt: "run: sleep 60", Tools: []string{"shell"}, Tokens: 1e6, Timeout: time.Minute}
	if _, err := s.parts.tasks.RunTask(ctx, w); err == nil {
		t.Error("it went on")
	}
	events, err := s.store.Events(t.Context(), "task:1", openclaw.EventRange{})
	if err != nil || len(events) == 0 || events[len(events)-1].Kind() != openclaw.KindTurnCancelled {
		t.Errorf("%d events, %v", len(events), err)
	}
}

// TestTaskIsOffered to turns, and not to those that leave nothing.
func TestTaskIsOffered(t *testing.T) {
	s := serveApp(t)
	for _, spec := range s.parts.agent().Tools() {
		if spec.Name == task.Name {
			var schema map[string]any
			if err := json.Unmarshal(spec.Parameters, &schema); err != nil || !spec.Memory || !spec.Repeatable {
				t.Errorf("%+v, %v", spec, err)
			}
			return
		}
	}
	t.Error("there is no tool " + task.Name)
}
