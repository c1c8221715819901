package config

// Hands is what the agent can do on this machine.
type Hands struct {
	Workspace  string     `yaml:"workspace" default:"~/.openclaw/workspace" form:"path" doc:"The directory the agent works in."`
	Shell      Shell      `yaml:"shell" doc:"The tool that runs commands."`
	Filesystem Filesystem `yaml:"filesystem" doc:"The tools that read and write files."`
	Web        Web        `yaml:"web" doc:"The tools that read the web."`
	Sandbox    Sandbox    `yaml:"sandbox" doc:"How commands are confined."`
}

// Shell bounds the tool that runs commands.
type Shell struct {
	Enabled         bool     `yaml:"enabled" default:"true" doc:"Offer the tool to the model."`
	Timeout         Duration `yaml:"timeout" default:"30s" min:"1ms" unit:"ms" doc:"How long a command may take. A bare number is milliseconds."`
	MaxOutput       Size     `yaml:"max_output" default:"64KiB" min:"1KiB" max:"1GiB" doc:"How much of a command's output is kept."`
	EnvAllow        []string `yaml:"env_allow" default:"PATH,HOME,LANG,LC_*,TZ,TERM,USER,SHELL,TMPDIR" doc:"Environment variables a command sees; * stands for any ending."`
	BlockedCommands []string `yaml:"blocked_commands" doc:"Commands that are never run."`
	Jobs            Jobs     `yaml:"jobs" doc:"Commands in the background."`
	Outputs         Outputs  `yaml:"outputs" doc:"Files that keep output longer than max_output."`
}

// Outputs bounds the files that keep long output.
type Outputs struct {
	MaxFile  Size     `yaml:"max_file" default:"64MiB" min:"1KiB" max:"8GiB" doc:"How much of one command is kept."`
	MaxTotal Size     `yaml:"max_total" default:"1GiB" min:"1KiB" doc:"How much of all commands is kept; the oldest files go first."`
	MaxAge   Duration `yaml:"max_age" default:"7d" min:"1s" doc:"How long a file is kept."`
}

// Jobs bounds commands in the background.
type Jobs struct {
	Max     int      `yaml:"max" default:"8" min:"1" max:"64" doc:"How many one conversation may have at a time."`
	Timeout Duration `yaml:"timeout" default:"1h" min:"1s" doc:"How long one may take."`
}

// Filesystem says which files the agent may touch.
type Filesystem struct {
	WritablePaths []string `yaml:"writable_paths" form:"path" doc:"Directories it may write to, besides the workspace."`
	BlockedPaths  []string `yaml:"blocked_paths" default:"~/.ssh,~/.gnupg,~/.aws,~/.openclaw/config.yml,~/.openclaw/.env" form:"place" doc:"What it may neither read nor write, whatever else allows it."`
}

// Web bounds the tools that read the web.
type Web struct {
	Enabled        bool     `yaml:"enabled" default:"true" doc:"Offer the tools to the model."`
	Timeout        Duration `yaml:"timeout" default:"20s" min:"1ms" doc:"How long a page or a search may take."`
	AllowPrivate   bool     `yaml:"allow_private" default:"false" doc:"Also read pages of private networks."`
	AllowedDomains []string `yaml:"allowed_domains" doc:"Read pages of these domains, and of those below them, only; empty is all."`
	Search         Search   `yaml:"search" doc:"The engine that searches the web."`
}

// Search says whom the web search asks.
type Search struct {
	Provider string `yaml:"provider" enum:",brave,tavily,searxng" doc:"brave, tavily or searxng; empty is no search."`
	APIKey   Secret `yaml:"api_key" doc:"The key of the engine's API; empty is BRAVE_API_KEY or TAVILY_API_KEY."`
	BaseURL  string `yaml:"base_url" form:"url" doc:"Another address that speaks the engine's API; SearXNG needs one."`
}

// Sandbox says how commands are confined.
type Sandbox struct {
	Mode    string `yaml:"mode" default:"auto" enum:"auto,require,off" doc:"auto confines where the system can; require refuses to run otherwise."`
	Network bool   `yaml:"network" default:"false" doc:"Let confined commands use the network."`
}

// Permissions decides on calls that the sandbox would not allow.
type Permissions struct {
	Mode        string   `yaml:"mode" default:"ask" enum:"ask,auto,deny" doc:"What to do with a call that needs more than the sandbox gives and that no rule decides."`
	Timeout     Duration `yaml:"timeout" default:"5m" min:"1s" doc:"How long an answer may take before it counts as no."`
	AutoApprove []string `yaml:"auto_approve" doc:"Rules for calls that need no answer: a tool, as write_*, or a command, as shell(git push *)."`
	AlwaysDeny  []string `yaml:"always_deny" doc:"Rules for calls that are always refused, whatever else allows them; written like those of auto_approve."`
}

