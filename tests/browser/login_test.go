package browser

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// code returns what an authenticator app shows at a time (RFC 6238).
func code(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(secret, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	binary.Write(mac, binary.BigEndian, uint64(at.Unix()/30))
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// knock gives a name and a password.
func (b *tab) knock(name, word string) int64 {
	b.t.Helper()
	b.fill("Name", name)
	b.fill("Password", word)
	return b.click(button("Log in"))
}

// firstTime logs a person in who has to set up a second factor, and returns its secret.
func (b *tab) firstTime(name string) (secret string) {
	b.t.Helper()
	b.open("/")
	b.knock(name, password)
	b.says("Second factor")
	secret = ask(b, chromedp.Text(chromedp.CSS("code.secret")))
	b.fill("Code", code(b.t, secret, time.Now()))
	b.click(button("Go on"))
	b.says("Recovery codes")
	b.click(link("I have kept them"))
	b.says("Overview", name)
	b.counted()
	return secret
}

// newcomer opens a tab, wide or narrow, in which a new person has logged in.
func (o *office) newcomer(t *testing.T, browser context.Context, name string, width int64) *tab {
	t.Helper()
	o.hire(administrator(name))
	b := newTab(t, browser, o.base, width)
	b.firstTime(name)
	return b
}

// logIn goes through the door: the wrong password, a second factor that is set up and one that
// is asked for, and out again.
func logIn(t *testing.T, o *office, browser context.Context) {
	o.hire(administrator("grace"))
	b := newTab(t, browser, o.base, wide)
	b.open("/messages?subject=nothing")
	if status := b.knock("grace", "not the password at all"); status != 401 {
		t.Errorf("a wrong password: %d", status)
	}
	b.says("The name or the password is wrong")
	secret := b.firstTime("grace")
	b.click(button("Log out"))
	if b.open("/messages"); !strings.Contains(b.where(), "/login") {
		t.Errorf("after logging out one is at %s", b.where())
	}
	b.knock("grace", password)
	b.fill("Code", "000000")
	if status := b.click(button("Go on")); status != 401 {
		t.Errorf("a wrong code: %d", status)
	}
	b.fill("Code", code(t, secret, time.Now().Add(30*time.Second))) // the one before was used
	b.click(button("Go on"))
	b.says("grace", "Messages")
	if !strings.Contains(b.where(), "/messages") {
		t.Errorf("one wanted to go to the messages, and is at %s", b.where())
	}
	b.click(link("Audit log"))
	b.says("grace", "second factor", "refused")
}
