package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/protocol"
)

// gatewayState is what gateway status knows.
type gatewayState struct {
	Running       bool   `json:"running"`
	PID           int    `json:"pid,omitzero"` // 0: not started by this user's gateway.pid_file
	Address       string `json:"address,omitzero"`
	State         string `json:"state,omitzero"` // running or draining; "" where it does not answer
	Version       string `json:"version,omitzero"`
	UptimeSeconds int64  `json:"uptime_seconds"`
	Problem       string `json:"problem,omitzero"` // why it does not answer
}

func (c *cli) gatewayStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say whether a gateway is running", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.gatewayState(cmd.Context())
			if err != nil {
				return err
			}
			switch {
			case !s.Running && c.flags.json:
				return errors.Join(&failure{exit: exitNotRunning}, c.printJSON(map[string]any{"running": false}))
			case !s.Running:
				return notRunning("no gateway is running; start one with: openclaw gateway start")
			}
			return c.say(s, "%s", s.text())
		},
	}
}

// gatewayState asks the PID file and the gateway itself.
func (c *cli) gatewayState(ctx context.Context) (gatewayState, error) {
	var s gatewayState
	cfg, err := c.reach()
	if cfg == nil && c.flags.url == "" {
		return s, err
	}
	if c.flags.url == "" {
		if s.PID, s.Running, err = pidOf(cfg.Gateway.PIDFile); err != nil {
			return s, err
		}
		s.Address = gatewayURL(cfg, cfg.Gateway.Port)
	}
	l, err := c.connect(ctx, fail, "")
	if err == nil {
		defer l.close(c)
		s.Address = l.address
		var status protocol.Status
		status, err = client.Ask[protocol.Status](ctx, l.Client, protocol.TypeStatus, protocol.Empty{})
		s.State, s.Version, s.UptimeSeconds = status.State, status.Version, status.UptimeSeconds
	}
	switch code := exitCode(err); {
	case err == nil:
		s.Running = true
	case code == exitNotRunning && !s.Running:
		return gatewayState{}, nil
	case s.Running: // it runs, and this is why it does not say more
		s.Problem = oneLine(err.Error())
	default:
		return s, connectionError(err)
	}
	return s, nil
}

// text says it to people.
func (s gatewayState) text() string {
	text := "the gateway is running at " + s.Address
	switch {
	case s.Problem != "":
		text = fmt.Sprintf("the gateway is running but does not answer at %s (%s)", s.Address, s.Problem)
	case s.State == "draining":
		text = "the gateway at " + s.Address + " is stopping"
	}
	if s.PID > 0 {
		text += fmt.Sprintf("\n  pid      %d", s.PID)
	}
	if s.Version != "" {
		text += fmt.Sprintf("\n  version  %s\n  uptime   %s", oneLine(s.Version), span(time.Duration(s.UptimeSeconds)*time.Second))
	}
	if s.PID == 0 {
		text += "\n  it was not started by: openclaw gateway start (a chat may be serving it)"
	}
	return text
}
