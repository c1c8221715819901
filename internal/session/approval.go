package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	openclaw "github.com/openclaw/openclaw-go"
)

// Approver is an Observer that can answer the questions of its turn.
type Approver interface {
	// Approves says whether it can and is still there. It must not block.
	Approves() bool
}

// question is one that nobody has answered yet. It belongs to the session's
// goroutine.
type question struct {
	turn    *turn
	asked   openclaw.Event
	expires *time.Timer
	look    *time.Timer                      // for somebody who can answer
	answer  chan<- openclaw.ApprovalResolved // has room for one
}

// questioner puts the questions of one turn. It implements openclaw.Asker.
type questioner struct {
	session *session
	turn    *turn
}

// Ask implements openclaw.Asker. It is called by a tool, on the turn's
// goroutine.
func (q *questioner) Ask(ctx context.Context, asked openclaw.ApprovalRequested, within time.Duration) (openclaw.ApprovalResolved, error) {
	answer, failed := make(chan openclaw.ApprovalResolved, 1), make(chan error, 1)
	asked.ApprovalID = ulid.Make().String()
	err := q.session.mail.post(func() {
		if err := q.session.ask(q.turn, asked, within, answer); err != nil {
			failed <- err
		}
	})
	if err != nil {
		return openclaw.ApprovalResolved{}, err
	}
	select {
	case a := <-answer:
		return a, nil
	case err := <-failed:
		return openclaw.ApprovalResolved{}, err
	case <-ctx.Done():
		return openclaw.ApprovalResolved{}, q.withdraw(ctx, asked.ApprovalID)
	}
}

// withdraw closes the question of a turn that ends, and returns why it does.
// An answer that came at the same time comes too late.
func (q *questioner) withdraw(ctx context.Context, id string) error {
	by := openclaw.ByEnd
	if errors.Is(context.Cause(ctx), errStop) {
		by = openclaw.ByShutdown
	}
	done := make(chan struct{})
	err := q.session.mail.post(func() {
		defer close(done)
		_ = q.session.resolve(id, openclaw.DecideDeny, by) // it may be resolved, or never have been asked
	})
	if err == nil {
		<-done
	}
	return context.Cause(ctx)
}

// ask stores and shows a question, and resolves it at once if nobody is there
// who could.
func (s *session) ask(t *turn, asked openclaw.ApprovalRequested, within time.Duration, answer chan<- openclaw.ApprovalResolved) error {
	h, id := s.hub, asked.ApprovalID
	asked.ExpiresAt = h.now().Add(within)
	events := []openclaw.Event{{Body: asked}}
	// Whoever is shown the question may answer before commit returns.
	h.setQuestion(id, openclaw.Event{Session: s.name})
	if err := s.commit(t, events); err != nil {
		h.dropQuestion(id)
		return err
	}
	if s.questions == nil {
		s.questions = map[string]*question{}
	}
	s.questions[id] = &question{
		turn: t, asked: events[0], answer: answer,
		expires: time.AfterFunc(within, func() {
			_ = s.mail.post(func() { _ = s.resolve(id, openclaw.DecideDeny, openclaw.ByTimeout) }) // answered meanwhile
		}),
		look: time.AfterFunc(lookEvery, func() { _ = s.mail.post(func() { s.lookForApprover(id) }) }),
	}
	h.setQuestion(id, events[0])
	if h.tellApprovers(events[0]) == 0 && !s.answerable(t) {
		return s.resolve(id, openclaw.DecideDeny, openclaw.ByNobody)
	}
	return nil
}

// lookEvery is how often an open question looks for somebody who could answer:
// time enough to connect again, and no reason to keep the conversation waiting.
const lookEvery = 10 * time.Second

// lookForApprover denies what a question asks once everybody who saw it has
// left.
func (s *session) lookForApprover(id string) {
	q := s.questions[id]
	if q == nil {
		return // it is resolved
	}
	if s.hub.approversLeft() == 0 && !s.answerable(q.turn) {
		_ = s.resolve(id, openclaw.DecideDeny, openclaw.ByNobody)
		return
	}
	q.look.Reset(lookEvery)
}

