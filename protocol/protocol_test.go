package protocol_test

import (
	"strings"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/protocol"
)

func TestValidSession(t *testing.T) {
	for name, want := range map[string]bool{
		"main": true, "a": true, "AZaz09._:@/-": true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "a b": false, "a\n": false, "é": false, "a\x00": false, "a\\b": false, "[": false,
	} {
		if got := protocol.ValidSession(name); got != want {
			t.Errorf("ValidSession(%q) = %v", name, got)
		}
	}
}

func TestFormatTime(t *testing.T) {
	east := time.FixedZone("east", 2*60*60)
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{time.Time{}, ""},
		{time.Date(2026, 3, 14, 1, 2, 3, 0, east), "2026-03-13T23:02:03.000Z"},
		{time.Date(2026, 3, 14, 1, 2, 3, 4_999_999, time.UTC), "2026-03-14T01:02:03.004Z"},
		{time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC), "1969-12-31T23:59:59.999Z"},
	} {
		if got := protocol.FormatTime(tt.at); got != tt.want {
			t.Errorf("FormatTime(%v) = %q, want %q", tt.at, got, tt.want)
		}
	}
}
