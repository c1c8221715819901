// Package cron says when a schedule is due.
//
// A [Schedule] is a value without state: the same question always has the same
// answer, whoever asks and whatever the clock of the machine says. The package
// reads no clock, waits for nothing and remembers nothing; package schedule
// does all three.
//
// Schedules are written as five fields of crontab(5) ("30 9 * * 1-5") or one
// of its names ("@daily"), as "@every 90m", or as "@at 2027-01-31T09:00" for
// once. Fields are times of a wall clock. Where a zone sets its clocks
// forward, a time that does not exist is due at the first instant after the
// gap. Where it sets them back, a time that occurs twice is due the first
// time; schedules of every hour ("*" or "*/2" in the second field) go on
// through both.
package cron

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// Shortest is the least time between two slots of "@every".
const Shortest = time.Minute

// Schedule is when something is due. The zero value is never due.
type Schedule struct {
	text   string
	zone   *time.Location
	every  time.Duration
	at     time.Time
	fields string // five, of a wall clock
	hourly bool   // the hours do not name a time of day
}

// Parse reads a schedule in the named zone; "" is UTC. What can never be due,
// such as the 31st of February, is an error.
func Parse(text, zone string) (Schedule, error) {
	if zone == "" {
		zone = "UTC"
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return Schedule{}, fmt.Errorf("time zone %q is not known; use a name such as Europe/Berlin", zone)
	}
	s := Schedule{text: strings.Join(strings.Fields(text), " "), zone: location}
	word, rest, _ := strings.Cut(s.text, " ")
	switch {
	case word == "@every":
		return s.parseEvery(rest)
	case word == "@at":
		return s.parseAt(rest)
	}
	return s.parseFields()
}

func (s Schedule) parseEvery(text string) (Schedule, error) {
	every, err := time.ParseDuration(text)
	if err != nil || every < Shortest || every%time.Second != 0 {
		return Schedule{}, errors.New("@every takes whole seconds, at least a minute in all, such as @every 90m")
	}
	s.every = every
	return s, nil
}

// parseAt reads RFC 3339, or the same without its zone.
func (s Schedule) parseAt(text string) (Schedule, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		s.at = at
		return s, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if wall, err := time.Parse(layout, text); err == nil {
			s.at = s.instants(wall)[0]
			return s, nil
		}
	}
	return Schedule{}, errors.New("@at takes a date and a time that exist, such as @at 2027-01-31T09:00")
}

// names are the schedules that have one, as crontab(5) knows them.
var names = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

func (s Schedule) parseFields() (Schedule, error) {
	s.fields = s.text
	if known := names[strings.ToLower(s.text)]; known != "" {
		s.fields = known
	}
	fields := strings.Split(s.fields, " ")
	// Longer forms have a field for seconds or years, which crontab(5) does not.
	if len(fields) != 5 || !gronx.IsValid(s.fields) {
		return Schedule{}, fmt.Errorf(
			"%q is no schedule; write five fields (minute hour day month weekday) such as 30 9 * * 1-5, @every 90m or @at 2027-01-31T09:00",
			s.text)
	}
	s.hourly = strings.HasPrefix(fields[1], "*")
	if s.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Schedule{}, fmt.Errorf("%q names a day that never comes", s.text)
	}
	return s, nil
}

// String returns the schedule as it was written.
func (s Schedule) String() string { return s.text }

// Once says whether the schedule is due one time only.
func (s Schedule) Once() bool { return !s.at.IsZero() }

// Next returns the first slot after the given time, and the zero time where
// there is none. Slots of "@every" count from the given time: give it the slot
// before.
func (s Schedule) Next(after time.Time) time.Time {
	switch {
	case s.every > 0:
		return after.Add(s.every)
	case s.at.After(after):
		return s.at
	case s.fields == "":
		return time.Time{}
	}
	return s.nextWall(after)
}

// shift is more than any zone ever moves its clocks at once.
const shift = 3 * time.Hour

// nextWall looks for the slot among the wall times around the one that after
// is. Where no clock moves nearby the next wall time is the answer; where one
// does, wall times before it can still be ahead.
func (s Schedule) nextWall(after time.Time) time.Time {
	now := wallOf(after.In(s.zone))
	wall, ok := tick(s.fields, now)
	if !ok {
		return time.Time{}
	}
	if at := s.instants(wall); steady(after, s.zone) && len(at) == 1 && steady(at[0], s.zone) {
		return at[0]
	}
	var best time.Time
	for wall, ok = tick(s.fields, now.Add(-shift)); ok; wall, ok = tick(s.fields, wall) {
		if !best.IsZero() && wall.After(wallOf(best.In(s.zone)).Add(shift)) {
			break
		}
		for _, at := range s.instants(wall) {
			if at.After(after) && (best.IsZero() || at.Before(best)) {
				best = at
			}
		}
	}
	return best
}

// steady says that the clocks of the zone do not move around the time.
func steady(t time.Time, zone *time.Location) bool {
	_, before := t.Add(-shift).In(zone).Zone()
	_, after := t.Add(shift).In(zone).Zone()
	return before == after
}

// tick returns the next wall time that the fields name, as if wall clocks
// never moved.
func tick(fields string, after time.Time) (time.Time, bool) {
	next, err := gronx.NextTickAfter(fields, after, false)
	if err != nil || !next.After(after) {
		return time.Time{}, false
	}
	return next, true
}

// wallOf is the wall clock's reading as a time of a clock that never moves.
func wallOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// instants returns when the wall clock of the zone shows the time and the
// schedule is due: once as a rule; where clocks are set forward, the end of
// the gap; where they are set back, the first of two, and both for schedules
// of every hour.
func (s Schedule) instants(wall time.Time) []time.Time {
	var found []time.Time
	for _, offset := range s.offsets(wall) {
		at := wall.Add(-offset)
		if wallOf(at.In(s.zone)).Equal(wall) {
			found = append(found, at.In(s.zone))
		}
	}
	switch {
	case len(found) == 0:
		return []time.Time{s.afterGap(wall)}
	case len(found) > 1 && !s.hourly:
		return found[:1]
	}
	return found
}

// offsets returns the zone's distances from UTC around the wall time, the one
// that is in force first first.
func (s Schedule) offsets(wall time.Time) []time.Duration {
	_, before := wall.Add(-24 * time.Hour).In(s.zone).Zone()
	_, after := wall.Add(24 * time.Hour).In(s.zone).Zone()
	list := []time.Duration{time.Duration(before) * time.Second}
	if after != before {
		list = append(list, time.Duration(after)*time.Second)
	}
	return list
}

// afterGap returns the instant at which the clocks jump over the wall time.
func (s Schedule) afterGap(wall time.Time) time.Time {
	low, high := wall.Add(-24*time.Hour), wall.Add(24*time.Hour)
	for high.Sub(low) > time.Second {
		middle := low.Add(high.Sub(low) / 2).Truncate(time.Second)
		if wallOf(middle.In(s.zone)).Before(wall) {
			low = middle
		} else {
			high = middle
		}
	}
	return high.In(s.zone)
}
