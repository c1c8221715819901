package config

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/cron"
)

// finish does what needs the whole configuration: older forms move to their
// keys, keys that fall back to something else get it, and what fits no single
// key is checked.
func (d *decoder) finish(c *Config) {
	d.moveOlderForms(c)
	d.chooseKey(c)
	d.chooseSearchKey(c)
	d.missedSecrets(c)
	d.checkGateway(c)
	d.checkBrain(c)
	d.checkSearch(c)
	d.checkEmbeddings(c)
	d.checkPairs(c)
	d.checkLists(c)
}

// problem reports what is wrong with a key, where that was set.
func (d *decoder) problem(key, message, suggestion string) {
	d.problems = append(d.problems, Problem{d.origins[key], key, message, suggestion})
}

// originOf returns where a key was set, or what it is part of.
func (d *decoder) originOf(key string) Origin {
	for {
		o, set := d.origins[key]
		end := strings.LastIndexAny(key, ".[")
		if set || end < 0 {
			return o
		}
		key = key[:end]
	}
}

// moveOlderForms takes over keys of earlier versions. A file that has both the
// older and the present one means the present.
func (d *decoder) moveOlderForms(c *Config) {
	move := func(older, present string, from, to *string) {
		if *from != "" {
			if _, both := d.origins[present]; both {
				d.warnings = append(d.warnings, Warning{d.origins[older], older, "is an older name of " + present + ", which is also set and counts"})
			} else {
				*to, d.origins[present] = *from, d.origins[older]
			}
		}
		*from = ""
	}
	c.Brain.Local.Endpoint = withVersion(c.Brain.Local.Endpoint)
	move("brain.local.endpoint", "brain.base_url", &c.Brain.Local.Endpoint, &c.Brain.BaseURL)
	move("gateway.log_level", "logging.level", &c.Gateway.LogLevel, &c.Logging.Level)
	move("heartbeat.model", "brain.heartbeat_override.model", &c.Heartbeat.Model, &c.Brain.HeartbeatOverride.Model)
}

// withVersion adds the /v1 that an OpenAI-compatible endpoint has below it,
// where somebody wrote the server only.
func withVersion(endpoint string) string {
	u, err := url.Parse(endpoint)
	if endpoint == "" || err != nil || strings.Trim(u.Path, "/") != "" {
		return endpoint
	}
	u.Path = "/v1"
	return u.String()
}

// chooseKey gives brain.api_key what it falls back to. A file that spells the
// default out says no more than one that is silent: an Anthropic key must not
// go to another provider because somebody changed one line of an example.
func (d *decoder) chooseKey(c *Config) {
	const key = "brain.api_key"
	if _, missed := d.unset[key]; c.Brain.APIKey != "" || missed && !d.sameKey {
		return
	}
	owner := c.Brain.Provider
	if d.sameKey && c.Providers[owner].API == "anthropic" {
		owner = "anthropic"
	}
	c.Brain.APIKey = c.keyFromEnvironment(owner)
	if c.Brain.APIKey != "" {
		delete(d.unset, key)
	}
}

// missedSecrets reports the secrets whose variable is unset and that the
// configuration cannot do without: all, but those of what is not in use.
func (d *decoder) missedSecrets(c *Config) {
	for _, key := range slices.Sorted(maps.Keys(d.unset)) {
		needed := true
		switch key {
		case "brain.api_key":
			needed = c.needsKey(c.Brain.Provider)
		case "gateway.auth.token":
			needed = c.Gateway.Auth.Enabled
		case "webhooks.incoming.secret":
			needed = c.Webhooks.Incoming.Enabled
		}
		for i, f := range c.Brain.Fallback {
			if key == indexKey("brain.fallback", i)+".api_key" {
				needed = c.needsKey(f.Provider)
			}
		}
		if needed {
			u := d.unset[key]
			d.problems = append(d.problems, Problem{
				Origin: u.Origin, Key: key,
				Message: u.variable + " is not set; set it in the environment or in " + c.Home + "/.env",
			})
		}
	}
}

// needsKey says whether a provider is of no use without brain.api_key.
func (c *Config) needsKey(provider string) bool {
	switch provider {
	case "auto", "offline", "ollama", "local":
		return false
	}
	p, named := c.Providers[provider]
	return !named || p.APIKey == "" && p.API != "ollama"
}

func (d *decoder) checkGateway(c *Config) {
	g := c.Gateway
	_, missed := d.unset["gateway.auth.token"] // reported already
	if wrong := checkToken(g.Auth.Token.Reveal()); g.Auth.Enabled && wrong != "" && !missed {
		key := "gateway.auth.token"
		if _, ok := d.origins[key]; !ok {
			d.origins[key] = d.origins["gateway.auth.enabled"]
		}
		d.problem(key, wrong, "")
	}
	if !g.Auth.Enabled && !isLoopback(g.Host) {
		d.problem("gateway.host", "would let everybody in who can reach "+quote(g.Host)+
			"; set gateway.auth.enabled to true and gateway.auth.token, or gateway.host to 127.0.0.1", "")
	}
	d.both("gateway.tls.cert", g.TLS.Cert, "gateway.tls.key", g.TLS.Key)
	q := c.Heartbeat.QuietHours
	d.both("heartbeat.quiet_hours.start", q.Start, "heartbeat.quiet_hours.end", q.End)
}

