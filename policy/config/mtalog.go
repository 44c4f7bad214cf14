package config

import (
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/keep/mtalog"
	"github.com/milterscan/milterscan/scan/units"
)

// MTALog is the log of the MTA.
type MTALog struct {
	// The file that Postfix, Sendmail or Exim logs to: "/var/log/mail.log". Its form is
	// found out line by line: syslog's, with times of either kind, Exim's own, or the
	// journal's JSON. "" for none.
	File string `toml:"file"`
	// Read the journal of systemd instead, through journalctl.
	Journal bool `toml:"journal"`
	// The time zone of times that name none, as "Europe/Berlin"; "" for that of the
	// host.
	Zone string `toml:"zone"`
	// How many events are kept; beyond that the oldest go. One message has some ten,
	// and each takes some 500 bytes of disk.
	Entries int `toml:"entries"`
}

func defaultMTALog() MTALog { return MTALog{Entries: 2_000_000} }

// Enabled reports whether a log is read.
func (m MTALog) Enabled() bool { return m.File != "" || m.Journal }

// Location returns the time zone of times that name none.
func (m MTALog) Location() *time.Location { return locationOf(m.Zone) }

// locationOf returns a time zone, that of the host where none is named.
func locationOf(zone string) *time.Location {
	if zone != "" {
		if z, err := time.LoadLocation(zone); err == nil {
			return z
		}
	}
	return time.Local
}

// checkZone wants a time zone that there is.
func checkZone(check *units.Check, zone string) {
	_, err := time.LoadLocation(zone)
	check.If(err != nil, "zone", "%q is no time zone this host knows; write one such as \"Europe/Berlin\"", zone)
}

// Check returns the errors of the section [mta_log].
func (m MTALog) Check() error {
	var check units.Check
	if m.File != "" {
		check.Absolute("file", m.File, "/var/log/mail.log")
	}
	check.If(m.File != "" && m.Journal, "journal", "there is a file as well; leave one of them out")
	checkZone(&check, m.Zone)
	check.AtLeast("entries", m.Entries, 1)
	return check.Err()
}

// checkMTALog wants a history for the events that are read.
func (b *binder) checkMTALog(c *Config) {
	if c.MTALog.Enabled() && c.History.File == "" {
		key := "mta_log.file"
		if c.MTALog.Journal {
			key = "mta_log.journal"
		}
		b.wrong(key, "what is read is kept with the history, and history.file is empty")
	}
}

// EventsFile returns the path of the database with what the MTA's log told, as a
// companion of the history.
func (h History) EventsFile() string { return strings.TrimSuffix(h.File, ".db") + ".mta.db" }

// SpillFile returns the path of the file in which records wait while the database of [store] is away.
func (h History) SpillFile() string { return strings.TrimSuffix(h.File, ".db") + ".spill" }

// StatusFile returns the path of the file that says how the reading of the MTA's log
// goes on.
func (h History) StatusFile() string { return strings.TrimSuffix(h.File, ".db") + ".mta.json" }

// KeptOfEvent returns an event of the MTA's log as the history keeps it.
func (h History) KeptOfEvent(e mtalog.Event) mtalog.Event {
	return e.Private(!h.Addresses, !h.Clients, !h.Details)
}
