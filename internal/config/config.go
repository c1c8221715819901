// Package config reads the gateway's configuration: one YAML file, the
// environment and command line flags become one checked Config.
//
// The struct tags of Config are the only description of the keys; defaults,
// checks, suggestions, the names of environment variables, the JSON Schema and
// the list of keys without effect all derive from them:
//
//	yaml      the key, exactly as the file has it
//	doc       what the key does, for people
//	default   the value it has when nobody sets it
//	enum      the texts it may have, separated by commas
//	min, max  the bounds of a number, a Duration or a Size
//	unit      what a bare number means in a Duration: ms or s
//	form      what else a text must be: path (a file name, in which ~/ and
//	          ~/.openclaw are resolved), url, host, origin, network, clock or
//	          timezone
//	one       a list that may also be written as its only element
//	restart   a running gateway cannot take over a change of it
//	inert     accepted and checked, but nothing reads it yet; a list of texts
//	          limits that to these values
//	moved     an older name of the key it names
//
// A Config is a value without behaviour of its own: who loads it owns it, and
// nothing here changes it afterwards. The package never looks at the process's
// own environment or working directory, never logs, and knows nothing of the
// packages its keys configure; whether a model or a channel can really be
// reached is not checked here.
package config

// Config is the whole configuration. Every field has its default unless the
// file, the environment or a flag says otherwise; nil lists and maps are
// empty.
type Config struct {
	Brain       Brain               `yaml:"brain" doc:"The model that answers."`
	Providers   map[string]Provider `yaml:"providers" doc:"Further model endpoints by name; brain.provider can name one."`
	Gateway     Gateway             `yaml:"gateway" doc:"The server that clients connect to."`
	Hands       Hands               `yaml:"hands" doc:"What the agent can do on this machine."`
	Permissions Permissions         `yaml:"permissions" doc:"What happens with a tool call that the sandbox would not allow."`
	Session     Session             `yaml:"session" doc:"Conversations and the bounds of their turns."`
	Store       Store               `yaml:"store" doc:"Where conversations are kept."`
	Memory      Memory              `yaml:"memory" doc:"What the agent remembers across conversations."`
	Skills      Skills              `yaml:"skills" doc:"Where skills are found."`
	Heartbeat   Heartbeat           `yaml:"heartbeat" doc:"The regular look at HEARTBEAT.md."`
	Cron        []CronJob           `yaml:"cron" doc:"Turns that start by the clock."`
	Budget      Budget              `yaml:"budget" doc:"What models may cost; 0 is no limit."`
	Webhooks    Webhooks            `yaml:"webhooks" doc:"Requests from and to other programs." inert:"true"`
	MCP         MCP                 `yaml:"mcp" doc:"Model Context Protocol."`
	Channels    map[string]any      `yaml:"channels" doc:"Chat networks, by name." inert:"true"`
	Logging     Logging             `yaml:"logging" doc:"What is logged, and where."`
	Telemetry   Telemetry           `yaml:"telemetry" doc:"What can be measured from outside."`

	// Home is the absolute directory that ~/.openclaw stands for.
	Home string `yaml:"-"`
	// Path is the configuration file, which need not exist.
	Path string `yaml:"-"`

	origins map[string]Origin // of every key that somebody set
	// lookup finds the variables of the environment. It is a function because
	// fmt prints whatever else an unexported field holds, secrets included.
	lookup func(name string) (string, bool)
}

// Brain chooses the model.
type Brain struct {
	Provider    string  `yaml:"provider" default:"auto" doc:"auto, anthropic, openai, google, ollama, offline, local, or a name under providers."`
	Model       string  `yaml:"model" default:"claude-opus-4-6" doc:"The model to use. The default is Anthropic's; every other provider has one of its own."`
	APIKey      Secret  `yaml:"api_key" default:"${ANTHROPIC_API_KEY}" doc:"The key of the provider's API. Where it is not written, the provider's usual environment variable counts."`
	BaseURL     string  `yaml:"base_url" form:"url" doc:"Another endpoint that speaks the provider's API, as its SDK takes it (OpenAI: with /v1)."`
	Temperature float64 `yaml:"temperature" default:"0.7" min:"0" max:"2" doc:"0 is the most predictable, 2 the most random."`
	MaxTokens   int     `yaml:"max_tokens" default:"4096" min:"1" max:"10000000" doc:"The most tokens the model may write in one answer."`
	Thinking    string  `yaml:"thinking" default:"off" enum:"off,low,medium,high" doc:"How much the model thinks before it answers."`

	Fallback          []Fallback `yaml:"fallback" one:"true" doc:"Models to try, in order, when the first fails."`
	HeartbeatOverride Override   `yaml:"heartbeat_override" doc:"A cheaper model for heartbeats."`

	// Local is an older form, taken over into BaseURL; empty after Load.
	Local Local `yaml:"local" moved:"brain.base_url" doc:"The endpoint of provider local; base_url does the same."`
}

// Fallback is a model to try when the one before fails.
type Fallback struct {
	Provider string `yaml:"provider" doc:"As brain.provider."`
	Model    string `yaml:"model" doc:"The model to use."`
	APIKey   Secret `yaml:"api_key" doc:"The key of the provider's API."`
	BaseURL  string `yaml:"base_url" form:"url" doc:"Another endpoint that speaks the provider's API."`
}

// Override replaces the model for one purpose. Empty fields replace nothing.
type Override struct {
	Provider string `yaml:"provider" doc:"As brain.provider."`
	Model    string `yaml:"model" doc:"The model to use."`
}

