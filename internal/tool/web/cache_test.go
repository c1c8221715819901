package web

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestCacheForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cache
		c.put("a", &page{text: "a"})
		time.Sleep(cacheTime)
		if c.get("a") == nil {
			t.Error("forgotten too early")
		}
		time.Sleep(time.Second)
		if c.get("a") != nil || c.bytes != 0 {
			t.Errorf("%d bytes are left", c.bytes)
		}
	})
}

func TestCache(t *testing.T) {
	var c cache
	big := &page{text: strings.Repeat("x", cacheBytes/2)}
	for i := range 5 {
		c.put(strconv.Itoa(i), big)
	}
	if c.bytes > cacheBytes || c.get("4") != big || c.get("0") != nil {
		t.Errorf("%d bytes in %d pages", c.bytes, len(c.pages))
	}
	c.put("4", &page{text: "small"})
	c.put("huge", &page{text: strings.Repeat("x", cacheBytes+1)})
	if c.get("huge") != nil || c.get("4").text != "small" || c.bytes != cacheBytes/2+5 {
		t.Errorf("%d bytes in %d pages", c.bytes, len(c.pages))
	}
}
