package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/time/rate"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/audit"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/policy"
)

// auditOptions say where the audit log is. Its key and its head stand beside
// the configuration, out of reach of who can only write logs.
func auditOptions(c *config.Config) audit.Options {
	return audit.Options{
		Dir: c.Logging.Path, Key: filepath.Join(c.Home, "audit.key"), Head: filepath.Join(c.Home, "audit.head"),
		MaxSize: int64(c.Logging.MaxSize), MaxFiles: c.Logging.MaxFiles,
	}
}

// Refused requests are recorded up to this rate, so that nobody can push the
// rest out of the record with them; the next one that is says how many were not.
const (
	refusedPerSecond = 5
	refusedBurst     = 50
)

// auditor writes down what happens. Without open it writes nothing.
type auditor struct {
	logger *slog.Logger
	log    *audit.Log // nil: logging.audit.enabled is false

	mu      sync.Mutex
	refused *rate.Limiter
	dropped int
}

// open begins to record, where the configuration wants it.
func (a *auditor) open(c *config.Config) (err error) {
	a.refused = rate.NewLimiter(refusedPerSecond, refusedBurst)
	if !c.Logging.Audit.Enabled {
		return nil
	}
	if a.log, err = audit.Open(auditOptions(c)); err != nil {
		return &openclaw.Error{
			Code: openclaw.CodeInvalidMessage, Err: err,
			Message: fmt.Sprintf("the audit log in %s cannot be kept; mend what is wrong or set logging.audit.enabled: false", c.Logging.Path),
		}
	}
	a.append("start", map[string]any{"version": version})
	return nil
}

func (a *auditor) close() error {
	if a.log == nil {
		return nil
	}
	a.append("stop", struct{}{})
	return a.log.Close()
}

func (a *auditor) append(kind string, detail any) {
	if a.log == nil {
		return
	}
	if err := a.log.Append(kind, detail); err != nil {
		a.logger.Error("audit log not written", "kind", kind, "err", err)
	}
}

// seen records connections, and requests that were let in or refused. Neither
// query nor headers are recorded: a token could stand there.
func (a *auditor) seen(r *http.Request, webSocket bool, refused *openclaw.Error) {
	detail := map[string]any{"peer": r.RemoteAddr, "method": r.Method, "path": cut(r.URL.Path, 200), "websocket": webSocket, "result": "admitted"}
	kind := "connection"
	if refused != nil {
		kind, detail["result"] = "authentication", string(refused.Code)
		a.mu.Lock()
		allowed := a.refused.AllowN(time.Now(), 1)
		if !allowed {
			a.dropped++
			a.mu.Unlock()
			return
		}
		if a.dropped > 0 {
			detail["not_recorded"] = a.dropped
			a.dropped = 0
		}
		a.mu.Unlock()
	}
	a.append(kind, detail)
}

// call records a decision about a tool call. Arguments can hold secrets, so
// that only their hash is recorded; the session's log has them.
func (a *auditor) call(r policy.Record) {
	if a.log == nil {
		return
	}
	sum := sha256.Sum256(r.Args)
	detail := map[string]any{
		"session": r.Session, "call_id": r.CallID, "tool": r.Tool, "args_sha256": hex.EncodeToString(sum[:]),
	}
	if len(r.Needs) > 0 {
		detail["needs"] = r.Needs
	}
	if r.ApprovalID != "" {
		detail["approval_id"], detail["decision"], detail["by"] = r.ApprovalID, r.Decision, r.By
		a.append("approval", detail)
		return
	}
	detail["decision"], detail["rule"] = "denied", r.Rule
	if r.Runs {
		detail["decision"] = "runs"
	}
	a.append("tool_call", detail)
}

// configuration records which keys have changed, not their values.
func (a *auditor) configuration(keys []string, result string) {
	a.append("configuration", map[string]any{"keys": keys, "result": result})
}
