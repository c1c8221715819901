package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time, written as 30s, 5m, 1h30m or 90d (days of 24
// hours).
type Duration time.Duration

// String returns the duration as a configuration file has it.
func (d Duration) String() string {
	t := time.Duration(d)
	if day := 24 * time.Hour; t != 0 && t%day == 0 {
		return strconv.FormatInt(int64(t/day), 10) + "d"
	}
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// MarshalText implements encoding.TextMarshaler with String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// parseDuration reads text. A number without a unit counts in unit; where unit
// is 0, only 0 may be bare.
func parseDuration(text string, unit time.Duration) (Duration, error) {
	if text == "0" {
		return 0, nil
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		if unit == 0 {
			return 0, fmt.Errorf("needs a unit: write %ss or %sm", text, text)
		}
		return scaleDuration(n, unit)
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil {
			return scaleDuration(n, 24*time.Hour)
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, errors.New("must be a duration, such as 500ms, 30s, 5m or 1h30m")
	}
	return Duration(d), nil
}

func scaleDuration(n float64, unit time.Duration) (Duration, error) {
	f := n * float64(unit)
	if math.IsNaN(f) || math.Abs(f) >= math.MaxInt64 {
		return 0, errors.New("is longer than 292 years")
	}
	return Duration(f), nil
}

// Size is a number of bytes, written as 64KiB, 10MB or bare.
type Size int64

// sizeUnits goes from the largest to the smallest, and a unit stands before
// every unit that its name ends with.
var sizeUnits = [...]struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
}

// String returns the size as a configuration file has it.
func (s Size) String() string {
	for _, u := range sizeUnits[:4] {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalText implements encoding.TextMarshaler with String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func parseSize(text string) (Size, error) {
	number, factor := text, int64(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			number, factor = strings.TrimRight(rest, " "), u.bytes
			break
		}
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		if n > math.MaxInt64/factor || n < math.MinInt64/factor {
			return 0, errors.New("is more than any machine has")
		}
		return Size(n * factor), nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || factor == 1 || math.IsNaN(f) || math.Abs(f*float64(factor)) >= math.MaxInt64 {
		return 0, errors.New("must be a size, such as 64KiB, 1MiB or a number of bytes")
	}
	return Size(f * float64(factor)), nil
}

// Secret is a text that nothing prints: not fmt, not slog, not encoding/json.
// The zero value is no secret at all.
type Secret string

// masked is what stands for a secret wherever one would be shown.
const masked = "[secret]"

// Reveal returns the secret itself, to be sent to whom it is meant for.
func (s Secret) Reveal() string { return string(s) }

// String returns "[secret]", or "" where there is none.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// Format hides the secret from every verb, such as %x.
func (s Secret) Format(f fmt.State, verb rune) {
	text := s.String()
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		text = s.GoString()
	}
	_, _ = f.Write([]byte(text)) // fmt itself has nowhere to report this to
}

// LogValue hides the secret from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders, encoding/json among them, also
// where it is the key of a map.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
