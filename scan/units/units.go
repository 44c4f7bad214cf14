// Package units holds what configuration and limits are written in: sizes in bytes
// and durations, both read from text with their unit, so that 25 can never be taken
// for 25MB, and the addresses of servers.
package units

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes. As text it is a whole number and a unit:
// "512B", "64KB", "25MB", "2GB"; a unit is 1024 times the one before it.
type Size int64

// The units of Size.
const (
	B  Size = 1
	KB      = 1024 * B
	MB      = 1024 * KB
	GB      = 1024 * MB
)

// suffixes are ordered largest first; String takes the first that divides.
var suffixes = [...]struct {
	text string
	size Size
}{{"GB", GB}, {"MB", MB}, {"KB", KB}, {"B", B}}

// UnmarshalText reads a size such as "25MB". A bare number is refused.
func (s *Size) UnmarshalText(text []byte) error {
	t := strings.ToUpper(strings.TrimSpace(string(text)))
	for _, u := range suffixes {
		digits, ok := strings.CutSuffix(t, u.text)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > int64((1<<62)/u.size) {
			break
		}
		*s = Size(n) * u.size
		return nil
	}
	return fmt.Errorf("%q is not a size; write a whole number with B, KB, MB or GB, such as \"25MB\"", text)
}

// MarshalText writes the size in the largest unit that divides it.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String returns the size in the largest unit that divides it: "25MB".
func (s Size) String() string {
	if s == 0 {
		return "0B"
	}
	for _, u := range suffixes {
		if s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.text
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// Duration is a time.Duration read from text such as "30s", "5m" or "30d".
type Duration time.Duration

const day = 24 * time.Hour

// UnmarshalText reads a duration such as "1m30s", or whole days such as "30d". A
// bare number is refused, and so is a negative one.
func (d *Duration) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	v, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		v = time.Duration(n) * day
	}
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration; write a number with ms, s, m, h or d, such as \"30s\"", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the duration as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the duration as Go writes it, without trailing zero units, "5m", not
// "5m0s"; whole days are written as such.
func (d Duration) String() string {
	if v := time.Duration(d); v > 0 && v%day == 0 {
		return strconv.FormatInt(int64(v/day), 10) + "d"
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Go returns the duration as the standard library's type.
func (d Duration) Go() time.Duration { return time.Duration(d) }