// Session bounds conversations.
type Session struct {
	MaxQueue  int        `yaml:"max_queue" default:"20" min:"1" doc:"Turns that may wait in one conversation."`
	Retention Duration   `yaml:"retention" default:"0" min:"0s" inert:"true" doc:"How long a conversation is kept after its last turn (such as 90d); 0 is for ever."`
	CompactAt float64    `yaml:"compact_at" default:"0.8" min:"0.1" max:"1" doc:"The part of the context window at which a conversation is summarised."`
	Limits    TurnLimits `yaml:"limits" doc:"What one turn may do."`
}

// TurnLimits bounds one turn.
type TurnLimits struct {
	ModelCalls int      `yaml:"model_calls" default:"50" min:"1" doc:"Calls of the model."`
	Duration   Duration `yaml:"duration" default:"10m" min:"1s" doc:"How long it may take."`
	Repeats    int      `yaml:"repeats" default:"3" min:"1" doc:"The same tool call with the same result, before it counts as a loop."`
}

// Store is where conversations are kept.
type Store struct {
	Path string `yaml:"path" default:"~/.openclaw/openclaw.db" form:"path" restart:"true" doc:"The database file."`
	Sync string `yaml:"sync" default:"full" enum:"full,normal" doc:"full survives a power cut; normal survives a crash of the process."`
}

// Memory is what the agent remembers across conversations.
type Memory struct {
	Enabled          bool   `yaml:"enabled" default:"true" doc:"Remember and recall."`
	Path             string `yaml:"path" default:"~/.openclaw/memory" form:"path" doc:"The directory of the memory."`
	MaxContextTokens int    `yaml:"max_context_tokens" default:"2000" min:"0" doc:"How much of it one turn may recall, in tokens; 0 is nothing."`
	AutoSave         bool   `yaml:"auto_save" default:"true" doc:"Note lasting facts from what people said, when a conversation has become quiet."`

	Embeddings Embeddings `yaml:"embeddings" doc:"Find what means the same in other words, too; off unless set."`
}

// Embeddings chooses the model that makes the vectors of memories.
type Embeddings struct {
	Provider string `yaml:"provider" doc:"openai, ollama, or a name under providers that has one of these APIs. All memories are sent there."`
	Model    string `yaml:"model" doc:"Its model for embeddings, such as nomic-embed-text."`
}

// Skills says where skills are found.
type Skills struct {
	Path         string   `yaml:"path" default:"~/.openclaw/skills" form:"path" doc:"The directory of the skills."`
	ExtraPaths   []string `yaml:"extra_paths" form:"path" doc:"Further directories of skills."`
	AllowInstall bool     `yaml:"allow_install" default:"true" doc:"Let skill install install skills."`
}

// Heartbeat is the regular look at HEARTBEAT.md.
type Heartbeat struct {
	Enabled    bool       `yaml:"enabled" default:"true" doc:"Look regularly."`
	Interval   Duration   `yaml:"interval" default:"1800" min:"1s" unit:"s" doc:"How often. A bare number is seconds."`
	MaxTokens  int        `yaml:"max_tokens" default:"1024" min:"1" doc:"The most tokens the model may write in one answer."`
	Isolated   bool       `yaml:"isolated" default:"true" doc:"Let each heartbeat begin with an empty conversation."`
	QuietHours QuietHours `yaml:"quiet_hours" doc:"When not to look."`

	// Model is an older form, taken over into Brain.HeartbeatOverride; empty
	// after Load.
	Model string `yaml:"model" moved:"brain.heartbeat_override.model" doc:"Now brain.heartbeat_override.model."`
}

// QuietHours is a time of day; it may go past midnight. Both empty: never.
type QuietHours struct {
	Start    string `yaml:"start" form:"clock" doc:"The beginning, as 22:00."`
	End      string `yaml:"end" form:"clock" doc:"The end, as 07:00."`
	Timezone string `yaml:"timezone" default:"UTC" form:"timezone" doc:"The time zone of both, as Europe/Berlin."`
}

// CronJob starts a turn by the clock.
type CronJob struct {
	Name     string `yaml:"name" doc:"What to call it."`
	Schedule string `yaml:"schedule" doc:"Five fields, as 0 9 * * 1-5; or @every 90m; or once, as @at 2027-01-31T09:00."`
	Timezone string `yaml:"timezone" form:"timezone" doc:"The time zone of the schedule; empty is UTC."`
	Message  string `yaml:"message" doc:"What to say to the agent; or skill."`
	Skill    string `yaml:"skill" doc:"The skill to run; or message."`
	Session  string `yaml:"session" doc:"The conversation; empty is one of its own."`
	Missed   string `yaml:"missed" default:"run_once" enum:"run_once,skip" doc:"What happens to times at which the gateway did not run."`
	Overlap  string `yaml:"overlap" default:"skip" enum:"skip,queue" doc:"What happens to times at which the run before has not ended."`
}

