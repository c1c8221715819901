package protocol_test

import (
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/protocol"
)

func BenchmarkDecode(b *testing.B) {
	frame := []byte(`{"type":"status","id":"1","payload":{}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, problem := protocol.Decode(frame, 64); problem != nil {
			b.Fatal(problem)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	status := protocol.Status{State: "running", Tools: []string{"edit_file", "list_files", "shell"}}
	b.ReportAllocs()
	for b.Loop() {
		protocol.Encode(protocol.TypeStatus, "1", status, time.Time{})
	}
}
