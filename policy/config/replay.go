package config

import (
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Replay is the section for a sample of all mail, which "milterscan replay --sample" judges again.
type Replay struct {
	// How many messages of each hour are kept, whatever becomes of them; 0 for none. They are
	// chosen at random. Who may read the directory reads people's mail: see docs/replay.md.
	Keep int `toml:"keep"`
	// The directory, which holds nothing else.
	Dir string `toml:"dir"`
	// How long a message is kept.
	For units.Duration `toml:"for"`
	// Larger messages are not kept.
	Largest units.Size `toml:"largest"`
	// The disk space for all of them together; when it is used up, the oldest go.
	Size units.Size `toml:"size"`
}

func defaultReplay() Replay {
	return Replay{Dir: "/var/lib/milterscan/sample", For: units.Duration(7 * 24 * time.Hour), Largest: units.MB, Size: 500 * units.MB}
}

// Bounds of what an administrator may ask for.
const (
	mostPerHour   = 1000
	largestSample = 16 * units.MB // which is in memory until it is on the disk
)

// Check returns the errors of the section [replay].
func (r Replay) Check() error {
	var check units.Check
	check.If(r.Keep < 0 || r.Keep > mostPerHour, "keep", "%d is not between 0 and %d", r.Keep, mostPerHour)
	check.Absolute("dir", r.Dir, "/var/lib/milterscan/sample")
	check.If(r.For.Go() < time.Hour, "for", "%v is too short; write at least \"1h\", such as \"7d\"", r.For)
	check.If(r.Largest < units.KB || r.Largest > largestSample, "largest", "%v is not between 1KB and %v; write one such as \"1MB\"",
		r.Largest, largestSample)
	check.If(r.Size < r.Largest, "size", "%v is less than one message may have; write at least %v", r.Size, r.Largest)
	return check.Err()
}
