package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	openclaw "github.com/openclaw/openclaw-go"
)

// conversationOf returns a log of n events: turns of five, with a tool.
func conversationOf(n int) []openclaw.Event {
	var log []openclaw.Event
	for i := 0; len(log) < n; i++ {
		id := fmt.Sprint("c", i)
		for _, body := range []openclaw.Body{
			asked("what do the notes say?"), called(1, id, `{"path":"notes.txt"}`), returned(id, strings.Repeat("a line of notes\n", 30)),
			wrote(2, strings.Repeat("They say much. ", 10)), openclaw.TurnCompleted{},
		} {
			log = append(log, openclaw.Event{Seq: int64(len(log)) + 1, Time: time.Unix(1_800_000_000, 0).UTC(), Body: body})
		}
	}
	return log[:n]
}

// BenchmarkPrompt is the assembly of what a model reads: from the log, as for
// the first turn after a start, and for one more turn of a conversation in
// memory.
func BenchmarkPrompt(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		log := conversationOf(n)
		b.Run(fmt.Sprintf("log of %d events", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				transcript(log...)
			}
		})
		b.Run(fmt.Sprintf("turn after %d events", n), func(b *testing.B) {
			b.ReportAllocs()
			live := transcript(log...)
			more := conversationOf(5)
			for b.Loop() {
				t := *live // what is added is left behind
				for _, ev := range more {
					t.Add(ev)
				}
				t.Messages()
			}
		})
	}
}
