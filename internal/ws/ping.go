package ws

import (
	"context"
	"time"
)

// startPings pings the client at each interval.
func (c *conn) startPings() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ping = time.AfterFunc(c.server.limits.Load().PingInterval, c.pingOnce)
}

// pingOnce cuts the connection when no pong comes back in time.
func (c *conn) pingOnce() {
	limits := c.server.limits.Load()
	ctx, cancel := context.WithTimeout(c.life, limits.PongTimeout)
	defer cancel()
	if err := c.socket.Ping(ctx); err != nil {
		c.cut()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ping != nil {
		c.ping.Reset(limits.PingInterval)
	}
}

func (c *conn) stopPings() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ping.Stop()
	c.ping = nil
}
