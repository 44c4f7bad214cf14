package doctor

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/access"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/policy/keep/history/spill"
	"github.com/milterscan/milterscan/scan/sender/bounce"
	"github.com/milterscan/milterscan/scan/units"
)

// stores examines every file in which milterscan keeps something other than mail, and the way
// by which its own mail leaves.
func (p *Installation) stores(ctx context.Context) []Finding {
	found := append(p.history(), p.notices()...)
	found = append(found, p.submission(ctx)...)
	return append(found, p.senders()...)
}

// history examines the database of [history]. Without its directory nothing is remembered, and
// mail goes on.
func (p *Installation) history() []Finding {
	file := p.Config.History.File
	if file == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Dir(file)); errors.Is(err, fs.ErrNotExist) {
		return []Finding{advice("install -d -m 700 -o "+p.User+" "+filepath.Dir(file)+
			", and systemctl restart milterscan",
			"nothing is remembered of messages: %s is not there", filepath.Dir(file))}
	}
	if p.Config.Store.URL != "" {
		return p.spilled(p.Config.History)
	}
	return []Finding{p.database("history.file", file)}
}

// spilled looks at the file in which records wait while the shared database is away.
func (p *Installation) spilled(c config.History) []Finding {
	found := []Finding{p.room("records that wait for the shared database", filepath.Dir(c.File), 10*units.MB, 0, "history.spill")}
	n, bytes, err := spill.Waiting(c.SpillFile())
	if err != nil {
		found = append(found, fault("see why, and do not remove it: its records are nowhere else", "records that wait for the shared database cannot be read: %v", err))
	}
	if n == 0 {
		return found
	}
	return append(found, advice("see why the shared database does not take them: the daemon puts them there as soon as it can",
		"%d records wait in %s (%v)", n, c.SpillFile(), units.Size(bytes)))
}

// notices looks at the directory in which notices wait.
func (p *Installation) notices() []Finding {
	dir := p.Config.Notices.Dir
	if dir == "" {
		return nil
	}
	create := "install -d -m 700 -o " + p.User + " " + dir
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return []Finding{p.toBeMade("directory of notices", dir, create)}
	}
	return []Finding{p.room("notices", dir, 10*units.MB, 0, "notices.queue")}
}

// submission examines the way of notices and released mail. If it does not answer, that is a
// fault only if there is something to send.
func (p *Installation) submission(ctx context.Context) []Finding {
	kind, where, _ := strings.Cut(string(p.Config.Submission.Via), ":")
	var err error
	switch kind {
	case "smtp":
		dialer := net.Dialer{Timeout: talkTime}
		var conn net.Conn
		if conn, err = dialer.DialContext(ctx, "tcp", where); err == nil {
			conn.Close()
		}
	case "sendmail":
		_, err = exec.LookPath(where)
	default:
		return nil
	}
	if err != nil {
		return []Finding{advice("start the MTA, or correct submission.via",
			"submission.via: notices and released mail cannot be sent: %v", err)}
	}
	return []Finding{ok("submission.via: %s is there", where)}
}

// senders looks at the records about senders: the databases of [greylist], [contact],
// [rate] and [dmarc_reports], and the keys of [bounce]. Without them mail goes on without these checks.
func (p *Installation) senders() (found []Finding) {
	if c := p.Config.Greylist; c.Enabled && p.Config.Store.URL == "" && p.Config.Store.Redis.URL == "" {
		found = append(found, p.database("greylist.file", c.File))
	}
	if c := p.Config.Contact; c.Enabled {
		found = append(found, p.database("contact.file", c.File))
	}
	if c := p.Config.Rate; len(c.Limits) > 0 {
		found = append(found, p.database("rate.file", c.File))
	}
	if c := p.Config.DMARC; c.Enabled {
		found = append(found, p.database("dmarc_reports.file", c.File))
	}
	if c := p.Config.Bounce; c.Enabled() {
		found = append(found, p.keys(c.Keys))
	}
	return found
}

// database tells whether the daemon can make and write a file, and whether the file is a
// database.
func (p *Installation) database(key, file string) Finding {
	dir := filepath.Dir(file)
	who, err := access.Of(p.User)
	if err == nil {
		err = who.Reaches(dir, access.Read|access.Write|access.Search)
	}
	if err != nil {
		return fault("install -d -m 700 -o "+p.User+" "+dir, "%s: %v", key, err)
	}
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		if err := who.Reaches(name, access.Read|access.Write); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault("chown "+p.User+" "+name, "%s: %v", key, err)
		}
	}
	if !p.Gently {
		if err := isDatabase(file); err != nil {
			return fault("stop milterscan, move "+file+" away, and start it: a new one is begun",
				"%s: %s: %v", key, file, err)
		}
	}
	if left, _, err := disk.Room(dir); err == nil && units.Size(left) < 10*units.MB {
		return fault("make room, or use another file system", "%s: %s has %v left", key, dir, units.Size(left))
	}
	return ok("%s can be kept in %s", key, dir)
}

// errNoDatabase is reported for a file that SQLite would not open.
var errNoDatabase = errors.New("it is no database")

// isDatabase looks at how a file begins (the database file format of SQLite, section
// 1.3). It is not opened as a database: that would leave files that belong
// to the user who asks. A process that has it open as a database must not call this: it
// would lose its locks on it when the file is closed (fcntl(2)).
func isDatabase(file string) error {
	const magic = "SQLite format 3\x00"
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	begin := make([]byte, len(magic))
	if n, err := io.ReadFull(f, begin); n == 0 && errors.Is(err, io.EOF) {
		return nil // just made
	}
	if string(begin) != magic {
		return errNoDatabase
	}
	return nil
}

// keys tells whether the daemon can read its keys, and no other user can.
func (p *Installation) keys(file string) Finding {
	keys, err := bounce.KeyFile(file).Read()
	who, unknown := access.Of(p.User)
	if err == nil && unknown == nil {
		err = who.Reaches(file, access.Read)
	}
	if err != nil {
		return fault("chgrp "+p.User+" "+file+"; chmod 640 "+file+"; see docs/bounces.md for what it holds",
			"bounce.keys: %v", err)
	}
	return ok("bounce.keys has %d keys", len(keys))
}
