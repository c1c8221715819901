package shell

import (
	"context"
	_ "embed" // for the description
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	wire "github.com/go-json-experiment/json"
	"github.com/openclaw/openclaw-go"
)

//go:embed process.md
var processDescription string

const processParameters = `{"type":"object","properties":{` +
	`"action":{"type":"string","enum":["list","poll","write","kill"]},` +
	`"job":{"type":"string"},` +
	`"input":{"type":"string"},` +
	`"end":{"type":"boolean","description":"no input follows"},` +
	`"wait_ms":{"type":"integer","description":"for output"}},` +
	`"required":["action"]}`

const (
	defaultWait = time.Second
	maxWait     = 5 * time.Minute
	maxInput    = 64 << 10
)

// Process is the tool that deals with commands in the background. It is safe
// for concurrent use.
//
// Its calls are repeatable: no job outlives the gateway, so that one which is
// made again after a crash finds none and says so.
type Process struct {
	host *Host
	spec openclaw.ToolSpec
}

// NewProcess returns the tool for the jobs of host.
func NewProcess(host *Host) *Process {
	return &Process{host: host, spec: openclaw.ToolSpec{
		Name: "process", Description: strings.TrimSpace(processDescription),
		Parameters: json.RawMessage(processParameters), Repeatable: true,
	}}
}

// Spec implements openclaw.Tool.
func (p *Process) Spec() openclaw.ToolSpec { return p.spec }

// request is a call of Process.
type request struct {
	Action string        `json:"action"`
	Job    string        `json:"job"`
	Input  string        `json:"input"`
	End    bool          `json:"end"`
	WaitMS *float64      `json:"wait_ms"`
	wait   time.Duration // from WaitMS
}

func parseRequest(data json.RawMessage) (request, error) {
	var r request
	if err := wire.Unmarshal(data, &r); err != nil {
		return r, explain(err, `{"action": "list"}`)
	}
	r.wait = defaultWait
	if r.WaitMS != nil {
		r.wait = time.Duration(max(0, min(*r.WaitMS, float64(maxWait.Milliseconds())))) * time.Millisecond
	}
	switch {
	case !slices.Contains([]string{"list", "poll", "write", "kill"}, r.Action):
		return r, badArgs(fmt.Sprintf("the action %q is none; write list, poll, write or kill", r.Action))
	case r.Action != "list" && r.Job == "":
		return r, badArgs(`the argument "job" is missing; the action list shows the jobs there are`)
	case r.Action == "write" && r.Input == "" && !r.End:
		return r, badArgs(`there is nothing to write; give "input", or end the job's input with "end": true`)
	case len(r.Input) > maxInput:
		return r, badArgs(fmt.Sprintf("input is %d bytes long, the limit is %d; write it to a file that the command reads", len(r.Input), maxInput))
	}
	return r, nil
}

// Action says what a call comes to. What is written to a job that may do more
// than the sandbox gives can make it do anything that it may, so each such text
// needs what the job did.
func (p *Process) Action(call *openclaw.Call) (*openclaw.Action, error) {
	r, err := parseRequest(call.Args)
	if err != nil || r.Action != "write" || r.Input == "" {
		return nil, err
	}
	j, err := p.host.find(call.Session, r.Job)
	if err != nil || j.action.Needs.None() {
		return nil, err
	}
	action := j.action
	action.Argv = append(slices.Clone(action.Argv), "<<<", r.Input)
	action.Reason = ""
	return &action, nil
}

// Run implements openclaw.Tool.
func (p *Process) Run(ctx context.Context, call *openclaw.Call) (*openclaw.Result, error) {
	r, err := parseRequest(call.Args)
	if err != nil {
		return nil, err
	}
	if r.Action == "list" {
		return &openclaw.Result{CallID: call.ID, Output: p.list(call.Session)}, nil
	}
	j, err := p.host.find(call.Session, r.Job)
	if err != nil {
		return nil, err
	}
	switch r.Action {
	case "write":
		err = p.write(j, call.Approved, r)
	case "kill":
		j.cancel(errKilled)
		<-j.done // within a second
	}
	if err == nil {
		err = j.wait(ctx, r.wait)
	}
	if err != nil {
		return nil, err
	}
	return j.report(call.ID), nil
}

// write writes what was approved, where that is needed.
func (p *Process) write(j *job, approved *openclaw.Action, r request) error {
	switch {
	case approved != nil:
		r.Input = approved.Argv[len(approved.Argv)-1]
	case r.Input != "" && !j.action.Needs.None():
		return &openclaw.Error{Code: openclaw.CodeApprovalDenied, Message: "denied: nobody has approved writing to a job that may do more than the sandbox gives"}
	}
	if r.Input != "" {
		if err := j.write(r.Input); err != nil {
			return err
		}
	}
	if r.End {
		j.closeInput()
	}
	return nil
}

// report says what the job has printed and how it is.
func (j *job) report(callID string) *openclaw.Result {
	state, notes, over := j.state()
	res := &openclaw.Result{CallID: callID}
	res.Output, res.Truncated, res.OutputBytes = j.output.take(over)
	for _, note := range append(notes, state) {
		res.Output = addNote(res.Output, "["+note+"]")
	}
	return res
}

func (p *Process) list(session string) string {
	var b strings.Builder
	for _, j := range p.host.list(session) {
		state, _, _ := j.state()
		fmt.Fprintf(&b, "%s: %s\n", state, firstBytes(strings.Join(strings.Fields(j.text), " "), 200))
	}
	if b.Len() == 0 {
		return "[this conversation has no jobs]\n"
	}
	return b.String()
}
