package main

import (
	"path/filepath"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/internal/gateway"
	"github.com/openclaw/openclaw-go/internal/schedule"
	"github.com/openclaw/openclaw-go/internal/ws"
)

// The functions here translate the configuration into the words of each
// package, so that no package but this one knows the configuration.

func clientLimits(c *config.Config) gateway.Limits {
	l := c.Gateway.Limits
	return gateway.Limits{
		Depth: l.Depth, InFlight: l.InFlight, MessagesPerSecond: l.MessagesPerSecond, Burst: l.Burst,
	}
}

func socketLimits(c *config.Config) ws.Limits {
	l := c.Gateway.Limits
	return ws.Limits{
		Connections: c.Gateway.MaxConnections, Message: int64(l.Message),
		PingInterval: time.Duration(l.PingInterval), PongTimeout: time.Duration(l.PongTimeout),
		WriteQueue: l.WriteQueue, WriteQueueBytes: int(l.WriteQueueBytes),
	}
}

func access(c *config.Config) gateway.Access {
	a := gateway.Access{Hosts: c.Gateway.AllowedHosts, Origins: c.Gateway.AllowedOrigins}
	if c.Gateway.Auth.Enabled {
		a.Token = c.Gateway.Auth.Token.Reveal()
	}
	return a
}

func heartSettings(c *config.Config) schedule.Settings {
	// The configuration has been checked, so the times can be read.
	quiet, _ := schedule.ParseQuiet(c.Heartbeat.QuietHours.Start, c.Heartbeat.QuietHours.End, c.Heartbeat.QuietHours.Timezone)
	return schedule.Settings{
		Enabled: c.Heartbeat.Enabled, Interval: time.Duration(c.Heartbeat.Interval), Quiet: quiet,
		Model: heartbeatModel(c), MaxTokens: c.Heartbeat.MaxTokens, Isolated: c.Heartbeat.Isolated,
		Tasks: filepath.Join(c.Home, "HEARTBEAT.md"),
	}
}

// heartbeatModel is brain.heartbeat_override as the name of a model.
func heartbeatModel(c *config.Config) string {
	o := c.Brain.HeartbeatOverride
	if o.Provider == "" {
		return o.Model
	}
	return o.Provider + "/" + o.Model
}

func cronJobs(c *config.Config) []openclaw.CronJob {
	jobs := make([]openclaw.CronJob, len(c.Cron))
	for i, j := range c.Cron {
		jobs[i] = openclaw.CronJob(j)
	}
	return jobs
}
