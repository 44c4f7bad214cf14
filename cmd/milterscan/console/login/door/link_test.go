package door

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/owner"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/policy/tell/courier"
)

// lodge gives the house owners of addresses in example.com, who log in in no way yet.
func (h *house) lodge() {
	h.whole = config.Default()
	h.whole.Local.Domains = []policy.Domain{"example.com"}
	h.whole.Console, h.whole.People.Pages.Login = h.config, nil
	h.whole.Quarantine.Dir = h.t.TempDir()
	store := people.New(filepath.Join(h.t.TempDir(), "people.db"))
	h.post = make(chan courier.Page, 100)
	h.owners = owner.New(owner.Options{Config: func() *config.Config { return h.whole }, Directory: directory.New(directory.Options{}),
		Store: func() *people.Store { return store }, Letters: func() owner.Letters { return h }, Log: zap.NewNop()})
	h.t.Cleanup(func() { store.Close() })
	h.t.Cleanup(h.owners.Close)
}

// Send takes a letter.
func (h *house) Send(_ context.Context, kind courier.Kind, to, _ string, p courier.Page) error {
	if kind != courier.LogIn {
		return errors.New("this is no link")
	}
	p.To = to
	h.post <- p
	return nil
}

// visitor is a browser with all of its cookies, at an address.
type visitor struct {
	h       *house
	jar     *cookiejar.Jar
	address string
}

func (h *house) visitor(address string) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &visitor{h, jar, address}
}

