package cron

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func at(t testing.TB, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestNext(t *testing.T) {
	tests := []struct {
		name, schedule, zone, after string
		want                        []string
	}{
		{"weekdays", "30 9 * * 1-5", "", "2026-01-02T09:30:00Z", []string{"2026-01-05T09:30:00Z", "2026-01-06T09:30:00Z"}},
		{"seconds are dropped", "* * * * *", "", "2026-01-02T09:30:59Z", []string{"2026-01-02T09:31:00Z"}},
		{"name", "@Monthly", "", "2026-01-31T23:59:59Z", []string{"2026-02-01T00:00:00Z"}},
		{"day or weekday", "0 0 13 * 5", "", "2026-01-02T00:00:00Z", []string{"2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z", "2026-01-16T00:00:00Z"}},
		{"Sunday is 7", "0 0 * * 7", "", "2026-01-02T00:00:00Z", []string{"2026-01-04T00:00:00Z"}},
		{"leap day", "0 12 29 2 *", "", "2025-01-01T00:00:00Z", []string{"2028-02-29T12:00:00Z", "2032-02-29T12:00:00Z"}},
		{"no leap day in 2100", "0 12 29 2 *", "", "2096-03-01T00:00:00Z", []string{"2104-02-29T12:00:00Z"}},
		{"the 31st", "0 0 31 * *", "", "2026-01-31T00:00:00Z", []string{"2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"}},
		{"every", "@every 90m", "", "2026-01-02T00:00:10Z", []string{"2026-01-02T01:30:10Z", "2026-01-02T03:00:10Z"}},
		{"once", "@at 2026-03-01T09:00", "Europe/Berlin", "2026-01-02T00:00:00Z", []string{"2026-03-01T08:00:00Z", ""}},
		{"once with a zone of its own", "@at 2026-03-01T09:00:00-05:00", "Europe/Berlin", "2026-01-02T00:00:00Z", []string{"2026-03-01T14:00:00Z"}},
		{"zone", "0 9 * * *", "Asia/Kathmandu", "2026-01-02T00:00:00Z", []string{"2026-01-02T03:15:00Z"}},

		// Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
		{"a time in the gap", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
		{"the end of the gap", "0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"}},
		{"hourly over the gap", "15 * * * *", "Europe/Berlin", "2026-03-28T23:20:00Z", []string{"2026-03-29T00:15:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"}},
		{"once in the gap", "@at 2026-03-29T02:30", "Europe/Berlin", "2026-01-01T00:00:00Z", []string{"2026-03-29T01:00:00Z", ""}},

		// Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC.
		{"a time that comes twice", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		{"hourly, twice", "30 * * * *", "Europe/Berlin", "2026-10-24T23:35:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"}},
		{"quarters, twice", "*/20 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", []string{"2026-10-25T00:40:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:20:00Z"}},
		{"asked in the second hour", "30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", []string{"2026-10-26T01:30:00Z"}},
		{"the hour after", "0 3 * * *", "Europe/Berlin", "2026-10-25T00:10:00Z", []string{"2026-10-25T02:00:00Z"}},

		// Lord Howe moves by half an hour; Apia had no 30 December 2011.
		{"half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", []string{"2026-10-03T15:30:00Z"}},
		{"a day that was left out", "0 12 30 12 *", "Pacific/Apia", "2011-12-29T00:00:00Z", []string{"2011-12-30T10:00:00Z"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Parse(tt.schedule, tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			now := at(t, tt.after)
			for _, want := range tt.want {
				next := s.Next(now)
				got := ""
				if !next.IsZero() {
					got = next.UTC().Format(time.RFC3339)
				}
				if got != want {
					t.Fatalf("after %s comes %q, want %q", now.UTC().Format(time.RFC3339), got, want)
				}
				now = next
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{
		"", "*", "* * * *", "* * * * * *", "0 0 0 * * * 2030", "60 * * * *", "* 24 * * *", "0 0 31 2 *", "0 0 31 4,6,9,11 *", "0 0 * 13 *",
		"*/0 * * * *", "a b c d e", "@reboot", "@every", "@every 10s", "@every -1h", "@every 61500ms", "@at", "@at tomorrow", "@at 2026-02-30T09:00",
	} {
		if s, err := Parse(text, ""); err == nil {
			t.Errorf("%q is accepted; next: %v", text, s.Next(time.Now()))
		}
	}
	if _, err := Parse("* * * * *", "Mars/Olympus"); err == nil {
		t.Error("a zone nobody knows is accepted")
	}
}

// TestZeroIsNever holds for values that come from nowhere.
func TestZeroIsNever(t *testing.T) {
	if next := (Schedule{}).Next(time.Now()); !next.IsZero() {
		t.Errorf("due at %v", next)
	}
}

var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca"}

// TestSlotsArePlausible: slots come one after the other, each is a reading of
// the wall clock that the fields name or the end of a gap, and asking from
// anywhere between two slots gives the later one.
func TestSlotsArePlausible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minute := rapid.SampledFrom([]string{"0", "30", "*/7", "15,45"}).Draw(t, "minute")
		hour := rapid.SampledFrom([]string{"*", "*/2", "2", "1-3", "0,23"}).Draw(t, "hour")
		day := rapid.SampledFrom([]string{"*", "29", "1-7"}).Draw(t, "day")
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		s, err := Parse(minute+" "+hour+" "+day+" * *", zone)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(rapid.Int64Range(1.2e9, 2e9).Draw(t, "from"), 0)
		for range 5 {
			next := s.Next(now)
			if !next.After(now) {
				t.Fatalf("%v follows %v", next, now)
			}
			wall := wallOf(next.In(s.zone))
			before := wallOf(next.Add(-time.Second).In(s.zone))
			jumps := wall.Sub(before) != time.Second
			if due, ok := tick(s.fields, wall.Add(-time.Second)); !jumps && (!ok || !due.Equal(wall)) {
				t.Fatalf("%v is no slot of %s", next, s)
			}
			between := now.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(now))-1).Draw(t, "between")))
			if again := s.Next(between); !again.Equal(next) {
				t.Fatalf("from %v the next is %v, from %v it is %v", now, next, between, again)
			}
			now = next
		}
	})
}

// TestDailyOncePerDay counts the slots of a year day by day: one each, however
// the clocks move.
func TestDailyOncePerDay(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"} {
		for _, hour := range []string{"30 2", "0 3"} {
			s, err := Parse(hour+" * * *", zone)
			if err != nil {
				t.Fatal(err)
			}
			var days []string
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, s.zone).Add(-time.Second)
			for {
				if now = s.Next(now); now.Year() > 2026 {
					break
				}
				days = append(days, now.Format(time.DateOnly))
			}
			if unique := slices.Compact(slices.Clone(days)); len(days) != 365 || len(unique) != 365 {
				t.Errorf("%s in %s: %d slots on %d days", hour, zone, len(days), len(unique))
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"30 9 * * 1-5", "@daily", "@every 90m", "@at 2027-01-31T09:00", "*/15 0-6/2 L * MON#2", "0 0 31 2 *", "* * * * * *", "1,2,3-5/2 * * * ?"} {
		f.Add(seed, "Europe/Berlin")
	}
	f.Fuzz(func(t *testing.T, text, zone string) {
		s, err := Parse(text, zone)
		if err != nil {
			return
		}
		now := time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC)
		if next := s.Next(now); !next.IsZero() && !next.After(now) {
			t.Errorf("%q: %v follows %v", text, next, now)
		}
	})
}
