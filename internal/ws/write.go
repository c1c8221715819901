package ws

import (
	"context"
	"time"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-go/protocol"
)

// Send implements gateway.Conn: it queues the frame, and closes a client that
// has let the queue fill up.
func (c *conn) Send(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing != nil {
		return
	}
	if !c.fits(frame) {
		c.shutLocked(closing{protocol.ClosePolicy, protocol.ReasonSlow}, true)
		return
	}
	c.enqueue(frame)
}

// SendWait implements gateway.Conn.
func (c *conn) SendWait(frame []byte) error {
	for {
		c.mu.Lock()
		if c.closing != nil {
			c.mu.Unlock()
			return errClosed
		}
		// What is replayed leaves half of the queue to what happens live.
		if len(c.queue) == 0 || 2*len(c.queue) < c.server.limits.Load().WriteQueue && c.fits(frame) {
			c.enqueue(frame)
			c.mu.Unlock()
			return nil
		}
		if c.room == nil {
			c.room = make(chan struct{})
		}
		room := c.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-c.life.Done():
			return errClosed
		}
	}
}

// Behind implements gateway.Conn: a quarter of the queue is in use.
func (c *conn) Behind() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	limits := c.server.limits.Load()
	return len(c.queue) > 0 && (4*len(c.queue) >= limits.WriteQueue || 4*c.bytes >= limits.WriteQueueBytes)
}

// Close implements gateway.Conn.
func (c *conn) Close(code protocol.CloseCode, reason string) {
	c.shut(closing{code, reason}, false)
}

// fits says whether the queue has room for the frame; an empty one always has.
func (c *conn) fits(frame []byte) bool {
	limits := c.server.limits.Load()
	return len(c.queue) == 0 || len(c.queue) < limits.WriteQueue && c.bytes+len(frame) <= limits.WriteQueueBytes &&
		c.server.queued.Load()+int64(len(frame)) <= maxQueued
}

func (c *conn) enqueue(frame []byte) {
	c.queue = append(c.queue, frame)
	c.count(len(frame))
	c.write()
}

// count keeps account of what waits in the queue.
func (c *conn) count(bytes int) {
	c.bytes += bytes
	c.server.queued.Add(int64(bytes))
}

func (c *conn) shut(how closing, drop bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shutLocked(how, drop)
}

// shutLocked makes the writer close the connection after what is queued, or,
// with drop, after the frame it is writing. A client that does not read is cut
// off in the end. The first call counts.
func (c *conn) shutLocked(how closing, drop bool) {
	if c.closing != nil {
		return
	}
	c.closing = &how
	c.wire.ending.Store(true)
	if drop {
		c.queue = nil
		c.count(-c.bytes)
	}
	c.deadline = time.AfterFunc(c.server.limits.Load().WriteTimeout, c.cut)
	c.wake()
	c.write()
}

// write starts the writer goroutine unless it runs.
func (c *conn) write() {
	if !c.writing {
		c.writing = true
		c.writer.Go(c.drain)
	}
}

// claim makes the caller the writer unless there is one: answers that are
// ready when a message has been handled are written by the goroutine that read
// it, which saves the start of another. The caller calls drain if it got true.
func (c *conn) claim() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing || c.closing != nil {
		return false
	}
	c.writing = true
	return true
}

// wake tells those who wait for room to look again.
func (c *conn) wake() {
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
}

// drain is what the writer does: it ends when nothing is left to write, or when
// it has closed the connection.
func (c *conn) drain() {
	for {
		frame, closing := c.dequeue()
		switch {
		case frame != nil:
			c.writeFrame(frame)
		case closing != nil:
			c.deadline.Reset(c.server.limits.Load().WriteTimeout)
			_ = c.socket.Close(websocket.StatusCode(closing.code), closing.reason)
			return
		default:
			return
		}
	}
}

func (c *conn) writeFrame(frame []byte) {
	if err := c.socket.Write(context.Background(), websocket.MessageText, frame); err != nil {
		c.cut()
	}
}

// stuck arms the end of a client that takes nothing of what is written to it:
// it is closed like one that has let its queue fill up.
func (c *conn) stuck() *time.Timer {
	return time.AfterFunc(c.server.limits.Load().WriteTimeout, func() {
		c.shut(closing{protocol.ClosePolicy, protocol.ReasonSlow}, true)
	})
}

// dequeue takes the next frame; without one it says how to close, and without
// that either the writer has ended.
func (c *conn) dequeue() ([]byte, *closing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		c.queue = nil // an idle connection keeps no memory
		c.writing = c.closing != nil
		return nil, c.closing
	}
	frame := c.queue[0]
	c.queue[0] = nil
	c.queue = c.queue[1:]
	c.count(-len(frame))
	c.wake()
	return frame, nil
}
