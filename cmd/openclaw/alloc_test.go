//go:build !race

package main

import (
	"context"
	"log/slog"
	"testing"

	"github.com/openclaw/openclaw-go/internal/config"
)

// TestStatusAllocations bounds what the cheapest request allocates, with
// everything behind it but the socket. The race detector allocates on its own
// account, so this test is not built with it.
func TestStatusAllocations(t *testing.T) {
	c, _, err := config.Load(config.Options{Home: t.TempDir(), Environ: []string{
		"OPENCLAW_PROVIDER=offline",
		"OPENCLAW_GATEWAY_LIMITS_MESSAGES_PER_SECOND=1000000", "OPENCLAW_GATEWAY_LIMITS_BURST=1000000",
	}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(context.Background(), c, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	client := a.gateway.Connect(silent{})
	defer client.Close()
	frame := []byte(`{"type":"status","id":"1","payload":{}}`)
	const most = 12
	if got := testing.AllocsPerRun(200, func() { client.Receive(frame) }); got > most {
		t.Errorf("a status allocates %v times, want at most %d", got, most)
	}
}
