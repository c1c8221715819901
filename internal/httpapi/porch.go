package httpapi

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// porch is where connections wait that have not been let in: new ones, those
// that dribble a header, idle ones. There are at most so many; with one more
// the one that has waited longest is closed, so that nobody can keep others
// from the door by standing in front of it.
type porch struct {
	most int

	mu    sync.Mutex
	queue *list.List // of net.Conn
	place map[net.Conn]*list.Element
}

func newPorch(most int) *porch {
	return &porch{most: most, queue: list.New(), place: map[net.Conn]*list.Element{}}
}

// state implements http.Server's ConnState.
func (p *porch) state(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew, http.StateIdle:
		p.enter(c)
	case http.StateHijacked, http.StateClosed:
		p.leave(c)
	case http.StateActive: // a request begins; whose, the Door will say
	}
}

// enter puts the connection at the end of the queue.
func (p *porch) enter(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.place[c]; at != nil {
		p.queue.MoveToBack(at)
		return
	}
	p.place[c] = p.queue.PushBack(c)
	if p.queue.Len() > p.most {
		oldest := p.queue.Remove(p.queue.Front()).(net.Conn)
		delete(p.place, oldest)
		_ = oldest.Close() // its own goroutine notices
	}
}

// leave takes the connection out of the queue: it was let in, or is gone.
func (p *porch) leave(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.place[c]; at != nil {
		p.queue.Remove(at)
		delete(p.place, c)
	}
}

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// connOf returns the connection a request came on, nil if it came on none.
func connOf(r *http.Request) net.Conn {
	c, _ := r.Context().Value(connKey{}).(net.Conn)
	return c
}
