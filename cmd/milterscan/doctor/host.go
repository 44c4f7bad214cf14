package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/access"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/scan/open/worker"
	"github.com/milterscan/milterscan/scan/units"
)

// directories examines the directories of messages: whether they exist, are private, have room,
// and the daemon can write to them.
func (p *Installation) directories(context.Context) []Finding {
	return []Finding{p.quarantine(), p.room("spool", p.Config.Spool.Place(), p.Config.Limits.Message,
		p.Config.Spool.Disk, "spool.disk")}
}

func (p *Installation) quarantine() Finding {
	dir := p.Config.Quarantine.Dir
	info, err := os.Stat(dir)
	create := "install -d -m 700 -o " + p.User + " " + dir
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p.toBeMade("quarantine", dir, create)
	case err != nil:
		return fault("run doctor as root", "quarantine: %v", err)
	case !info.IsDir():
		return fault("take it away; "+create, "the quarantine %s is no directory", dir)
	case info.Mode().Perm()&0o077 != 0:
		return fault("chmod 700 "+dir, "the quarantine %s can be read by others (mode %#o)", dir, info.Mode().Perm())
	}
	return p.room("quarantine", dir, 10*p.Config.Limits.Message, p.Config.Quarantine.Size, "quarantine.size")
}

// toBeMade looks at a directory that does not exist yet: the daemon makes it when it needs
// it, if it may.
func (p *Installation) toBeMade(what, dir, create string) Finding {
	above := filepath.Dir(dir)
	for above != filepath.Dir(above) {
		if _, err := os.Stat(above); err == nil {
			break
		}
		above = filepath.Dir(above)
	}
	who, err := access.Of(p.User)
	if err == nil {
		err = who.Reaches(above, access.Read|access.Write|access.Search)
	}
	if err != nil {
		return fault(create, "the %s %s is not there, and milterscan cannot make it: %v", what, dir, err)
	}
	return ok("the %s %s is made when it is needed", what, dir)
}

// room tells whether the daemon can write to a directory, and whether enough room is left.
func (p *Installation) room(what, dir string, least, most units.Size, key string) Finding {
	if who, err := access.Of(p.User); err == nil {
		err := who.Reaches(dir, access.Read|access.Write|access.Search)
		if errors.Is(err, fs.ErrNotExist) {
			return fault("install -d -m 700 -o "+p.User+" "+dir, "%s: %v", what, err)
		}
		if err != nil {
			return fault("chown "+p.User+" "+dir+", and let it be entered", "%s: %v", what, err)
		}
	} else if _, err := os.Stat(dir); err != nil {
		return fault("create it", "%s: %v", what, err)
	}
	left, _, err := disk.Room(dir)
	shown := units.Size(left) / units.MB * units.MB
	switch {
	case err != nil:
		return advice("see it yourself: df "+dir, "%s %s: free space cannot be told: %v", what, dir, err)
	case units.Size(left) < least:
		return fault("make room, or use another file system",
			"%s %s has %v left: mail will be answered with a temporary failure", what, dir, shown)
	case most > 0 && units.Size(left) < most:
		return advice("make room, or set "+key+" to less", "%s %s has %v left, and %s allows %v",
			what, dir, shown, key, most)
	}
	return ok("%s %s has %v left", what, dir, shown)
}

// madeIn is a time that lies in the past for every clock that is right.
var madeIn = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// clock looks for a clock that is wrong: dates in mail, signatures and the age of
// kept messages depend on it.
func (p *Installation) clock(context.Context) []Finding {
	fix := "run an NTP client (systemd-timesyncd, chrony)"
	switch {
	case p.Now.Before(madeIn):
		return []Finding{fault("set the clock, and "+fix, "it shows %s", show.Time(p.Now))}
	case drifting():
		return []Finding{advice(fix, "it shows %s, and no NTP client keeps it right", show.Time(p.Now))}
	}
	return []Finding{ok("it shows %s", show.Time(p.Now))}
}

// helpers looks for the programs that read formats which milterscan itself does not.
func (p *Installation) helpers(context.Context) (found []Finding) {
	if worker.FindHelper() == "" {
		found = append(found, advice("apt-get install unar",
			"unar is not installed: StuffIt and other rare archives count as unscannable"))
	}
	if worker.FindPDFToText() == "" && p.Config.Content.WantsFiles() {
		found = append(found, advice("apt-get install poppler-utils",
			"pdftotext is not installed: lists do not look for words in PDF files"))
	}
	if len(found) == 0 {
		found = append(found, ok("nothing is missing"))
	}
	return found
}

// workers starts a child and asks which rights the kernel could not take away from it.
func (p *Installation) workers(ctx context.Context) []Finding {
	pool := worker.NewPool(p.Workers)
	defer pool.Close()
	missing, err := pool.Check(ctx)
	if err != nil {
		return []Finding{fault("see whether the program may start itself (/proc mounted, no noexec)",
			"no child can be started to read risky archives: %v", err)}
	}
	if len(missing) > 0 {
		return []Finding{advice("use a kernel with Landlock (5.13 or later, lsm=landlock)",
			"children that read archives are not fully confined: %s", strings.Join(missing, "; "))}
	}
	return []Finding{ok("children that read archives are confined")}
}
