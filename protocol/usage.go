package protocol

import openclaw "github.com/openclaw/openclaw-go"

// MaxUsageDays is the most days that a usage request may ask for.
const MaxUsageDays = 366

// UsageRequest is the payload of usage as a request.
type UsageRequest struct {
	Days int `json:"days,omitzero"` // up to and including today; 0: 30
}

// Usage completes usage: what models used on the days From to To, in UTC.
type Usage struct {
	From  string     `json:"from"` // 2006-01-02
	To    string     `json:"to"`
	Today UsageToday `json:"today"`
	// MonthUSD is what this month has cost, whatever the days asked for.
	MonthUSD float64      `json:"month_usd"`
	Limits   UsageLimits  `json:"limits"`
	Total    UsageEntry   `json:"total"`
	Days     []UsageEntry `json:"by_day"`     // the oldest first; days without use are left out
	Sessions []UsageEntry `json:"by_session"` // the most tokens first, and no more than 100
	Models   []UsageEntry `json:"by_model"`   // likewise
	// Heartbeats are what heartbeats used, by day; the other lists have it too.
	Heartbeats []UsageEntry `json:"heartbeats"`
}

// UsageLimits are the bounds of the configuration; 0 is none.
type UsageLimits struct {
	DailyUSD             float64 `json:"daily_limit_usd"`
	MonthlyUSD           float64 `json:"monthly_limit_usd"`
	DailyTokens          int     `json:"daily_limit_tokens"`
	HeartbeatDailyTokens int     `json:"heartbeat_daily_tokens"`
}

// UsageEntry is one line of Usage. Session and Model are absent where they are
// not known: of turns with no_memory and deleted sessions, and of the time
// before there was a ledger.
type UsageEntry struct {
	Day     string `json:"day,omitzero"`
	Session string `json:"session,omitzero"`
	Model   string `json:"model,omitzero"` // provider/model

	Calls      int            `json:"calls"`
	TokensUsed int            `json:"tokens_used"`
	Usage      openclaw.Usage `json:"usage"`
	Unpriced   int            `json:"unpriced_tokens,omitzero"` // of TokensUsed; their cost is not in the usage
}
