package config

import (
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Retro is how the daemon looks for mail that had what is on a list now.
type Retro struct {
	// Whether the daemon looks at all, after each change of the list of a [[feed]], or of a
	// list of [[virus]]. What it finds is logged, each message once for each list.
	Enabled bool `toml:"enabled"`
	// How long ago mail may have come.
	Back units.Duration `toml:"back"`
	// Addresses that are told by a notice of mail that had been delivered.
	Notify []string `toml:"notify"`
}

func defaultRetro() Retro {
	return Retro{Enabled: true, Back: units.Duration(30 * 24 * time.Hour), Notify: []string{}}
}

// Check returns the errors of the section [history.retro].
func (r Retro) Check() error {
	var check units.Check
	check.If(r.Back.Go() < time.Hour, "back", "%v is too short; write at least \"1h\", such as \"30d\"", r.Back)
	for _, a := range r.Notify {
		check.If(strings.ContainsAny(a, "\r\n<> ") || !strings.Contains(a, "@"), "notify",
			"%q is no address; write one such as \"postmaster@example.com\"", a)
	}
	return check.Err()
}
