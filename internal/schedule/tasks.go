package schedule

import (
	"errors"
	"os"
	"strings"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/protocol"
)

// maxTasks bounds the size of HEARTBEAT.md, in bytes.
const maxTasks = 64 << 10

// prompt is what the model reads. The first line is how a model, and the
// offline one in particular, knows a heartbeat.
func prompt(tasks string) string {
	return "# Heartbeat\n\nThis is a scheduled check, not a message from a person. The owner's HEARTBEAT.md says:\n\n" +
		tasks + "\n\nDo what it asks for now. If nothing needs doing or reporting, reply with exactly " + protocol.HeartbeatOK + "."
}

// readTasks returns what HEARTBEAT.md asks for; "" when the file is absent or
// has nothing but blank lines, headings and comments.
func readTasks(path string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err == nil && (info.Size() > maxTasks || !info.Mode().IsRegular()) {
		return "", &openclaw.Error{
			Code: openclaw.CodeInvalidMessage, Message: "HEARTBEAT.md must be a file of at most 64 KiB; shorten it",
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", &openclaw.Error{
			Code: openclaw.CodeInternal, Message: "HEARTBEAT.md cannot be read; check its permissions", Err: err,
		}
	}
	return asks(strings.ToValidUTF8(string(data), "\uFFFD")), nil
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