// answerable says whether somebody sees the turn's questions who could answer.
func (s *session) answerable(t *turn) bool {
	a, can := t.askers[0].observer.(Approver)
	return can && a.Approves() || !t.ephemeral() && slices.ContainsFunc(s.watchers, func(w watcher) bool { return w.live })
}

// resolve stores and shows the answer to a question and hands it to whoever
// waits. It fails with NOT_FOUND, and with the store's error: then the call is
// denied.
func (s *session) resolve(id, decision, by string) error {
	q := s.questions[id]
	if q == nil {
		return noQuestion()
	}
	delete(s.questions, id)
	q.expires.Stop()
	q.look.Stop()
	s.hub.dropQuestion(id)
	resolved := openclaw.ApprovalResolved{ApprovalID: id, Decision: decision, By: by}
	events := []openclaw.Event{{Body: resolved}}
	err := s.commit(q.turn, events)
	if err != nil {
		resolved.Decision, resolved.By = openclaw.DecideDeny, openclaw.ByEnd
	}
	s.hub.tellApprovers(events[0])
	q.answer <- resolved
	return err
}

func noQuestion() *openclaw.Error {
	return &openclaw.Error{
		Code: openclaw.CodeNotFound, Message: "no call waits for an approval with this approval_id; it may have expired",
	}
}

// Approve answers the question with this ID. It never waits: reply gets nil
// when the answer is stored, NOT_FOUND for a question that is unknown, expired
// or answered already, or the store's error, and must not block.
func (h *Hub) Approve(id, decision string, reply func(error)) {
	h.mu.Lock()
	asked, known := h.questions[id]
	h.mu.Unlock()
	if !known {
		reply(noQuestion())
		return
	}
	h.mu.Lock()
	s := h.sessions[asked.Session]
	h.mu.Unlock()
	if s == nil || s.mail.post(func() { reply(s.resolve(id, decision, openclaw.ByClient)) }) != nil {
		reply(noQuestion()) // its turn has ended
	}
}

// setQuestion remembers a question; one without a Body is about to be stored.
func (h *Hub) setQuestion(id string, ev openclaw.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.questions == nil {
		h.questions = map[string]openclaw.Event{}
	}
	h.questions[id] = ev
}

func (h *Hub) dropQuestion(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.questions, id)
}

// Questions returns the questions that nobody has answered yet, the oldest
// first: events with an ApprovalRequested.
func (h *Hub) Questions() []openclaw.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]openclaw.Event, 0, len(h.questions))
	for _, ev := range h.questions {
		if ev.Body != nil {
			list = append(list, ev)
		}
	}
	slices.SortFunc(list, func(a, b openclaw.Event) int {
		x, _ := a.Body.(openclaw.ApprovalRequested)
		y, _ := b.Body.(openclaw.ApprovalRequested)
		return strings.Compare(x.ApprovalID, y.ApprovalID) // ULIDs begin with the time
	})
	return list
}

// FollowApprovals shows sub the questions of every session, and what they are
// resolved to, until the function it returns is called. Only Live is called,
// and never for anything else.
func (h *Hub) FollowApprovals(sub Subscriber) (unfollow func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.approvers = append(h.approvers, sub)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.approvers = slices.DeleteFunc(h.approvers, func(s Subscriber) bool { return s == sub })
	}
}

// approversLeft returns how many follow the approvals.
func (h *Hub) approversLeft() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.approvers)
}

// tellApprovers shows an event to whoever follows the approvals, and returns
// how many do.
func (h *Hub) tellApprovers(ev openclaw.Event) int {
	h.mu.Lock()
	list := slices.Clone(h.approvers)
	h.mu.Unlock()
	d := &Delivery{Event: ev}
	for _, sub := range list {
		sub.Live(d)
	}
	return len(list)
}
