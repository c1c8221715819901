package web

import (
	"sync"
	"time"
)

const (
	cacheTime  = 10 * time.Minute
	cacheBytes = 4 << 20
)

// cache keeps pages for a while, so that paging through one does not fetch it
// again. It is safe for concurrent use; its zero value is ready.
type cache struct {
	mu    sync.Mutex
	pages map[string]cached
	bytes int
}

type cached struct {
	page *page
	till time.Time
}

func (c *cache) get(key string) *page {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire()
	return c.pages[key].page
}

// put keeps a page. Those that end first make room for it.
func (c *cache) put(key string, p *page) {
	if len(p.text) > cacheBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(key)
	c.expire()
	for c.bytes+len(p.text) > cacheBytes {
		first := ""
		for k, e := range c.pages {
			if first == "" || e.till.Before(c.pages[first].till) {
				first = k
			}
		}
		c.drop(first)
	}
	if c.pages == nil {
		c.pages = map[string]cached{}
	}
	c.pages[key] = cached{p, time.Now().Add(cacheTime)}
	c.bytes += len(p.text)
}

func (c *cache) expire() {
	now := time.Now()
	for key, e := range c.pages {
		if now.After(e.till) {
			c.drop(key)
		}
	}
}

func (c *cache) drop(key string) {
	if e, ok := c.pages[key]; ok {
		c.bytes -= len(e.page.text)
		delete(c.pages, key)
	}
}
