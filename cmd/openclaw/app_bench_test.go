package main

import (
	"context"
	"log/slog"
	"testing"

	"github.com/openclaw/openclaw-go/internal/config"
	"github.com/openclaw/openclaw-go/protocol"
)

// silent is a connection that forgets what is sent.
type silent struct{}

func (silent) Send([]byte)                      {}
func (silent) SendWait([]byte) error            { return nil }
func (silent) Behind() bool                     { return false }
func (silent) Close(protocol.CloseCode, string) {}

// BenchmarkStatus is the cheapest request with everything behind it but the
// socket.
func BenchmarkStatus(b *testing.B) {
	home := b.TempDir()
	c, _, err := config.Load(config.Options{Home: home, Environ: []string{
		"OPENCLAW_PROVIDER=offline",
		"OPENCLAW_GATEWAY_LIMITS_MESSAGES_PER_SECOND=1000000000", "OPENCLAW_GATEWAY_LIMITS_BURST=1000000000",
	}})
	if err != nil {
		b.Fatal(err)
	}
	a, err := newApp(context.Background(), c, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := a.close(); err != nil {
			b.Error(err)
		}
	}()
	client := a.gateway.Connect(silent{})
	defer client.Close()
	frame := []byte(`{"type":"status","id":"1","payload":{}}`)
	b.ReportAllocs()
	for b.Loop() {
		client.Receive(frame)
	}
}
