package sqlite_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
)

// line is an event of ordinary size.
func line(session string, seq int64) openclaw.Event {
	return openclaw.Event{
		Session: session, Seq: seq, RequestID: "01JZ0000000000000000000000",
		Time: time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC).Add(time.Duration(seq) * time.Millisecond),
		Body: openclaw.TextWritten{Text: strings.Repeat("word ", 60), Step: openclaw.Step{N: int(seq)}},
	}
}

func filled(b *testing.B, sync string, events int) *sqlite.Store {
	b.Helper()
	s := openStore(b, sqlite.Options{Path: filepath.Join(b.TempDir(), "openclaw.db"), Sync: sync})
	var batch []openclaw.Event
	for seq := range int64(events) {
		batch = append(batch, line("main", seq+1))
	}
	if err := s.Append(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkAppend(b *testing.B) {
	for _, sync := range []string{sqlite.SyncFull, sqlite.SyncNormal} {
		b.Run(sync, func(b *testing.B) {
			s := filled(b, sync, 0)
			b.ReportAllocs()
			var seq int64
			for b.Loop() {
				seq++
				if err := s.Append(b.Context(), []openclaw.Event{line("main", seq)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAppend200 is 200 sessions at once; its time is per append.
func BenchmarkAppend200(b *testing.B) {
	for _, sync := range []string{sqlite.SyncFull, sqlite.SyncNormal} {
		b.Run(sync, func(b *testing.B) {
			s := filled(b, sync, 0)
			b.ReportAllocs()
			b.SetParallelism(100) // times the two CPUs of the reference machine
			var sessions atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				name := fmt.Sprint("s", sessions.Add(1))
				for seq := int64(1); pb.Next(); seq++ {
					if err := s.Append(b.Context(), []openclaw.Event{line(name, seq)}); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}

func BenchmarkEvents10000(b *testing.B) {
	s := filled(b, sqlite.SyncFull, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		events, err := s.Events(b.Context(), "main", openclaw.EventRange{})
		if err != nil || len(events) != 10_000 {
			b.Fatal(len(events), err)
		}
	}
}

func BenchmarkNewest50(b *testing.B) {
	s := filled(b, sqlite.SyncFull, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Events(b.Context(), "main", openclaw.EventRange{Limit: 50, Newest: true}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen is the start of a gateway with a store of some MB.
func BenchmarkOpen(b *testing.B) {
	for _, events := range []int{100, 10_000, 40_000} {
		b.Run(fmt.Sprint(events), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "openclaw.db")
			fill, err := sqlite.Open(b.Context(), sqlite.Options{Path: path})
			if err != nil {
				b.Fatal(err)
			}
			for seq := int64(0); seq < int64(events); seq += 100 {
				var batch []openclaw.Event
				for i := range int64(100) {
					batch = append(batch, line("main", seq+i+1))
				}
				if err := fill.Append(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			if err := fill.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				s, err := sqlite.Open(b.Context(), sqlite.Options{Path: path})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
