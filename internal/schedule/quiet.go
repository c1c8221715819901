package schedule

import (
	"fmt"
	"time"
)

// Quiet are the hours without heartbeats, in wall time: from Start up to, but
// not including, End, which may lie after midnight. The zero value holds
// never.
type Quiet struct {
	start, end int // minutes since midnight
	zone       *time.Location
}

// ParseQuiet reads times such as "22:00" and "07:30" and the name of a time
// zone. Two empty or two equal times mean never.
func ParseQuiet(start, end, zone string) (Quiet, error) {
	if start == "" && end == "" {
		return Quiet{}, nil
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return Quiet{}, fmt.Errorf("time zone %q is not known; use a name such as Europe/Berlin", zone)
	}
	from, err := minutes(start)
	if err != nil {
		return Quiet{}, err
	}
	to, err := minutes(end)
	if err != nil {
		return Quiet{}, err
	}
	return Quiet{start: from, end: to, zone: location}, nil
}

func minutes(clock string) (int, error) {
	t, err := time.Parse("15:04", clock)
	if err != nil {
		return 0, fmt.Errorf("%q is no time of day; write it as 22:00", clock)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// Holds says whether t lies in the quiet hours.
func (q Quiet) Holds(t time.Time) bool {
	if q.zone == nil || q.start == q.end {
		return false
	}
	local := t.In(q.zone)
	now := local.Hour()*60 + local.Minute()
	if q.start < q.end {
		return q.start <= now && now < q.end
	}
	return now >= q.start || now < q.end
}
