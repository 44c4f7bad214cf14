package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/door"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/owner"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/tables"
	settled "github.com/milterscan/milterscan/policy/people"
)

// people are those who may be in the console. They are a console.People.
type people struct {
	*door.Door
	accounts *accounts.Accounts
	owners   *owner.Owners
	pages    func() *console.Console
}

// newPeople returns those of a configuration. No file is opened until a person asks. pages are those that the door's
// are laid out like, once they are there, and owners let in recipients. shared has the accounts of all hosts; nil:
// there are none. once notes that a sign-on is used.
func newPeople(c config.Console, shared tables.State, log *zap.Logger, owners *owner.Owners,
	pages func() *console.Console, once func(context.Context, string, time.Time) (bool, error)) (*people, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "mail"
	}
	p := &people{accounts: accounts.Of(c.File, shared), owners: owners, pages: pages}
	p.Door, err = door.New(door.Options{Accounts: p.accounts, Log: log, Host: host, Owners: owners, Language: console.LanguageOf, Once: once,
		Layout: func(w http.ResponseWriter, r *http.Request, who login.Person, page door.Page) {
			pages().Frame(w, r, who, page.Title, page.Body, page.Status)
		}}, c)
	return p, err
}

// bearers are accounts whose tokens do no more than the host lets their owners do now.
type bearers struct {
	*accounts.Accounts
	owners *owner.Owners
}

// Bearer returns the person a token acts for.
func (b bearers) Bearer(ctx context.Context, text string) (login.Person, error) {
	p, err := b.Accounts.Bearer(ctx, text)
	if err != nil {
		return p, err
	}
	return b.owners.Complete(ctx, p)
}

// use lets in as another configuration says.
func (p *people) use(c config.Console) error {
	if err := p.Door.Use(c); err != nil {
		return fmt.Errorf("console: %w", err)
	}
	return p.accounts.Use(c.File)
}

// close closes the accounts.
func (p *people) close() {
	p.Door.Close()
	p.owners.Close()
	p.accounts.Close()
}

// Who returns the person who asks.
func (p *people) Who(r *http.Request) (login.Person, error) {
	who, err := p.Door.Who(r)
	if errors.Is(err, login.ErrNobody) {
		err = console.ErrNobody
	}
	return who, err
}

// Trail returns what was written down of what persons looked at and did, newest first.
func (p *people) Trail(ctx context.Context, t accounts.Trail) ([]accounts.Entry, error) {
	return p.accounts.Trail(ctx, t)
}

// SetLanguage keeps the language that a person has chosen. One who has no account reads
// what the browser asks for. That of a recipient is among its settings, and that of its mail, too.
func (p *people) SetLanguage(ctx context.Context, who login.Person, language string) error {
	if who.Role == login.Recipient {
		return p.owners.Store().SetSettings(ctx, who.Shown(), func(now *settled.Settings) { now.Language = language })
	}
	if who.Account == 0 {
		return nil
	}
	return p.accounts.SetLanguage(ctx, who.Account, language)
}

// surface returns the pages on which persons log in and look after their accounts.
func (p *people) surface() console.Surface {
	s := console.Surface{Who: p.Who, Fail: func(w http.ResponseWriter, r *http.Request, who login.Person, err error) {
		p.pages().Fail(w, r, who, err)
	}}
	for _, route := range p.Routes() {
		s.Routes = append(s.Routes, console.Route{Method: route.Method, Pattern: route.Pattern, Right: route.Right, Open: route.Open,
			Within: route.Within, Handle: func(w http.ResponseWriter, r *http.Request, _ login.Person) error {
				route.Handle(w, r)
				return nil
			}})
	}
	return s
}
