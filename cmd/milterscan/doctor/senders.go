package doctor

import (
	"path/filepath"

	"github.com/milterscan/milterscan/cmd/milterscan/access"
	"github.com/milterscan/milterscan/scan/sender/bounce"
)

// senders looks at what is kept of who sends: the databases of [greylist] and
// [rate], and the keys of [bounce]. Without them mail goes on unlooked at.
func (p *Installation) senders() (found []Finding) {
	if c := p.Config.Greylist; c.Enabled {
		found = append(found, p.database("greylist.file", c.File))
	}
	if c := p.Config.Rate; len(c.Limits) > 0 {
		found = append(found, p.database("rate.file", c.File))
	}
	if c := p.Config.Bounce; c.Enabled() {
		found = append(found, p.keys(c.Keys))
	}
	return found
}

// database sees whether the daemon can make and write a file.
func (p *Installation) database(key, file string) Finding {
	dir := filepath.Dir(file)
	who, err := access.Of(p.User)
	if err == nil {
		err = who.Reaches(dir, access.Read|access.Write|access.Search)
	}
	if err != nil {
		return fault("install -d -m 700 -o "+p.User+" "+dir, "%s: %v", key, err)
	}
	return ok("%s can be kept in %s", key, dir)
}

// keys sees whether the daemon can read its keys, and nobody else.
func (p *Installation) keys(file string) Finding {
	keys, err := bounce.KeyFile(file).Read()
	who, unknown := access.Of(p.User)
	if err == nil && unknown == nil {
		err = who.Reaches(file, access.Read)
	}
	if err != nil {
		return fault("chgrp "+p.User+" "+file+"; chmod 640 "+file+"; see docs/bounces.md for what stands in it", "bounce.keys: %v", err)
	}
	return ok("bounce.keys has %d keys", len(keys))
}
