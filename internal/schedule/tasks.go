package schedule

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// Bounds of HEARTBEAT.md.
const (
	maxChecklist = 64 << 10 // bytes
	maxTasks     = 100
	shortestTask = time.Minute
)

// freeForm is what the text of HEARTBEAT.md is called beside its tasks.
const freeForm = "HEARTBEAT.md"

// Task is one entry of HEARTBEAT.md with a clock of its own.
type Task struct {
	Name     string
	Interval time.Duration
	Prompt   string
}

// checklist is what HEARTBEAT.md asks for.
type checklist struct {
	tasks []Task
	text  string // "": nothing but blank lines, headings and comments
}

// prompt is what the model reads. The first line is how a model, and the
// offline one in particular, knows a heartbeat.
func prompt(due []Task) string {
	var asked strings.Builder
	for _, task := range due {
		if task.Name != freeForm {
			fmt.Fprintf(&asked, "## %s\n\n", task.Name)
		}
		asked.WriteString(task.Prompt + "\n\n")
	}
	return "# Heartbeat\n\nThis is a scheduled check, not a message from a person. The owner's HEARTBEAT.md says:\n\n" +
		asked.String() + "Do what it asks for now. If nothing needs doing or reporting, reply with exactly " + protocol.HeartbeatOK + "."
}

// readChecklist reads HEARTBEAT.md; one that is absent asks for nothing.
func readChecklist(path string) (checklist, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return checklist{}, nil
	}
	if err == nil && (info.Size() > maxChecklist || !info.Mode().IsRegular()) {
		return checklist{}, faulty("must be a file of at most 64 KiB; shorten it")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return checklist{}, &openclaw.Error{
			Code: openclaw.CodeInternal, Message: "HEARTBEAT.md cannot be read; check its permissions", Err: err,
		}
	}
	return parseChecklist(strings.ToValidUTF8(string(data), "\uFFFD"))
}

func faulty(what string) error {
	return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: "HEARTBEAT.md " + what}
}

// parseChecklist takes front matter with tasks and the text after it apart.
func parseChecklist(text string) (checklist, error) {
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	rest, opened := strings.CutPrefix(text, "---\n")
	front, body, closed := strings.Cut("\n"+rest, "\n---\n")
	if !closed {
		front, closed = strings.CutSuffix("\n"+rest, "\n---")
	}
	if !opened || !closed { // a rule at the top is a rule
		return checklist{text: asks(text)}, nil
	}
	tasks, err := parseTasks(front)
	if err != nil {
		return checklist{}, err
	}
	return checklist{tasks: tasks, text: asks(body)}, nil
}

// parseTasks reads the tasks of the front matter, whose other keys may be
// anything.
func parseTasks(front string) ([]Task, error) {
	var matter struct {
		Tasks []struct {
			Name     string    `yaml:"name"`
			Interval yaml.Node `yaml:"interval"`
			Prompt   string    `yaml:"prompt"`
		} `yaml:"tasks"`
	}
	if err := yaml.Unmarshal([]byte(front), &matter); err != nil {
		return nil, faulty("has front matter that cannot be read: " + strings.ReplaceAll(err.Error(), "\n", " "))
	}
	if len(matter.Tasks) > maxTasks {
		return nil, faulty(fmt.Sprintf("has more than %d tasks", maxTasks))
	}
	seen := map[string]bool{}
	var tasks []Task
	for i, entry := range matter.Tasks {
		task := Task{Name: strings.TrimSpace(entry.Name), Prompt: strings.TrimSpace(entry.Prompt)}
		var err error
		if task.Interval, err = parseInterval(entry.Interval.Value); err != nil {
			return nil, faulty(fmt.Sprintf("line %d: the interval of task %d %s", entry.Interval.Line, i+1, err))
		}
		switch {
		case !validTask(task.Name):
			return nil, faulty(fmt.Sprintf("task %d needs a name of 1 to 64 letters, digits, spaces and ._-", i+1))
		case seen[task.Name]:
			return nil, faulty("has two tasks called " + task.Name)
		case task.Prompt == "":
			return nil, faulty("task " + task.Name + " needs a prompt")
		}
		seen[task.Name] = true
		tasks = append(tasks, task)
	}
	return tasks, nil
}

// parseInterval reads a duration; a bare number is seconds.
func parseInterval(text string) (time.Duration, error) {
	if text != "" && strings.Trim(text, "0123456789") == "" {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < shortestTask {
		return 0, errors.New("must be a duration of at least a minute, such as 30m, or a number of seconds")
	}
	return d, nil
}

func validTask(name string) bool {
	return openclaw.ValidJobName(strings.ReplaceAll(name, " ", "_")) && name != freeForm
}

// asks returns the text without its comments, "" if only headings are left.
func asks(text string) string {
	for {
		before, rest, found := strings.Cut(text, "<!--")
		if !found {
			break
		}
		_, after, _ := strings.Cut(rest, "-->")
		text = before + after
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") && strings.Trim(line, "-*+ []") != "" {
			return strings.TrimSpace(text)
		}
	}
	return ""
}