// Local is the older form of an OpenAI-compatible endpoint of one's own.
type Local struct {
	Endpoint string `yaml:"endpoint" form:"url" moved:"brain.base_url" doc:"An OpenAI-compatible endpoint; /v1 is added where it has no path."`
}

// Provider is a model endpoint with a name of its own.
type Provider struct {
	API     string            `yaml:"api" enum:"anthropic,openai,google,ollama" doc:"The API it speaks. Needed unless the name itself is one of them."`
	BaseURL string            `yaml:"base_url" form:"url" doc:"Where it is (OpenAI: with /v1)."`
	APIKey  Secret            `yaml:"api_key" doc:"Its key."`
	Headers map[string]Secret `yaml:"headers" doc:"Headers to send with every request."`
	Timeout Duration          `yaml:"timeout" min:"0s" doc:"How long one request may take; 0 is the adapter's own bound."`
	Models  map[string]Model  `yaml:"models" doc:"What is known about its models, by id."`
}

// Model is what is known about one model of a Provider.
type Model struct {
	ContextWindow int  `yaml:"context_window" min:"0" doc:"How many tokens it can read; 0 is not known."`
	MaxTokens     int  `yaml:"max_tokens" min:"0" doc:"How many tokens it can write; 0 is not known."`
	Cost          Cost `yaml:"cost" doc:"US dollars per million tokens."`
}

// Cost is in US dollars per million tokens.
type Cost struct {
	Input      float64 `yaml:"input" min:"0" doc:"Tokens read."`
	Output     float64 `yaml:"output" min:"0" doc:"Tokens written."`
	CacheRead  float64 `yaml:"cache_read" min:"0" doc:"Tokens read from the provider's cache."`
	CacheWrite float64 `yaml:"cache_write" min:"0" doc:"Tokens put into the provider's cache."`
}

// Gateway is the server.
type Gateway struct {
	Host           string   `yaml:"host" default:"127.0.0.1" form:"host" restart:"true" doc:"The address to listen on. Any other than this machine's own needs gateway.auth."`
	Port           int      `yaml:"port" default:"18789" min:"0" max:"65535" restart:"true" doc:"The TCP port; 0 is any free one."`
	MaxConnections int      `yaml:"max_connections" default:"1000" min:"1" max:"1000000" doc:"How many clients may be connected at a time."`
	AllowedHosts   []string `yaml:"allowed_hosts" form:"host" doc:"Names by which clients may call this gateway, besides localhost and IP addresses."`
	AllowedOrigins []string `yaml:"allowed_origins" form:"origin" doc:"Web pages that may connect, as https://name[:port]."`
	TrustedProxies []string `yaml:"trusted_proxies" form:"network" inert:"true" doc:"Networks (CIDR) whose X-Forwarded-For is believed."`
	TLS            TLS      `yaml:"tls" inert:"true" doc:"Serve HTTPS and WSS."`
	Auth           Auth     `yaml:"auth" doc:"Who may connect."`
	Limits         Limits   `yaml:"limits" doc:"What one client may ask for."`
	DrainTimeout   Duration `yaml:"drain_timeout" default:"30s" min:"0s" doc:"How long running turns may take to finish when the gateway stops."`
	PIDFile        string   `yaml:"pid_file" default:"~/.openclaw/gateway.pid" form:"path" restart:"true" doc:"Where a gateway in the background leaves its process id."`

	// LogLevel is an older form, taken over into Logging.Level; empty after
	// Load.
	LogLevel string `yaml:"log_level" enum:"debug,info,warn,error" moved:"logging.level" doc:"Now logging.level."`
}

// TLS names the files of a certificate; both or neither.
type TLS struct {
	Cert string `yaml:"cert" form:"path" doc:"The certificate chain, PEM."`
	Key  string `yaml:"key" form:"path" doc:"Its private key, PEM."`
}

// Auth is the shared token.
type Auth struct {
	Enabled bool   `yaml:"enabled" default:"false" doc:"Ask every client for the token."`
	Token   Secret `yaml:"token" doc:"The token, 8 characters or more; openssl rand -hex 24 makes one."`
}

// Limits bounds one client.
type Limits struct {
	Message           Size     `yaml:"message" default:"1MiB" min:"1KiB" max:"1GiB" doc:"The longest message."`
	Depth             int      `yaml:"depth" default:"64" min:"1" max:"10000" doc:"The deepest nesting of a message."`
	HeaderTimeout     Duration `yaml:"header_timeout" default:"5s" min:"1ms" doc:"How long a request's header may take to arrive."`
	PingInterval      Duration `yaml:"ping_interval" default:"30s" min:"1ms" doc:"How often a client is pinged."`
	PongTimeout       Duration `yaml:"pong_timeout" default:"10s" min:"1ms" doc:"How long its answer may take."`
	InFlight          int      `yaml:"in_flight" default:"64" min:"1" doc:"Requests without an answer."`
	MessagesPerSecond float64  `yaml:"messages_per_second" default:"60" min:"0.001" doc:"Messages a second, in the long run."`
	Burst             int      `yaml:"burst" default:"120" min:"1" doc:"Messages at once."`
	WriteQueue        int      `yaml:"write_queue" default:"256" min:"1" doc:"Messages waiting for a client to read."`
	WriteQueueBytes   Size     `yaml:"write_queue_bytes" default:"4MiB" min:"1KiB" doc:"The bytes of these."`
}
