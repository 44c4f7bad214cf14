package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/milterscan/milterscan/cmd/milterscan/access"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/keep/mtalog"
)

// usualLogs returns the files to which MTAs log, on the usual systems.
func usualLogs() []string {
	return []string{"/var/log/mail.log", "/var/log/maillog", "/var/log/mail", "/var/log/exim4/mainlog",
		"/var/log/exim/main.log", "/var/log/exim/mainlog"}
}

// journals has the two places of the journal: on disk, or in memory until the next start.
const journals = "/{var,run}/log/journal/*/system.journal"

// mtaLog examines the log in which the daemon follows mail through the MTA. If none is set, it
// looks for one that could be.
func (p *Installation) mtaLog(context.Context) []Finding {
	c := p.Config.MTALog
	switch {
	case c.Journal:
		return append([]Finding{p.journal()}, p.reading()...)
	case c.File != "":
		return append([]Finding{p.logFile(c.File)}, p.reading()...)
	}
	return p.unusedLog()
}

// logFile tells whether the daemon can read a log, and whether it is one of an MTA.
func (p *Installation) logFile(file string) Finding {
	who, err := access.Of(p.User)
	if err == nil {
		err = who.Reaches(file, access.Read)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault("see where the MTA logs to, and whether syslog has the file made again; or set mta_log.journal",
			"mta_log.file: %v", err)
	case err != nil:
		return fault(p.admit(file), "mta_log.file: %v", err)
	}
	if err := who.Reaches(filepath.Dir(file), access.Read|access.Search); err != nil {
		return fault("setfacl -m u:"+p.User+":rx "+filepath.Dir(file),
			"mta_log.file: rotated files cannot be found: %v", err)
	}
	seen, err := mtalog.Look(file, p.Config.MTALog.Location())
	switch {
	case err != nil:
		return fault("name the file that syslog or the MTA writes", "mta_log.file: %v", err)
	case 2*seen.Unread > seen.Lines:
		return fault("have syslog write its usual form, or that of RFC 3339; docs/timeline.md lists what can be read",
			"mta_log.file: %s: %d of the last %d lines are in no form that is known", file, seen.Unread, seen.Lines)
	case seen.Events == 0:
		return advice("see where the MTA logs to; this is well if there was no mail since the last rotation",
			"mta_log.file: %s: none of the last %d lines is of a message of Postfix, Sendmail or Exim",
			file, seen.Lines)
	}
	return ok("mta_log.file: %s can be read: %s", file, strings.Join(seen.MTAs, ", "))
}

// admit returns the command that lets the daemon's user read a file: by the group that may, or
// by an access list, since a mode would be lost at the next rotation.
func (p *Installation) admit(file string) string {
	info, err := os.Stat(file)
	if err == nil && info.Mode().Perm()&0o040 != 0 {
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Gid != 0 {
			if group, err := user.LookupGroupId(strconv.FormatUint(uint64(owner.Gid), 10)); err == nil {
				return "usermod -aG " + group.Name + " " + p.User + ", and systemctl restart milterscan"
			}
		}
	}
	return "setfacl -m u:" + p.User + ":r " + file + ", and have logrotate make new files so: docs/timeline.md"
}

// journal tells whether the daemon can read the journal.
func (p *Installation) journal() Finding {
	if _, err := os.Stat(mtalog.Journalctl); err != nil {
		return fault("set mta_log.file instead", "mta_log.journal: %v", err)
	}
	files := journalFiles()
	if len(files) == 0 {
		return fault("set mta_log.file instead", "mta_log.journal: this host keeps no journal")
	}
	who, err := access.Of(p.User)
	for _, file := range files {
		if err == nil {
			err = who.Reaches(file, access.Read)
		}
	}
	if err != nil {
		return fault("usermod -aG systemd-journal "+p.User+", and systemctl restart milterscan",
			"mta_log.journal: %v", err)
	}
	return ok("mta_log.journal: the journal can be read")
}

func journalFiles() (files []string) {
	for _, place := range []string{"var", "run"} {
		found, _ := filepath.Glob(strings.Replace(journals, "{var,run}", place, 1)) // the pattern is valid
		files = append(files, found...)
	}
	return files
}

// reading examines the state of reading that the daemon has written down.
func (p *Installation) reading() []Finding {
	file := p.Config.History.StatusFile()
	s, err := mtalog.ReadStatus(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{advice("systemctl reload milterscan, if it runs and mta_log was set just now",
			"the MTA's log has not been read yet")}
	case err != nil:
		return []Finding{fault("run doctor as root, or remove a damaged file: it is written again within a minute",
			"how the MTA's log is read: %v", err)}
	case s.Error != "":
		return []Finding{fault("mend what it says; what is in the log is read then",
			"the MTA's log %s: %s", s.Source, s.Error)}
	case s.Silent(p.Now):
		return []Finding{fault("see that mta_log names the log of the MTA that asks milterscan",
			"the MTA's log %s has told of no message that passed since %s",
			s.Source, show.Time(s.Waiting))}
	}
	return []Finding{ok("the MTA's log %s: %d lines read, %d events; it told of %d of the %d messages that passed",
		s.Source, s.Lines, s.Events, s.Joined, s.Passed)}
}

// unusedLog finds a log that could be read.
func (p *Installation) unusedLog() []Finding {
	logs := p.Logs
	if logs == nil {
		logs = usualLogs()
	}
	for _, file := range logs {
		if seen, err := mtalog.Look(file, p.Config.MTALog.Location()); err == nil && seen.Events > 0 {
			return []Finding{ok("mta_log is off; with file = %q, \"milterscan explain\" shows what became of mail "+
				"in the MTA (%s)", file, strings.Join(seen.MTAs, ", "))}
		}
	}
	if len(journalFiles()) > 0 {
		return []Finding{ok("mta_log is off; with journal = true, \"milterscan explain\" shows what became of mail " +
			"in the MTA")}
	}
	return nil
}
