package daemon

import (
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/folk"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/owner"
	"github.com/milterscan/milterscan/cmd/milterscan/console/mine"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/policy/tell/courier"
	"github.com/milterscan/milterscan/policy/token"
)

// whoIsWho is the directory of a daemon, which comes after the console.
type whoIsWho struct{ d *Daemon }

// Who returns the person of an address.
func (w whoIsWho) Who(address string) (directory.Person, bool) { return w.d.Directory.Who(address) }

// Acting returns the persons for which the person of an address may act.
func (w whoIsWho) Acting(address string) []directory.Person { return w.d.Directory.Acting(address) }

// Known reports whether an address is known, or surely not.
func (w whoIsWho) Known(address string) (known, sure bool) { return w.d.Directory.Known(address) }

// newOwners returns who lets in recipients.
func (d *Daemon) newOwners() *owner.Owners {
	return owner.New(owner.Options{Config: d.config.Load, Directory: whoIsWho{d}, Store: d.pages.Folk, Log: d.log,
		Letters: func() owner.Letters { return d.letters() }})
}

// letters returns what sends letters to people by the configuration in force.
func (d *Daemon) letters() courier.Courier {
	c := d.config.Load()
	from, host := pipeline.Author(c)
	return courier.Courier{Sender: c.Submission.Via, Key: token.KeyFile(c.Quarantine.Key()).Make, From: from, Host: host}
}

// List returns people in the order of their domains.
func (w whoIsWho) List(walk directory.Walk) ([]directory.Person, string) {
	return w.d.Directory.List(walk)
}

// newFolk returns who there is, for the console.
func (d *Daemon) newFolk(pages *console.Console) *folk.Folk {
	return &folk.Folk{Options: folk.Options{Console: pages, Store: func() folk.Store { return d.pages.Folk() },
		Directory: whoIsWho{d}, Now: time.Now}}
}

// mountMine makes the pages of recipients reachable.
func (d *Daemon) mountMine(pages *console.Console) error {
	return mine.Mount(mine.Options{Console: pages, Store: func() mine.Store { return d.pages.Folk() },
		Letters: func() mine.Letters { return d.letters() }, Directory: whoIsWho{d}, Log: d.log, Now: time.Now}, d.people.Who)
}
