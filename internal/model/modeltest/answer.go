// Package modeltest is what the tests of model adapters share: it collects the
// answers of an openclaw.Model while checking what that interface promises,
// plays recorded streams over HTTP, and runs the suite every adapter has to
// pass.
//
// It owns the test servers it starts, which end with their test. It knows no
// API's wire format: the adapter's tests bring the recordings.
package modeltest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/openclaw/openclaw-go"
)

// Answer is all that came back from one call of a model.
type Answer struct {
	Deltas []string
	Parts  []openclaw.Part
	Stop   openclaw.StopReason // "" after an error
	Usage  openclaw.Usage
	Model  string
	Err    error // how the sequence ended, nil after a Stop
}

// Collect reads seq to its end and reports each breach of what
// openclaw.Model promises as an error of the test.
func Collect(t testing.TB, seq iter.Seq2[openclaw.ModelEvent, error]) Answer {
	t.Helper()
	a, err := Gather(seq)
	if err != nil {
		t.Errorf("the model breaks its contract: %v\nafter:\n%s", err, a)
	}
	return a
}

// Gather is Collect for fuzz targets and other places without a test: it
// returns the first breach.
func Gather(seq iter.Seq2[openclaw.ModelEvent, error]) (a Answer, breach error) {
	found := func(err error) {
		if breach == nil {
			breach = err
		}
	}
	for ev, err := range seq {
		if a.Stop != "" || a.Err != nil {
			found(errors.New("an event after the last one"))
		}
		if err != nil {
			a.Err = err
			found(checkError(err))
			continue
		}
		found(a.add(ev))
	}
	if a.Stop == "" && a.Err == nil {
		found(errors.New("neither a Stop nor an error"))
	}
	if a.Stop != "" {
		found(a.check())
	}
	return a, breach
}

func (a *Answer) add(ev openclaw.ModelEvent) error {
	set := 0
	if ev.Delta != "" {
		set++
		a.Deltas = append(a.Deltas, ev.Delta)
	}
	if ev.Part != nil {
		set++
		a.Parts = append(a.Parts, *ev.Part)
	}
	if ev.Stop != "" {
		set++
		a.Stop, a.Usage, a.Model = ev.Stop, ev.Usage, ev.Model
	} else if ev.Usage != (openclaw.Usage{}) || ev.Model != "" {
		return errors.New("usage or model before the Stop")
	}
	if set != 1 {
		return fmt.Errorf("an event sets %d of Delta, Part and Stop", set)
	}
	return nil
}

// check looks at the parts of a finished answer as a whole.
func (a *Answer) check() error {
	ids := map[string]bool{}
	for i, p := range a.Parts {
		if err := checkPart(p); err != nil {
			return fmt.Errorf("part %d: %w", i, err)
		}
		if p.Kind == openclaw.PartToolCall {
			if ids[p.Call.ID] {
				return fmt.Errorf("part %d: the call id %q occurs twice", i, p.Call.ID)
			}
			ids[p.Call.ID] = true
		}
	}
	if got, want := strings.Join(a.Deltas, ""), a.Text(); got != want {
		return fmt.Errorf("the deltas say %q, the parts %q", got, want)
	}
	if u := a.Usage; u.Input < 0 || u.Output < 0 || u.CacheRead < 0 || u.CacheWrite < 0 || u.CostUSD < 0 {
		return fmt.Errorf("negative usage %+v", u)
	}
	return nil
}

func checkPart(p openclaw.Part) error {
	if len(p.Opaque) > 0 && (p.Provider == "" || !json.Valid(p.Opaque)) {
		return errors.New("opaque data without a provider, or that is no JSON")
	}
	if !utf8.ValidString(p.Text) {
		return errors.New("the text is not valid UTF-8")
	}
	switch p.Kind {
	case openclaw.PartText:
		if p.Text == "" {
			return errors.New("an empty text")
		}
	case openclaw.PartThinking:
	case openclaw.PartToolCall:
		c := p.Call
		if c == nil || c.ID == "" || c.Tool == "" {
			return errors.New("a tool call without id or name")
		}
		if args := bytes.TrimSpace(c.Args); !json.Valid(args) || args[0] != '{' {
			return fmt.Errorf("arguments that are no JSON object: %s", c.Args)
		}
	default:
		return fmt.Errorf("a model writes no part of kind %q", p.Kind)
	}
	return nil
}

func checkError(err error) error {
	var e *openclaw.Error
	if !errors.As(err, &e) {
		return nil // a context's own; which one, the caller knows
	}
	switch e.Code {
	case openclaw.CodeModelNotFound, openclaw.CodeModelUnavailable, openclaw.CodeModelError, openclaw.CodeContextOverflow:
	default:
		return fmt.Errorf("a model fails with code %s", e.Code)
	}
	if e.Message == "" {
		return errors.New("an error without a message")
	}
	return nil
}

// Text returns the text of all text parts.
func (a Answer) Text() string {
	var b strings.Builder
	for _, p := range a.Parts {
		if p.Kind == openclaw.PartText {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// Calls returns the tool calls.
func (a Answer) Calls() []openclaw.Call {
	var calls []openclaw.Call
	for _, p := range a.Parts {
		if p.Kind == openclaw.PartToolCall {
			calls = append(calls, *p.Call)
		}
	}
	return calls
}

// Kind returns what the error's details say of its kind, "" where they say
// nothing.
func (a Answer) Kind() string {
	var e *openclaw.Error
	if !errors.As(a.Err, &e) {
		return ""
	}
	kind, _ := e.Details["kind"].(string)
	return kind
}

// String returns the answer in the form of the golden files: a line for each
// event, in order.
func (a Answer) String() string {
	var b strings.Builder
	for _, d := range a.Deltas {
		fmt.Fprintf(&b, "delta %q\n", d)
	}
	for _, p := range a.Parts {
		switch p.Kind {
		case openclaw.PartToolCall:
			fmt.Fprintf(&b, "%s %s %s %s", p.Kind, p.Call.ID, p.Call.Tool, p.Call.Args)
		default:
			fmt.Fprintf(&b, "%s %q", p.Kind, p.Text)
		}
		if len(p.Opaque) > 0 {
			fmt.Fprintf(&b, " opaque %s", p.Opaque)
		}
		b.WriteByte('\n')
	}
	if a.Stop != "" {
		fmt.Fprintf(&b, "stop %s", a.Stop)
		if a.Model != "" {
			fmt.Fprintf(&b, " by %s", a.Model)
		}
		fmt.Fprintf(&b, "\nusage input %d output %d cache_read %d cache_write %d cost_usd %g\n",
			a.Usage.Input, a.Usage.Output, a.Usage.CacheRead, a.Usage.CacheWrite, a.Usage.CostUSD)
	}
	if a.Err != nil {
		fmt.Fprintf(&b, "error %s\n", describe(a.Err))
	}
	return b.String()
}

func describe(err error) string {
	var e *openclaw.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	details, _ := json.Marshal(e.Details)
	return fmt.Sprintf("%s %q %s", e.Code, e.Message, details)
}

// Golden compares got with the file at path, or writes it there when update is
// set.
func Golden(t testing.TB, path, got string, update bool) {
	t.Helper()
	if update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}
