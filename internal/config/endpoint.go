package config

// Endpoint is a provider with everything that is needed to talk to it.
type Endpoint struct {
	Name    string // as brain.provider names it
	API     string // anthropic, openai, google, ollama or offline
	BaseURL string // "" is the API's own
	APIKey  Secret
	Model   string // "" is the provider's own default
	Headers map[string]Secret
	Timeout Duration // 0 is the adapter's own
	Models  map[string]Model
}

// Endpoint returns what the configuration says about a provider: an entry
// under providers or one of those built in. ok is false for a name that is
// neither, and for auto, which is not a provider but a choice among them.
//
// The keys of brain go to the provider that brain.provider names. With auto,
// base_url goes to whichever is chosen, and api_key to anthropic.
func (c *Config) Endpoint(name string) (e Endpoint, ok bool) {
	e = Endpoint{Name: name, API: name}
	p, named := c.Providers[name]
	switch {
	case named:
		if p.API != "" {
			e.API = p.API
		}
		e.BaseURL, e.APIKey, e.Headers, e.Timeout, e.Models = p.BaseURL, p.APIKey, p.Headers, p.Timeout, p.Models
	case name == "local":
		e.API = "openai"
	case name == "anthropic", name == "openai", name == "google", name == "ollama", name == "offline":
	default:
		return Endpoint{}, false
	}
	if e.API == "offline" {
		return e, true
	}
	b, auto := c.Brain, c.Brain.Provider == "auto"
	if (auto || b.Provider == name) && b.BaseURL != "" {
		e.BaseURL = b.BaseURL
	}
	if e.APIKey == "" && (b.Provider == name || auto && name == "anthropic") {
		e.APIKey = b.APIKey
	}
	if e.APIKey == "" {
		e.APIKey = c.keyFromEnvironment(name)
	}
	if auto || b.Provider == name {
		e.Model = c.modelFor(e)
	}
	return e, true
}

// modelFor returns brain.model, unless it is no more than the default, which
// means something to Anthropic's API only. A file that spells the defaults out
// says no more than one that is silent.
func (c *Config) modelFor(e Endpoint) string {
	const anthropicDefault = "claude-opus-4-6"
	if e.API == "anthropic" || c.Brain.Model != anthropicDefault {
		return c.Brain.Model
	}
	if c.Brain.Provider == "auto" || !c.IsSet("brain.model") {
		return ""
	}
	return c.Brain.Model
}

// keyFromEnvironment returns the key that a provider's own tools would take
// from the environment.
func (c *Config) keyFromEnvironment(provider string) Secret {
	var names []string
	switch provider {
	case "anthropic", "auto":
		names = []string{"ANTHROPIC_API_KEY"}
	case "openai":
		names = []string{"OPENAI_API_KEY"}
	case "google":
		names = []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"}
	case "brave":
		names = []string{"BRAVE_API_KEY"}
	case "tavily":
		names = []string{"TAVILY_API_KEY"}
	}
	if c.lookup == nil { // a Config that Load did not make
		return ""
	}
	for _, name := range names {
		if value, _ := c.lookup(name); value != "" {
			return Secret(value)
		}
	}
	return ""
}

// IsSet says whether the file, the environment or a flag sets a key, given as
// gateway.port or cron[0].name.
func (c *Config) IsSet(key string) bool { return c.Origin(key).File != "" }

// Origin returns where a key was set; the zero Origin if it has its default.
func (c *Config) Origin(key string) Origin { return c.origins[key] }
