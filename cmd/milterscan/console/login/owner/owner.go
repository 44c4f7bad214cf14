// Package owner says who owns an address of ours, and has its owner prove it: by a link in a mail,
// or by the password of the mailbox.
package owner

import (
	"context"
	"errors"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/mailbox"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/directory"
)

// Directory says who is who.
type Directory interface {
	Who(address string) (directory.Person, bool)
	Acting(address string) []directory.Person
	Known(address string) (known, sure bool)
}

// Options are what owners are known by. All fields are required.
type Options struct {
	Config    func() *config.Config
	Directory Directory
	Store     func() *people.Store
	Letters   func() Letters // that log-in links go out with
	Log       *zap.Logger
}

// Owners know who owns an address. They may be used by several goroutines at once.
type Owners struct {
	Options
	links links
}

// New returns owners. They are to be closed.
func New(o Options) *Owners { return &Owners{Options: o, links: newLinks()} }

// Pages returns how recipients log in, and what they see.
func (o *Owners) Pages() config.PeoplePages { return o.Config().People.Pages }

// ours reports whether an address is one of ours: in our domains, and not one that a directory
// with all addresses of its domain does not have.
func (o *Owners) ours(folded string) bool {
	if !(policy.Local{Domains: o.Config().Local.Domains}).Has(folded) {
		return false
	}
	known, sure := o.Directory.Known(folded)
	return known || !sure
}

// main returns the main address of the person who has an address. Only addresses that are listed for a
// person count: who gets the mail of "boss+x@example.com" is not the boss where that is a mailbox.
func (o *Owners) main(folded string) string {
	if who, ok := o.Directory.Who(folded); ok && slices.Contains(who.Addresses, folded) {
		return who.Main()
	}
	return folded
}

// base returns the address that gets the mail of an address: without what comes after a delimiter,
// unless a person has the whole one, or no person is known who has the rest where people are listed.
func (o *Owners) base(folded string) string {
	c := o.Config().People
	who, known := o.Directory.Who(folded)
	i, at := strings.IndexAny(folded, c.Delimiter), strings.LastIndexByte(folded, '@')
	if i <= 0 || i > at || known && slices.Contains(who.Addresses, folded) || !known && len(c.Sources) > 0 {
		return folded
	}
	return folded[:i] + folded[at:]
}

// Of returns those of some addresses that are ours, the main one of their person first, each as
// address.Fold writes it. It returns none where none is.
func (o *Owners) Of(proved []string) []string {
	var list []string
	add := func(a string) {
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	for _, written := range proved[:min(len(proved), mostProved)] {
		if folded, err := address.Fold(written); err == nil && o.ours(folded) {
			add(o.main(folded))
			add(folded)
		}
	}
	return list
}

// mostProved is how many addresses another place may say are one person's.
const mostProved = 100

// Complete returns a person with what the host lets it do now: a domain administrator with the rights that are
// left to it, and a recipient with the addresses that are its own, those of persons who have made it a delegate, and
// what recipients see and release. The error is login.ErrNobody where recipients are not let in, or no address is its
// own any more.
func (o *Owners) Complete(ctx context.Context, p login.Person) (login.Person, error) {
	pages := o.Pages()
	switch p.Role {
	case login.Domain:
		p.Delegated = login.Delegated(o.Config().People.DomainAdmins.May)
		return p, nil
	case login.Recipient:
	default:
		return p, nil
	}
	own := o.Of(p.Addresses)
	if len(pages.Login) == 0 || len(own) == 0 || own[0] != p.Addresses[0] {
		return login.Person{}, login.ErrNobody
	}
	p.Classes, p.Releases, p.Resolve = pages.Classes, pages.Release, o.base
	settled, err := o.Store().Settings(ctx, own[0])
	if err != nil {
		return p, err
	}
	appointed, err := o.Store().Owners(ctx, own[0])
	if err != nil {
		return p, err
	}
	for _, a := range o.acting(own[0], appointed) {
		if a[0] != '@' && !slices.Contains(own, a) && o.ours(a) {
			own = append(own, a)
		}
	}
	p.Addresses = own
	if p.Language = settled.Language; p.Language == "" {
		who, _ := o.Directory.Who(own[0])
		p.Language = who.Language
	}
	return p, nil
}

// acting returns the addresses for which the person with a main address may act: by the directory, and by appointment
// in the console.
func (o *Owners) acting(main string, appointed []string) (list []string) {
	for _, who := range o.Directory.Acting(main) {
		list = append(list, who.Addresses...)
	}
	for _, a := range appointed {
		list = append(list, a)
		if who, ok := o.Directory.Who(a); ok && who.ID == a {
			list = append(list, who.Addresses...)
		}
	}
	return list
}

// Verify returns the addresses of one who has the password of the mailbox of an address. The error
// is accounts.ErrWrong where no server that is asked takes it.
func (o *Owners) Verify(ctx context.Context, name, password string) ([]string, error) {
	pages := o.Pages()
	folded, err := address.Fold(name)
	if err != nil || !o.ours(folded) {
		return nil, accounts.ErrWrong
	}
	for way, where := range map[string]string{"imap": pages.IMAP, "smtp": pages.SMTP} {
		if !pages.By(way) {
			continue
		}
		err := mailbox.Server{Where: where, CAFile: pages.CAFile, Timeout: pages.Timeout.Go()}.Check(ctx, folded, password)
		switch {
		case err == nil:
			return o.Of([]string{folded}), nil
		case !errors.Is(err, mailbox.ErrWrong):
			o.Log.Warn("the server of mailboxes cannot be asked who logs in", zap.Error(err))
		}
	}
	return nil, accounts.ErrWrong
}
