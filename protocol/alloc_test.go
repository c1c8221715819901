//go:build !race

package protocol_test

import (
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/protocol"
)

// The bounds leave a fifth for a newer compiler or library. The race detector
// allocates on its own account, so these tests are not built with it.

func TestDecodeAllocations(t *testing.T) {
	frame := []byte(`{"type":"chat","id":"1","payload":{"text":"hello","context":{"session":"s1"},"options":{"stream":true}}}`)
	const most = 10
	got := testing.AllocsPerRun(200, func() {
		request, problem := protocol.Decode(frame, 64)
		if problem != nil {
			t.Fatal(problem)
		}
		if p, problem := protocol.DecodePayload[protocol.Chat](request); problem != nil || p.Text != "hello" {
			t.Fatal(p.Text, problem)
		}
	})
	if got > most {
		t.Errorf("decoding a chat allocates %v times, want at most %d", got, most)
	}
}

func TestEncodeAllocations(t *testing.T) {
	response := protocol.Response{
		Text: "Hello.", Session: "main", Model: "scripted", Seq: 3, TokensUsed: 12,
		ToolCalls: []protocol.CallDone{{Tool: "shell", Args: protocol.RawArgs([]byte(`{"command":"ls"}`))}},
	}
	at := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	const most = 9
	got := testing.AllocsPerRun(200, func() {
		if len(protocol.Encode(protocol.TypeResponse, "1", response, at)) == 0 {
			t.Fatal("nothing encoded")
		}
	})
	if got > most {
		t.Errorf("encoding a response allocates %v times, want at most %d", got, most)
	}
}
