package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/client"
	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/protocol"
)

// dialTimeout bounds the handshake with a gateway.
const dialTimeout = 10 * time.Second

// link is a connection to a gateway and, where none was running, the gateway
// itself. Close it.
type link struct {
	*client.Client
	address  string // as a URL, without a token
	embedded *embedded
}

// whenNone says what to do when no gateway is running.
type whenNone int

const (
	fail  whenNone = iota // with exit code 3
	serve                 // serve one in this process
)

// connect connects to the gateway that the flags or the configuration name.
// purpose says what a gateway that has to be served is for.
func (c *cli) connect(ctx context.Context, none whenNone, purpose string) (*link, error) {
	cfg, broken := c.reach()
	if cfg == nil && c.flags.url == "" {
		return nil, broken
	}
	address, token := c.flags.url, c.token(cfg)
	if address == "" {
		address = gatewayURL(cfg, cfg.Gateway.Port)
	}
	l, err := c.dial(ctx, address, token)
	if c.flags.url == "" && broken != nil {
		if errors.Is(err, client.ErrNotRunning) {
			return nil, broken
		}
		c.warnBroken(broken)
	}
	if !errors.Is(err, client.ErrNotRunning) {
		return l, err
	}
	if none == fail || c.flags.url != "" {
		return nil, notRunning(fmt.Sprintf("no gateway is running at %s; start one with: openclaw gateway start", redact(address)))
	}
	return c.connectEmbedded(ctx, cfg, token, purpose)
}

// reach reads the configuration to find a gateway by. One that has faults may be
// newer than the gateway that runs: what can be read of it will do, and broken
// says what is wrong. Where no gateway is, that is the error.
func (c *cli) reach() (cfg *config.Config, broken error) {
	cfg, _, broken = c.load()
	if broken != nil {
		cfg = config.Salvage(c.configOptions())
	}
	return cfg, broken
}

// warnBroken says that the gateway runs with an earlier configuration.
func (c *cli) warnBroken(broken error) {
	c.remark("the gateway runs with the configuration before this one, which cannot be used: %v", broken)
}

// connectEmbedded serves a gateway in this process and connects to it. When
// another process is quicker to do the same, that one's gateway will do.
func (c *cli) connectEmbedded(ctx context.Context, cfg *config.Config, token, purpose string) (*link, error) {
	e, startErr := c.embed(ctx, cfg, purpose)
	if startErr != nil {
		if openclaw.CodeOf(startErr) != openclaw.CodeGatewayBusy {
			return nil, startErr
		}
		l, err := c.dialSoon(ctx, gatewayURL(cfg, cfg.Gateway.Port), token)
		if err != nil {
			return nil, startErr
		}
		return l, nil
	}
	l, err := c.dial(ctx, gatewayURL(cfg, e.port), token)
	if err != nil {
		return nil, errors.Join(err, e.close(c))
	}
	l.embedded = e
	return l, nil
}

// dialSoon dials until a gateway that is starting answers, or for two seconds.
func (c *cli) dialSoon(ctx context.Context, address, token string) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		l, err := c.dial(ctx, address, token)
		if !errors.Is(err, client.ErrNotRunning) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-again.C:
		}
	}
}

func (c *cli) dial(ctx context.Context, address, token string) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := client.Dial(ctx, client.Options{URL: address, Token: token, Notify: c.notify})
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%s does not answer; check --url and the network", redact(address))
	}
	if err != nil {
		return nil, connectionError(err)
	}
	return &link{Client: conn, address: redact(address)}, nil
}

// close ends the connection and the gateway that was served for it, whose
// other clients may finish their turns first.
func (l *link) close(c *cli) error {
	err := l.Close()
	if l.embedded != nil {
		err = errors.Join(err, l.embedded.close(c))
	}
	return err
}

// ask sends a request and returns the payload of its reply.
func (l *link) ask(ctx context.Context, t protocol.Type, payload any) (protocol.Message, error) {
	m, err := l.Call(ctx, t, payload, nil)
	return m, connectionError(err)
}

// token returns what to show to the gateway. What the configuration has is for
// the gateway it describes: a program at another address does not get it.
func (c *cli) token(cfg *config.Config) string {
	if c.flags.token != "" {
		return c.flags.token
	}
	if token := c.env("OPENCLAW_AUTH_TOKEN"); token != "" {
		return token
	}
	if cfg != nil && cfg.Gateway.Auth.Enabled && (c.flags.url == "" || isLoopback(c.flags.url)) {
		return cfg.Gateway.Auth.Token.Reveal()
	}
	return ""
}

// gatewayURL is where clients on this machine reach the configured gateway.
func gatewayURL(cfg *config.Config, port int) string {
	host := cfg.Gateway.Host
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.Is6() {
			host = "::1"
		}
	}
	return "ws://" + net.JoinHostPort(host, strconv.Itoa(port))
}

func isLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// redact returns an address without what may be a secret in it.
func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "that address"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return oneLine(u.String())
}
