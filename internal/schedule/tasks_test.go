package schedule

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestChecklist(t *testing.T) {
	const text = "- look at the disk"
	tasks := func(body string) string { return "---\ntasks:\n" + body + "---\n\n# Notes\n" }
	one := []Task{{"inbox triage", 30 * time.Minute, "Check the inbox."}}
	tests := []struct {
		name, file string
		tasks      []Task
		text, err  string
	}{
		{"free form", text, nil, text, ""},
		{"a task", tasks("- {name: inbox triage, interval: 30m, prompt: Check the inbox.}\n"), one, "", ""},
		{"a bare number is seconds", tasks("- {name: inbox triage, interval: 1800, prompt: Check the inbox.}\n"), one, "", ""},
		{"both", tasks("- {name: inbox triage, interval: 30m, prompt: Check the inbox.}\n") + text, one, "# Notes\n" + text, ""},
		{"BOM and CRLF", "\ufeff" + strings.ReplaceAll(tasks("- {name: inbox triage, interval: 30m, prompt: Check the inbox.}\n"), "\n", "\r\n"), one, "", ""},
		{"nothing after the front matter", "---\ntasks: []\n---", nil, "", ""},
		{"a rule, not front matter", "---\n" + text, nil, "---\n" + text, ""},
		{"other keys", "---\ntitle: mine\n---\n" + text, nil, text, ""},
		{"broken", "---\ntasks: [\n---\n", nil, "", "cannot be read"},
		{"not a list", "---\ntasks: 5\n---\n", nil, "", "cannot be read"},
		{"no interval", tasks("- {name: a, prompt: p}\n"), nil, "", "interval of task 1"},
		{"interval too short", tasks("- {name: a, interval: 5s, prompt: p}\n"), nil, "", "line 3: the interval of task 1 must be a duration of at least a minute"},
		{"no name", tasks("- {interval: 5m, prompt: p}\n"), nil, "", "task 1 needs a name"},
		{"a name that matches others", tasks("- {name: '*', interval: 5m, prompt: p}\n"), nil, "", "task 1 needs a name"},
		{"no prompt", tasks("- {name: a, interval: 5m}\n"), nil, "", "task a needs a prompt"},
		{"twice", tasks("- {name: a, interval: 5m, prompt: p}\n- {name: a, interval: 5m, prompt: p}\n"), nil, "", "two tasks called a"},
		{"too many", tasks(strings.Repeat("- {}\n", maxTasks+1)), nil, "", "more than 100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseChecklist(tt.file)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.tasks, got.tasks); diff != "" || got.text != tt.text {
				t.Errorf("text %q, want %q; tasks (-want +got):\n%s", got.text, tt.text, diff)
			}
		})
	}
}
