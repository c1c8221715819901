package protocol

// Approve is the payload of approve.
type Approve struct {
	ApprovalID string `json:"approval_id"`
	Decision   string `json:"decision"` // once, session, always or deny
}

// ApprovalList is the payload of approval_list. With Follow the connection
// then receives the approval_requested and approval_resolved events of every
// session, and counts as somebody who can answer.
type ApprovalList struct {
	Follow bool `json:"follow,omitzero"`
}

// ApprovalRevoke is the payload of approval_revoke.
type ApprovalRevoke struct {
	ID string `json:"id"`
}

// ApprovalExplain is the payload of approval_explain: a command for the shell
// tool, and what it would need beyond the sandbox.
type ApprovalExplain struct {
	Command string   `json:"command"`
	Dir     string   `json:"dir,omitzero"`   // default: the workspace
	Needs   []string `json:"needs,omitzero"` // network, unconfined or a folder to write in
	Session string   `json:"session,omitzero"`
}

// Approvals completes approval_list.
type Approvals struct {
	Pending []any          `json:"pending"` // the approval_requested events that wait, the oldest first
	Kept    []KeptApproval `json:"kept"`    // the oldest first
}

// KeptApproval is one that outlives its call. It covers calls that are exactly
// the same.
type KeptApproval struct {
	ID      string   `json:"id"`
	Session string   `json:"session,omitzero"` // absent: every one
	Tool    string   `json:"tool"`
	Argv    []string `json:"argv,omitempty"`
	Dir     string   `json:"dir,omitzero"`
	Env     []string `json:"env,omitempty"`
	Needs   []string `json:"needs"`
	At      string   `json:"at"`
}

// ApprovalExplained completes approval_explain.
type ApprovalExplained struct {
	Decision string   `json:"decision"` // runs, asks or denies
	Rule     string   `json:"rule,omitzero"`
	Reason   string   `json:"reason"` // in a sentence
	Needs    []string `json:"needs,omitempty"`
	// Commands are the simple commands in it and the rules of
	// permissions.auto_approve that allow them.
	Commands []ExplainedCommand `json:"commands,omitempty"`
	Problem  string             `json:"problem,omitzero"` // why rules cannot judge the command
}

// ExplainedCommand is one simple command of an ApprovalExplained.
type ExplainedCommand struct {
	Command string `json:"command"`
	Rule    string `json:"rule,omitzero"` // absent: none allows it
}