// isLoopback says whether only this machine reaches a listener on host.
func isLoopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func (d *decoder) both(keyA, a, keyB, b string) {
	switch {
	case a != "" && b == "":
		d.problem(keyA, "is of no use without "+keyB+"; set both or neither", "")
	case a == "" && b != "":
		d.problem(keyB, "is of no use without "+keyA+"; set both or neither", "")
	}
}

// builtInProviders are the values of brain.provider that need no entry under
// providers.
func builtInProviders() []string {
	return []string{"auto", "anthropic", "openai", "google", "ollama", "offline", "local"}
}

func (d *decoder) checkBrain(c *Config) {
	names := builtInProviders()
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	check := func(key, name string) {
		if !slices.Contains(names, name) {
			d.problem(key, "must be one of "+strings.Join(names, ", ")+", or a name under providers, not "+quote(name), nearest(name, names))
		}
	}
	check("brain.provider", c.Brain.Provider)
	if c.Brain.Provider == "local" && c.Brain.BaseURL == "" {
		d.problem("brain.provider", "local needs an endpoint: set brain.base_url to an OpenAI-compatible one, such as http://127.0.0.1:8080/v1", "")
	}
	if name := c.Brain.HeartbeatOverride.Provider; name != "" {
		check("brain.heartbeat_override.provider", name)
	}
	for i, f := range c.Brain.Fallback {
		key := indexKey("brain.fallback", i)
		switch _, written := d.origins[key+".provider"]; {
		case written:
			check(key+".provider", f.Provider)
		default:
			d.problem(key, "needs a provider", "")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		d.checkProvider(joinKey("providers", name), name, c.Providers[name])
	}
}

func (d *decoder) checkProvider(key, name string, p Provider) {
	builtIn := slices.Contains(builtInProviders(), name)
	hasAPI := slices.Contains([]string{"anthropic", "openai", "google", "ollama"}, name)
	_, wrote := d.origins[key+".api"] // a wrong one is reported already
	switch {
	case name == "" || strings.ContainsAny(name, "/ \t\n"):
		d.problem(key, "must have a name without spaces and without /, which separates provider and model", "")
	case builtIn && !hasAPI:
		d.problem(key, "cannot have this name, which means something else as brain.provider", "")
	case !hasAPI && p.API == "" && !wrote:
		d.problem(key, "needs api: anthropic, openai, google or ollama", "")
	case hasAPI && p.API != "" && p.API != name:
		d.problem(key+".api", "must be "+name+" for a provider of that name; choose another name", name)
	}
	for header := range p.Headers {
		if !isHeaderName(header) {
			d.problem(joinKey(key+".headers", header), "is no valid name of a header", "")
		}
	}
}

func isHeaderName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// checkPairs checks the entries that need one of two things.
func (d *decoder) checkPairs(c *Config) {
	exactlyOne := func(key, nameA, a, nameB, b string) {
		if (a == "") == (b == "") {
			d.problem(key, fmt.Sprintf("needs either %s or %s", nameA, nameB), "")
		}
	}
	for i, job := range c.Cron {
		key := indexKey("cron", i)
		d.required(key, "name", job.Name)
		d.required(key, "schedule", job.Schedule)
		exactlyOne(key, "message", job.Message, "skill", job.Skill)
		d.checkJob(key, job)
	}
	for name, server := range c.MCP.Servers {
		exactlyOne(joinKey("mcp.servers", name), "command", server.Command, "url", server.URL)
	}
	for i, e := range c.Webhooks.Incoming.Endpoints {
		key := indexKey("webhooks.incoming.endpoints", i)
		if !strings.HasPrefix(e.Path, "/") {
			d.problem(key, "needs a path that begins with /, such as /deploy", "")
		}
	}
	for i, o := range c.Webhooks.Outgoing {
		key := indexKey("webhooks.outgoing", i)
		d.required(key, "event", o.Event)
		d.required(key, "url", o.URL)
	}
	if in := c.Webhooks.Incoming; in.Enabled && in.RequireHMAC && in.Secret == "" && d.unset["webhooks.incoming.secret"].Line == 0 {
		d.problem("webhooks.incoming.require_hmac", "needs webhooks.incoming.secret", "")
	}
}

// checkJob reads what a job says with the parsers that will run it.
func (d *decoder) checkJob(key string, job CronJob) {
	if job.Name != "" && !openclaw.ValidJobName(job.Name) {
		d.problem(key+".name", "must be 1 to 64 letters, digits and ._- , not "+quote(job.Name), "")
	}
	if _, err := time.LoadLocation(job.Timezone); job.Schedule == "" || err != nil {
		return // reported already
	}
	if _, err := cron.Parse(job.Schedule, job.Timezone); err != nil {
		d.problem(key+".schedule", "cannot be used: "+err.Error(), "")
	}
}

func (d *decoder) required(key, name, value string) {
	if value == "" {
		d.problem(key, "needs "+name, "")
	}
}

// checkLists finds the names that are used twice.
func (d *decoder) checkLists(c *Config) {
	seen := map[string]bool{}
	for i, job := range c.Cron {
		if seen[job.Name] && job.Name != "" {
			d.problem(indexKey("cron", i)+".name", "is the name of an earlier entry; every job needs its own", "")
		}
		seen[job.Name] = true
	}
}
