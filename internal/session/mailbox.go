package session

import "sync"

// mailbox is an unbounded queue of work for one goroutine. Posting never
// waits, so that no reader of a socket is held up by a slow disk; what bounds
// it are the limits on requests in flight.
type mailbox struct {
	mu     sync.Mutex
	work   []func()
	closed bool
	ready  chan struct{} // holds one token while work is there
}

func newMailbox() *mailbox { return &mailbox{ready: make(chan struct{}, 1)} }

// post adds work. It fails with errGone on a closed mailbox.
func (m *mailbox) post(f func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errGone
	}
	m.work = append(m.work, f)
	select {
	case m.ready <- struct{}{}:
	default:
	}
	return nil
}

// take empties the mailbox.
func (m *mailbox) take() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	work := m.work
	m.work = nil
	return work
}

// close closes an empty mailbox and says whether it was empty.
func (m *mailbox) close() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.work) > 0 {
		return false
	}
	m.closed = true
	return true
}