// Budget is what models may cost; 0 is no limit.
type Budget struct {
	DailyLimitUSD        float64 `yaml:"daily_limit_usd" default:"0" min:"0" doc:"US dollars a day."`
	MonthlyLimitUSD      float64 `yaml:"monthly_limit_usd" default:"0" min:"0" doc:"US dollars a month."`
	DailyLimitTokens     int     `yaml:"daily_limit_tokens" default:"0" min:"0" doc:"Tokens a day."`
	HeartbeatDailyTokens int     `yaml:"heartbeat_daily_tokens" default:"0" min:"0" doc:"Tokens a day, for heartbeats."`
}

// Webhooks are requests from and to other programs.
type Webhooks struct {
	Incoming Incoming   `yaml:"incoming" doc:"Requests that start a turn."`
	Outgoing []Outgoing `yaml:"outgoing" doc:"Requests that tell of events."`
}

// Incoming are the requests that start a turn.
type Incoming struct {
	Enabled     bool   `yaml:"enabled" default:"false" doc:"Accept them."`
	Secret      Secret `yaml:"secret" doc:"What senders sign with."`
	RequireHMAC bool   `yaml:"require_hmac" default:"false" doc:"Refuse requests that are not signed."`
	Endpoints   []Hook `yaml:"endpoints" doc:"Paths, and what happens at each."`
}

// Hook is one path of Incoming.
type Hook struct {
	Path    string `yaml:"path" doc:"The path below /webhook, as /deploy."`
	Message string `yaml:"message" doc:"What to say to the agent; {{body.service}} is a field of the request."`
	Session string `yaml:"session" doc:"The conversation."`
	Skill   string `yaml:"skill" doc:"The skill to run."`
}

// Outgoing tells another program of an event.
type Outgoing struct {
	Event     string            `yaml:"event" doc:"The event to tell of."`
	URL       string            `yaml:"url" form:"url" doc:"Where to."`
	Headers   map[string]Secret `yaml:"headers" doc:"Headers to send along."`
	Secret    Secret            `yaml:"secret" doc:"What to sign with."`
	Filter    map[string]string `yaml:"filter" doc:"Fields the event must have."`
	Transform map[string]any    `yaml:"transform" doc:"The body to send in place of the event."`
}

// MCP names the servers whose tools the agent may use.
type MCP struct {
	Servers map[string]MCPServer `yaml:"servers" doc:"Servers, by name."`
}

// MCPServer is a program to start, or an address.
type MCPServer struct {
	Command      string            `yaml:"command" doc:"The program to start, by its whole path or to be found in PATH; or url."`
	Args         []string          `yaml:"args" doc:"Its arguments."`
	Env          map[string]Secret `yaml:"env" doc:"Variables for it, besides PATH, HOME, LANG and the like."`
	URL          string            `yaml:"url" form:"url" doc:"The address of a server that speaks streamable HTTP; or command."`
	Headers      map[string]Secret `yaml:"headers" doc:"Headers to send with every request."`
	AllowedTools []string          `yaml:"allowed_tools" doc:"Offer these only, by the server's own names; empty is all."`
	BlockedTools []string          `yaml:"blocked_tools" doc:"Never offer these."`
}

// Logging says what is logged, and where.
type Logging struct {
	Level    string `yaml:"level" default:"info" enum:"debug,info,warn,error" doc:"The least important message to log."`
	Format   string `yaml:"format" default:"auto" enum:"auto,text,json" doc:"auto is text on a terminal and json elsewhere."`
	Path     string `yaml:"path" default:"~/.openclaw/logs" form:"path" doc:"The directory of the log files."`
	MaxSize  Size   `yaml:"max_size" default:"10MiB" min:"1KiB" doc:"How long a file may get before the next begins."`
	MaxFiles int    `yaml:"max_files" default:"5" min:"1" doc:"How many files are kept."`
	Audit    Audit  `yaml:"audit" restart:"true" doc:"The record of who did what."`
}

// Audit is the record of who did what.
type Audit struct {
	Enabled bool `yaml:"enabled" default:"true" doc:"Keep it."`
}

// Telemetry is what can be measured from outside.
type Telemetry struct {
	Metrics      bool   `yaml:"metrics" default:"true" inert:"true" doc:"Serve /metrics."`
	OTLPEndpoint string `yaml:"otlp_endpoint" form:"url" inert:"true" doc:"Where to send traces; empty is nowhere."`
}
