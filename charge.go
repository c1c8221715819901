package openclaw

// Charge is what one call of a model used, as the ledger keeps it.
type Charge struct {
	Provider string `json:"provider"`
	Model    string `json:"model"` // the provider's own name of it
	Usage    Usage  `json:"usage"`
	// Heartbeat marks a call that a heartbeat made.
	Heartbeat bool `json:"heartbeat,omitzero"`
	// Estimated marks a call that broke off before the API said what it used.
	Estimated bool `json:"estimated,omitzero"`
	// Unpriced marks a call of a model whose price is not known: its tokens
	// count, and its cost is 0 whatever it was.
	Unpriced bool `json:"unpriced,omitzero"`
}

// The groups in which a ledger can be summed up.
const (
	UsageByDay     = "day"
	UsageBySession = "session"
	UsageByModel   = "model"
)

// UsageQuery asks a ledger what was used.
type UsageQuery struct {
	// From and To are the first and the last day, as 2006-01-02 in UTC; ""
	// leaves that side open.
	From, To string
	// By is UsageByDay, UsageBySession or UsageByModel.
	By string
	// Heartbeats leaves out what was not used by heartbeats.
	Heartbeats bool
	// Limit is the most lines to return; 0: all there are.
	Limit int
}

// UsageLine is one line of a ledger summed up.
type UsageLine struct {
	// Key is the day, the session ("" for turns that left nothing and for
	// sessions that were deleted) or provider/model ("" where nobody wrote it
	// down).
	Key   string
	Calls int
	Usage Usage
	// Unpriced is how many of the tokens have no known price.
	Unpriced int
}

// Charges returns the charges that an event carries.
func Charges(body Body) []Charge {
	switch b := body.(type) {
	case TextWritten:
		return b.Step.Charges
	case ToolCalled:
		return b.Step.Charges
	case Compacted:
		return b.Charges
	case TurnCompleted:
		return b.Charges
	case TurnFailed:
		return b.Charges
	case TurnCancelled:
		return b.Charges
	}
	return nil
}
