package owner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/tell/courier"
	"github.com/milterscan/milterscan/policy/token"
)

// Letters send a letter to one address.
type Letters interface {
	Send(ctx context.Context, kind courier.Kind, to, language string, p courier.Page) error
}

// The times of links.
const (
	linkLife = 15 * time.Minute
	sendTime = time.Minute
)

// Bounds of links: how many wait to be sent, and how many one address is sent. They are for the
// address, from any client: a mailbox is not to be filled by many who ask in its name.
const (
	mostWaiting  = 100
	mostAtOnce   = 3
	shortWhile   = 15 * time.Minute
	mostInDay    = 12
	mostCounted  = 20_000
	linksAtATime = 2
)

// links are sent in the background: how long an answer takes does not tell whether there was one to
// send.
type links struct {
	mu     *sync.Mutex
	sent   map[string][]time.Time // by address
	queue  chan invitation
	ended  chan struct{}
	begin  *sync.Once
	finish *sync.Once
	all    *sync.WaitGroup
}

// invitation is a link that is asked for.
type invitation struct{ to, language, browser string }

func newLinks() links {
	return links{mu: &sync.Mutex{}, sent: map[string][]time.Time{}, queue: make(chan invitation, mostWaiting), ended: make(chan struct{}),
		begin: &sync.Once{}, finish: &sync.Once{}, all: &sync.WaitGroup{}}
}

// Close ends the sending of links in the background.
func (o *Owners) Close() {
	o.links.finish.Do(func() { close(o.links.ended) })
	o.links.all.Wait()
}

// Invite has a link sent to an address, if it is one of ours and was not sent too many. Nothing of that
// shows in how Invite returns. browser is what the browser that asks is known by: the link is
// worth nothing in another.
func (o *Owners) Invite(to, language, browser string) {
	o.links.begin.Do(func() {
		for range linksAtATime {
			o.links.all.Go(o.sendAll)
		}
	})
	select {
	case o.links.queue <- invitation{to, language, browser}:
	default:
		o.Log.Warn("too many ask for links to log in; one is not sent")
	}
}

// sendAll sends what waits, until Close is called.
func (o *Owners) sendAll() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-o.links.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		select {
		case <-o.links.ended:
			return
		case i := <-o.links.queue:
			if err := o.send(ctx, i); err != nil {
				o.Log.Warn("a link to log in cannot be sent", zap.String("address", i.to), zap.Error(err))
			}
		}
	}
}

// send sends one link, or none.
func (o *Owners) send(ctx context.Context, i invitation) error {
	to, err := address.Fold(i.to)
	c := o.Config()
	if err != nil || !c.People.Pages.By("link") || !o.ours(to) || !o.links.spend(to, time.Now()) {
		return nil
	}
	key, err := token.KeyFile(c.Quarantine.LinkKey()).Make()
	if err != nil {
		return err
	}
	where, err := linkTo(c, token.WriteLink(key, token.Link{Purpose: token.LogInLink, Address: to, ID: mark(i.browser),
		Expires: time.Now().Add(linkLife), Nonce: token.NewNonce()}))
	if err != nil {
		return err
	}
	language := i.language
	if settled, err := o.Store().Settings(ctx, o.main(to)); err == nil && settled.Language != "" {
		language = settled.Language
	} else if who, ok := o.Directory.Who(to); ok && who.Language != "" {
		language = who.Language
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return o.Letters().Send(ctx, courier.LogIn, to, language, courier.Page{URL: where, Minutes: int(linkLife / time.Minute)})
}

// LinkPath is the path of log-in links.
const LinkPath = "/login/link/"

// linkTo returns the address of a link.
func linkTo(c *config.Config, link string) (string, error) {
	if c.Console.URL == "" {
		return "", errors.New("console.url does not say how browsers get here")
	}
	return url.JoinPath(c.Console.URL, LinkPath, link)
}

// mark returns what a link holds of a browser: not what the browser is known by.
func mark(browser string) string {
	sum := sha256.Sum256([]byte("milterscan browser\n" + browser))
	return hex.EncodeToString(sum[:12])
}

// Reasons why a link does not let in, next to token.ErrNoLink and token.ErrExpired.
var (
	ErrBrowser = errors.New("the link was asked for in another browser")
	ErrUsed    = errors.New("the link was used before")
)

// Read returns whose a link is, if it is good in a browser now. It changes nothing.
func (o *Owners) Read(ctx context.Context, text, browser string) (token.Link, error) {
	key, err := token.KeyFile(o.Config().Quarantine.LinkKey()).Make()
	if err != nil {
		return token.Link{}, err
	}
	l, err := token.ReadLink(key, text, token.LogInLink, time.Now())
	if err != nil {
		return token.Link{}, err
	}
	if browser == "" || l.ID != mark(browser) {
		return token.Link{}, ErrBrowser
	}
	used, err := o.Store().Used(ctx, l.Nonce)
	if err == nil && !used.IsZero() {
		err = ErrUsed
	}
	return l, err
}

// Use returns the addresses of the owner of a link, once.
func (o *Owners) Use(ctx context.Context, text, browser string) ([]string, error) {
	l, err := o.Read(ctx, text, browser)
	if err != nil {
		return nil, err
	}
	own := o.Of([]string{l.Address})
	if len(own) == 0 || !o.Pages().By("link") {
		return nil, token.ErrNoLink
	}
	first, err := o.Store().UseOnce(ctx, l.Nonce, l.Expires)
	if err == nil && !first {
		err = ErrUsed
	}
	return own, err
}

// spend reports whether one more link may go to an address, and counts it.
func (x *links) spend(to string, now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	lately, today := 0, []time.Time{}
	for _, at := range x.sent[to] {
		if now.Sub(at) < 24*time.Hour {
			today = append(today, at)
		}
		if now.Sub(at) < shortWhile {
			lately++
		}
	}
	if lately >= mostAtOnce || len(today) >= mostInDay {
		return false
	}
	if _, known := x.sent[to]; !known && len(x.sent) >= mostCounted {
		x.forget(now)
	}
	x.sent[to] = append(today, now)
	return true
}

// forget makes room: those go who were sent nothing for longest.
func (x *links) forget(now time.Time) {
	for age := 24 * time.Hour; len(x.sent) > mostCounted/2; age /= 2 {
		for to, list := range x.sent {
			if now.Sub(list[len(list)-1]) >= age {
				delete(x.sent, to)
			}
		}
	}
}