// do asks, and returns status, place and page.
func (v *visitor) do(method, where string, pairs ...string) (status int, to, page string) {
	v.h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(method, "https://mx.example.com"+where, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = v.address + ":1234"
	for _, c := range v.jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	v.h.handler.ServeHTTP(w, r)
	v.jar.SetCookies(r.URL, w.Result().Cookies())
	return w.Code, w.Header().Get("Location"), w.Body.String()
}

// letter returns the path of the link in the next letter.
func (h *house) letter() string {
	h.t.Helper()
	select {
	case p := <-h.post:
		u, err := url.Parse(p.URL)
		if err != nil || u.Host != "mx.example.com" {
			h.t.Fatal(p.URL, err)
		}
		return u.Path
	case <-time.After(time.Minute):
		h.t.Fatal("no letter comes")
	}
	return ""
}

// TestLogInByLink: a link lets in its owner, once, with the browser that has asked for it; until its button is
// pressed nothing happens, whoever opens it how often.
func TestLogInByLink(t *testing.T) {
	h := newHouse(t, nil)
	h.whole.People.Pages.Login = []string{"link"}
	ann, eve := h.visitor("192.0.2.1"), h.visitor("192.0.2.66")
	if status, _, page := ann.do("GET", "/login?to=%2Fmine"); status != http.StatusOK || !strings.Contains(page, `action="/login/link"`) {
		t.Fatal(status, page)
	}
	ann.do("POST", "/login/link", "address", " Ann@Example.com ")
	link := h.letter()
	eve.do("POST", "/login/link", "address", "eve@example.com")
	theirs := h.letter()
	for _, method := range []string{"GET", "HEAD", "GET", "HEAD"} {
		for _, who := range []*visitor{eve, h.visitor("192.0.2.99"), ann} {
			status, _, page := who.do(method, link)
			if (status == http.StatusOK) != (who == ann) || who != ann && strings.Contains(page, "ann@") {
				t.Errorf("%s at %s: %d %s", method, who.address, status, page)
			}
		}
	}
	for about, bad := range map[string]string{"with another browser": link, "altered": link[:len(link)-2] + "xx", "cut off": link[:len(link)-5], "of nothing": "/login/link/x"} {
		if status, _, _ := eve.do("POST", bad); status != http.StatusForbidden {
			t.Errorf("a link %s lets in: %d", about, status)
		}
	}
	if status, _, page := ann.do("POST", theirs); status != http.StatusForbidden {
		t.Errorf("another's link lets in: %d %s", status, page)
	}
	if status, _, _ := ann.do("GET", "/room"); status != http.StatusUnauthorized {
		t.Error("somebody is in before the button was pressed")
	}
	if status, to, page := ann.do("POST", link); status != http.StatusSeeOther || to != "/" {
		t.Fatal(status, to, page)
	}
	if status, _, page := ann.do("GET", "/room"); status != http.StatusOK || page != "recipient:ann@example.com recipient" {
		t.Error(status, page)
	}
	if status, _, _ := ann.do("POST", link); status != http.StatusForbidden {
		t.Error("a link was used twice")
	}
	ann.do("POST", "/logout")
	if status, _, _ := ann.do("POST", link); status != http.StatusForbidden {
		t.Error("a link was used again after its owner has left")
	}
}

// TestLinksAreQuiet: the answer is the same whether there is somebody to send a link to or not, and whether too
// many were asked for or not; no mailbox is filled, and nobody outside gets anything.
func TestLinksAreQuiet(t *testing.T) {
	h := newHouse(t, nil)
	h.whole.People.Pages.Login = []string{"link"}
	_, _, want := h.visitor("192.0.2.1").do("POST", "/login/link", "address", "ann@example.com")
	h.letter()
	for _, address := range []string{"nobody@example.org", "ann", "", "ann@example.com\r\nBcc: eve@example.org", strings.Repeat("x", 400) + "@example.com", "ann@example.com, ben@example.com",
		"<ann@example.com>\x00", "ann@example.com@example.org"} {
		status, _, got := h.visitor("192.0.2.2").do("POST", "/login/link", "address", address)
		if status != http.StatusOK || got != want {
			t.Errorf("%q: %d %s", address, status, got)
		}
	}
	for i := range 40 { // from many addresses, as one who fills a mailbox does
		status, _, got := h.visitor("198.51.100."+string(rune('0'+i%10))+string(rune('0'+i/10))).do("POST", "/login/link", "address", "ann@example.com")
		if status != http.StatusOK || got != want {
			t.Errorf("%d: %d", i, status)
		}
	}
	ben := h.visitor("203.0.113.1")
	ben.do("POST", "/login/link", "address", "ben@example.com")
	for more := 0; ; more++ {
		p := <-h.post
		if p.To == "ben@example.com" {
			break
		}
		if p.To != "ann@example.com" || more >= 2 {
			t.Fatalf("letter %d is for %q", more+2, p.To)
		}
	}
}

// TestLinksAreOff: without the way there is no link, nor a person whom one has let in before.
func TestLinksAreOff(t *testing.T) {
	h := newHouse(t, nil)
	h.whole.People.Pages.Login = []string{"link"}
	ann := h.visitor("192.0.2.1")
	ann.do("POST", "/login/link", "address", "ann@example.com")
	first := h.letter()
	ann.do("POST", first)
	if status, _, _ := ann.do("GET", "/room"); status != http.StatusOK {
		t.Fatal(status)
	}
	h.whole.People.Pages.Login = nil
	if status, _, _ := ann.do("GET", "/room"); status != http.StatusUnauthorized {
		t.Error("a recipient is in, and recipients are not let in:", status)
	}
	if status, to, _ := ann.do("GET", "/account"); status != http.StatusSeeOther || to != "/login" {
		t.Error(status, to)
	}
	if _, _, page := ann.do("GET", "/login"); strings.Contains(page, "/login/link") {
		t.Error("the page offers links")
	}
	if status, _, _ := ann.do("POST", "/login/link", "address", "ann@example.com"); status != http.StatusNotFound {
		t.Error(status)
	}
	h.whole.People.Pages.Login, h.whole.Local.Domains = []string{"link"}, []policy.Domain{"example.org"}
	if status, _, _ := ann.do("GET", "/room"); status != http.StatusUnauthorized {
		t.Error("an address that is none of ours any more is in:", status)
	}
}

// TestRecipientIsNoAdministrator: one who is let in as a recipient is one, whatever accounts there are.
func TestRecipientIsNoAdministrator(t *testing.T) {
	h := newHouse(t, nil)
	h.whole.People.Pages.Login = []string{"link"}
	h.add("ann@example.com", login.Administrator)
	ann := h.visitor("192.0.2.1")
	ann.do("POST", "/login/link", "address", "ann@example.com")
	ann.do("POST", h.letter())
	if _, _, page := ann.do("GET", "/room"); page != "recipient:ann@example.com recipient" {
		t.Error(page)
	}
	if status, _, _ := ann.do("GET", "/accounts"); status == http.StatusOK {
		t.Error("a recipient sees accounts")
	}
}
