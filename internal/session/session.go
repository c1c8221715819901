package session

import (
	"time"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/agent"
)

// session is one conversation in memory. Every field below mail belongs to the
// goroutine that runs loop.
type session struct {
	hub  *Hub
	name string
	mail *mailbox

	loaded     bool // the three that follow are known
	lastSeq    int64
	contextSeq int64             // where the model's view begins
	open       bool              // the log ends inside a turn
	transcript *agent.Transcript // nil: to be built from the log; a running turn holds it instead

	running  *turn
	queue    []*turn
	pauses   []func() // to run when no turn does, before the next one starts
	watchers []watcher
	draining bool

	questions map[string]*question // that wait for an answer, by approval ID
}

func newSession(h *Hub, name string) *session {
	return &session{hub: h, name: name, mail: newMailbox()}
}

// loop is the session's goroutine.
func (s *session) loop() {
	defer s.unwatch(shuttingDown()) // one that ends for being idle has nobody
	idle := time.NewTimer(s.hub.config.IdleAfter)
	defer idle.Stop()
	for {
		select {
		case <-s.mail.ready:
			for _, work := range s.mail.take() {
				work()
			}
			idle.Reset(s.hub.config.IdleAfter)
		case <-idle.C:
			s.transcript = nil
			if s.unused() && s.hub.forget(s) {
				return
			}
			idle.Reset(s.hub.config.IdleAfter)
		}
		if s.draining && s.unused() && s.hub.forget(s) {
			return
		}
	}
}

func (s *session) unused() bool {
	busy := s.running != nil || len(s.queue) > 0 || len(s.pauses) > 0
	return !busy && (s.draining || len(s.watchers) == 0)
}

// drain answers the waiting turns; the running one may finish.
func (s *session) drain() {
	s.draining = true
	waiting := s.queue
	s.queue = nil
	for _, t := range waiting {
		s.hub.queued.Add(-1)
		t.refuse(shuttingDown())
	}
}

// next starts the next turn, or what waits for a pause between turns.
func (s *session) next() {
	for s.running == nil {
		if len(s.pauses) > 0 {
			pause := s.pauses[0]
			s.pauses = s.pauses[1:]
			pause()
			continue
		}
		if len(s.queue) == 0 {
			return
		}
		t := s.queue[0]
		s.queue = s.queue[1:]
		s.hub.queued.Add(-1)
		s.start(t)
	}
}

// start begins a turn. The model may be asked while turn_started is being
// committed; nothing of what it says is handled before that, because the
// goroutine that handles it is the one that commits.
func (s *session) start(t *turn) {
	if t.opening.Body == nil {
		began := s.hub.config.Now()
		_, t.started.UTCOffset = began.Zone()
		t.opening = openclaw.Event{RequestID: t.id, Time: began.UTC(), Body: t.started}
	}
	if err := s.prepare(t); err != nil {
		s.hub.config.Logger.Error("turn could not start", "session", s.name, "turn", t.id, "err", err)
		t.refuse(openclaw.AsError(err))
		return
	}
	s.run(t)
	if t.ephemeral() || t.resumed {
		return
	}
	if err := s.append(t.opening); err != nil {
		t.unstored = err
		t.cancel(err)
	}
}

// prepare gives the turn its view of the conversation: its own beginning and,
// unless it wants none, what came before.
func (s *session) prepare(t *turn) error {
	if !t.ephemeral() && !t.resumed {
		if err := s.closeOpen(); err != nil {
			return err
		}
		t.opening.Seq = s.lastSeq + 1
	}
	t.stored = max(t.opening.Seq, 1) // an ephemeral turn counts for itself
	if t.alone() {
		t.transcript = &agent.Transcript{}
		s.recollect(t)
		first := t.opening
		first.Seq = t.stored
		t.transcript.Add(first)
		for _, ev := range t.past {
			t.transcript.Add(ev)
		}
		if !t.ephemeral() {
			s.transcript = nil // it is about to miss what this turn leaves in the log
		}
		return nil
	}
	transcript, err := s.conversation()
	if err != nil {
		return err
	}
	t.transcript, s.transcript = transcript, nil
	if !t.resumed { // else the log has it already
		s.recollect(t)
		t.transcript.Add(t.opening)
	}
	return nil
}

// recollect lets the turn begin with what the long-term memory has to say to
// it, as far as the conversation has not heard it yet.
func (s *session) recollect(t *turn) {
	recall := s.hub.config.Recall
	if recall == nil || t.ephemeral() || t.resumed || t.started.Recall != "" {
		return
	}
	t.started.Recall = t.transcript.Unheard(recall(s.hub.life, t.started))
	t.opening.Body = t.started
}
