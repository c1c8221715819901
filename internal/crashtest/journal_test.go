package crashtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// journal is the account that processes give of themselves, in a file outside
// of the store: when each began, which calls its tools carried out, and what
// its model found wrong. A line is one write, and as long as a divisor of a
// page, so that a killed process has written it wholly or not at all.
type journal struct{ file *os.File }

const lineSize = 256

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{f}
	return j, j.write(entry{What: "boot"})
}

// entry is a line of the journal.
type entry struct {
	What string    `json:"what"` // boot, start, end, fault
	ID   string    `json:"id,omitzero"`
	Note string    `json:"note,omitzero"`
	At   time.Time `json:"at"`
}

func (j *journal) write(e entry) error {
	e.At = time.Now().UTC()
	e.Note = e.Note[:min(len(e.Note), 100)]
	line, err := json.Marshal(e)
	if err == nil && len(line) >= lineSize {
		err = errors.New("journal: line too long")
	}
	if err == nil {
		_, err = fmt.Fprintf(j.file, "%-*s\n", lineSize-1, line)
	}
	return err
}

// deeds are what the journal says.
type deeds struct {
	boots  []time.Time
	starts map[string]int      // how often each call began
	ends   map[string][]string // what each call returned
	faults []string
}

func readJournal(path string) (deeds, error) {
	d := deeds{starts: map[string]int{}, ends: map[string][]string{}}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return d, nil // killed before it could begin
	}
	if err != nil {
		return d, err
	}
	for line := range strings.Lines(string(data)) {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return d, fmt.Errorf("journal: %q: %w", line, err)
		}
		switch e.What {
		case "boot":
			d.boots = append(d.boots, e.At)
		case "start":
			d.starts[e.ID]++
		case "end":
			d.ends[e.ID] = append(d.ends[e.ID], e.Note)
		case "fault":
			d.faults = append(d.faults, e.Note)
		}
	}
	return d, nil
}

// bootsBetween counts the processes that began after from and before to.
func (d deeds) bootsBetween(from, to time.Time) (n int) {
	for _, at := range d.boots {
		if at.After(from) && at.Before(to) {
			n++
		}
	}
	return n
}

// toolName is the name of the one tool.
const toolName = "work"

// work is a tool that takes the time it is told to, and writes down that it
// ran.
type work struct {
	book *journal
	fuse *fuse
}

// workArgs are the arguments of a call.
type workArgs struct {
	MS int `json:"ms"`
}

// Spec implements openclaw.Tool.
func (work) Spec() openclaw.ToolSpec {
	return openclaw.ToolSpec{Name: toolName, Description: "Works.", Parameters: json.RawMessage(`{"type":"object"}`)}
}

// Run implements openclaw.Tool. What it returns is different each time it
// runs.
func (w work) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	var args workArgs
	if err := json.Unmarshal(call.Args, &args); err != nil {
		return nil, err
	}
	if err := w.book.write(entry{What: "start", ID: call.ID}); err != nil {
		return nil, err
	}
	w.fuse.at(inTool)
	if err := pause(ctx, args.MS); err != nil {
		return nil, err
	}
	output := fmt.Sprintf("%s%s at %d", ranPrefix, call.ID, time.Now().UnixNano())
	if err := w.book.write(entry{What: "end", ID: call.ID, Note: output}); err != nil {
		return nil, err
	}
	w.fuse.at(afterTool)
	return &openclaw.Result{Output: output}, nil
}

// ranPrefix begins the output of a call that ran.
const ranPrefix = "ran "

// pause waits, for less if ctx ends.
func pause(ctx context.Context, ms int) error {
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
	case <-ctx.Done():
	}
	return ctx.Err()
}
