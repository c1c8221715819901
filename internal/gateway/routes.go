package gateway

import "github.com/openclaw/openclaw-go/protocol"

// route says how requests of one type are handled.
type route struct {
	// handle answers the request, now or (a turn) later; an error it returns
	// is the answer.
	handle func(*request) error
	// slow handlers wait for a store or a goroutine, so they get one of their
	// own. Those that are not slow are handled in the order they arrive.
	slow bool
	// serves says that the request is of use to turns that run while the
	// gateway drains.
	serves bool
}

// routes are the methods of the protocol.
var routes = map[protocol.Type]route{
	protocol.TypeChat:             {handle: chat},
	protocol.TypeSkillInvoke:      {handle: skillInvoke},
	protocol.TypeHeartbeatTrigger: {handle: heartbeatTrigger, slow: true},
	protocol.TypeStatus:           {handle: status},
	protocol.TypeCancel:           {handle: cancel, serves: true},
	protocol.TypeApprove:          {handle: approve, serves: true},
	protocol.TypeApprovalList:     {handle: approvalList, serves: true},
	protocol.TypeApprovalRevoke:   {handle: approvalRevoke, slow: true},
	protocol.TypeApprovalExplain:  {handle: approvalExplain},
	protocol.TypeSubscribe:        {handle: subscribe},
	protocol.TypeUnsubscribe:      {handle: unsubscribe},
	protocol.TypeSessionList:      {handle: sessionList, slow: true},
	protocol.TypeSessionHistory:   {handle: sessionHistory, slow: true},
	protocol.TypeSessionReset:     {handle: sessionReset},
	protocol.TypeSessionDelete:    {handle: sessionDelete},
	protocol.TypeSkillList:        {handle: skillList, slow: true},
	protocol.TypeToolList:         {handle: toolList},
	protocol.TypeModelList:        {handle: modelList},
	protocol.TypeUsage:            {handle: usage, slow: true},
	protocol.TypeHeartbeatHistory: {handle: heartbeatHistory, slow: true},
	protocol.TypeCronList:         {handle: cronList, slow: true},
	protocol.TypeCronAdd:          {handle: cronAdd, slow: true},
	protocol.TypeCronRemove:       {handle: cronRemove, slow: true},
	protocol.TypeCronPause:        {handle: cronPause, slow: true},
	protocol.TypeCronRun:          {handle: cronRun, slow: true},
	protocol.TypeCronHistory:      {handle: cronHistory, slow: true},
}
