package postfix

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/access"
	"github.com/milterscan/milterscan/scan/units"
)

// Unreachable says that Postfix cannot connect to milterscan, and what to do.
type Unreachable struct {
	Why    string
	Remedy string
}

// Error returns both in one line.
func (u *Unreachable) Error() string { return u.Why + "; " + u.Remedy }

// Choose returns the address, among those milterscan listens at, by which Postfix
// reaches it best, and how Postfix has to name it: a socket below the queue
// directory if there is one, else the first that Postfix may use. daemon is the user
// milterscan runs as. The error is *Unreachable if there is none.
func (c *Config) Choose(listen []string, daemon string) (ours, spelled string, err error) {
	var why *Unreachable
	for _, below := range []bool{true, false} {
		for _, a := range listen {
			if c.below(a) != below {
				continue
			}
			problem := c.Connects(a, daemon)
			if problem == nil {
				spelled, _ = c.Spell(a)
				return a, spelled, nil
			}
			if why == nil {
				why = problem
			}
		}
	}
	if why == nil {
		why = &Unreachable{"milterscan listens nowhere", c.recipe(daemon)}
	}
	return "", "", why
}

// below reports whether an address is a socket below the queue directory.
func (c *Config) below(ours string) bool {
	network, path := units.SplitAddress(ours)
	return network == "unix" && strings.HasPrefix(filepath.Clean(path), c.Queue()+"/")
}

// Connects returns why Postfix cannot connect to an address of milterscan's, nil if
// it can, or if that cannot be told yet because the socket is not there.
func (c *Config) Connects(ours, daemon string) *Unreachable {
	network, path := units.SplitAddress(ours)
	if network != "unix" {
		return nil
	}
	if _, ok := c.Spell(ours); !ok {
		s, _ := c.Jailed()
		return &Unreachable{fmt.Sprintf("%s runs in a chroot, and cannot reach %s", s.Program, path), c.recipe(daemon)}
	}
	who, err := access.Of(c.main["mail_owner"])
	if err != nil {
		return &Unreachable{fmt.Sprintf("Postfix' user: %v", err), "correct mail_owner in main.cf"}
	}
	err = who.Reaches(path, access.Read|access.Write)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if c.below(ours) && filepath.Dir(path) != c.Queue() {
		return &Unreachable{err.Error(), c.shared(path, daemon)}
	}
	return &Unreachable{err.Error(), c.recipe(daemon)}
}

// recipe returns the commands that make a socket that Postfix can reach, in a chroot or not.
func (c *Config) recipe(daemon string) string {
	dir := filepath.Join(c.Queue(), "milterscan")
	return fmt.Sprintf("run \"milterscan init postfix\", or, with a configuration of your own, run \"install -d -o %s -g %s -m 2750 %s\", "+
		"add \"unix:%s/milter.sock\" to milter.listen and run \"systemctl restart milterscan\"; then \"milterscan setup postfix\"",
		daemon, c.Group(), dir, dir)
}

// shared returns the commands that open the directory of a socket to Postfix. Its
// set-group-id bit hands the group on to the socket: milterscan has no right to do
// so itself.
func (c *Config) shared(path, daemon string) string {
	mode := ""
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o060 != 0o060 {
		mode = "write socket_mode = \"0660\" into [milter], "
	}
	return fmt.Sprintf("%srun \"install -d -o %s -g %s -m 2750 %s\", then \"systemctl restart milterscan\"", mode, daemon, c.Group(),
		filepath.Dir(path))
}

// Group returns the name of the group of Postfix' user.
func (c *Config) Group() string {
	owner := c.main["mail_owner"]
	u, err := user.Lookup(owner)
	if err != nil {
		return owner
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		return u.Gid
	}
	return g.Name
}
