package browser

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// office is an organisation with a Postfix, a clamd, and a milterscan with a console.
type office struct {
	t        *testing.T
	postfix  *servers.Postfix
	milter   *servers.Milterscan
	dir      string // of what milterscan keeps
	base     string // address of the console
	rspamd   *fakes.Rspamd
	accounts string // their database
}

// rules of the office: what is bad is kept, and what is unwanted refused.
const rules = `
[local]
domains = ["example.com"]
[[rule]]
name = "viruses are kept"
when = ["infected"]
action = "quarantine"
[[rule]]
name = "macros are kept"
when = ["attachment/macro*"]
action = "quarantine"
[[rule]]
name = "pages that act are kept"
when = ["content/*"]
from = ["parcels@example.net"]
action = "quarantine"
[[rule]]
name = "programs of one are kept"
when = ["attachment/name", "attachment/program"]
from = ["tools@example.net"]
action = "quarantine"
[[rule]]
name = "no programs"
when = ["attachment/name", "attachment/program"]
action = "reject"
reply = "550 5.7.1 Programs are not accepted here"
`

// openOffice starts all of an office.
func openOffice(t *testing.T) *office { return openOfficeWith(t, "", func(string) {}) }

// openOfficeWith starts an office with more in its configuration, where DIR is the directory of what milterscan
// keeps, and whose history is begun by a function that is given its file.
func openOfficeWith(t *testing.T, more string, begin func(history string)) *office {
	t.Helper()
	needBrowser(t)
	o := &office{t: t, dir: t.TempDir(), rspamd: &fakes.Rspamd{}, base: "http://" + servers.FreeAddress(t)}
	clamd := servers.StartClamd(t)
	o.postfix = servers.StartPostfix(t)
	o.accounts = filepath.Join(o.dir, "console.db")
	config := rules + strings.ReplaceAll(more, "DIR", o.dir) + fmt.Sprintf(`
[[virus]]
name = "clamd"
type = "clamd"
address = "unix:%s"
timeout = "10s"
[console]
listen = ["tcp:%s"]
url = %q
file = %q
[people]
file = %q
[people.pages]
login = ["link"]
learn = true
notify = ["desk@example.com"]
[spam.rspamd]
controller = %q
[submission]
via = "smtp:%s"
[history]
file = %q
[quarantine]
dir = %q
[notices]
dir = %q
[mta_log]
file = %q
`, clamd.Socket, strings.TrimPrefix(o.base, "http://"), o.base, o.accounts, filepath.Join(o.dir, "people.db"), o.rspamd.Start(t), o.postfix.SMTP(), filepath.Join(o.dir, "history.db"),
		filepath.Join(o.dir, "quarantine"), filepath.Join(o.dir, "notices"), o.postfix.LogFile())
	begin(filepath.Join(o.dir, "history.db"))
	o.milter = servers.StartMilterscan(t, o.postfix.MilterSocket(), config)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("milterscan's log:\n%s", o.milter.Output())
		}
	})
	return o
}

// password is that of all who work there.
const password = "correct horse battery staple"

// hire gives a person an account.
func (o *office) hire(account accounts.Account) {
	o.t.Helper()
	a := accounts.New(o.accounts)
	defer a.Close()
	if err := a.Add(o.t.Context(), account, password); err != nil {
		o.t.Fatal(err)
	}
}

// administrator is an account that may do everything, and must have a second factor.
func administrator(name string) accounts.Account {
	return accounts.Account{Name: name, Role: login.Administrator, WantsSecond: true}
}

// send hands a mail to Postfix, and returns what that answers.
func (o *office) send(from, to string, data []byte) servers.Reply {
	o.t.Helper()
	return servers.Send(o.postfix.SMTP(), servers.Mail{From: from, To: []string{to}, Data: data})
}

// mustSend fails the test unless the mail gets the code. It returns when the history has the mail: records are
// written some time after the answer.
func (o *office) mustSend(code int, from, to string, data []byte) {
	o.t.Helper()
	begun := time.Now()
	if r := o.send(from, to, data); r.Code != code {
		o.t.Fatalf("%v, not %d", r, code)
	}
	o.recorded(history.Filter{Sender: from, Recipient: to, Since: begun.Truncate(time.Millisecond)})
}

// recorded waits until the history has a message that a filter lets through.
func (o *office) recorded(f history.Filter) {
	o.t.Helper()
	f.Limit = 1
	h := store.NewHistory(filepath.Join(o.dir, "history.db"), func(err error) { o.t.Error(err) })
	defer h.Close()
	servers.Await(o.t, fmt.Sprintf("the record of a message from %s to %s, %q", f.Sender, f.Recipient, f.Subject), func() bool {
		p, err := h.Find(o.t.Context(), f, history.Cursor{})
		if err != nil {
			o.t.Fatal(err)
		}
		return len(p.Records) > 0
	})
}

// invoice is a mail with a document whose macro runs by itself.
func invoice(t *testing.T, subject string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "tests", "files", "autorun.docm"))
	if err != nil {
		t.Fatal(err)
	}
	return sample.Attached(subject, sample.File{Name: "invoice.docm", Type: "application/vnd.ms-word.document.macroEnabled.12", Content: content})
}

// infected is a mail with the test virus.
func infected(subject string) []byte { return sample.Attached(subject, sample.EicarFile()) }

// page makes a mail of a page of HTML.
func page(subject, html string) []byte {
	return []byte("From: Sender <sender@example.net>\r\nTo: ann@example.com\r\nSubject: " + subject + "\r\nMIME-Version: 1.0\r\nDate: Sun, 29 Nov 2026 08:00:00 +0000\r\n" +
		"Message-ID: <" + strings.ReplaceAll(strings.ToLower(subject), " ", ".") + "@example.net>\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString([]byte(html)) + "\r\n")
}

// canary is a server that no page may ever make a browser ask.
type canary struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newCanary(t *testing.T) *canary {
	c := &canary{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked = append(c.asked, r.Method+" "+r.URL.String())
	}))
	t.Cleanup(c.Close)
	return c
}

// silent fails the test if anything was asked.
func (c *canary) silent(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asked) > 0 {
		t.Errorf("the canary was asked for %v", c.asked)
	}
}

// arrived returns the one mail with a subject that was delivered, once the history has it, too.
func (o *office) arrived(subject string) servers.Delivered {
	o.t.Helper()
	var found []servers.Delivered
	servers.Await(o.t, "the mail "+subject, func() bool {
		found = nil
		for _, d := range o.postfix.Mailbox().All() {
			if bytes.Contains(d.Mail, []byte("Subject: "+subject+"\n")) {
				found = append(found, d)
			}
		}
		return len(found) > 0
	})
	if len(found) > 1 {
		o.t.Fatalf("%s arrived %d times", subject, len(found))
	}
	o.recorded(history.Filter{Recipient: found[0].Recipient, Subject: subject, Action: "deliver"})
	return found[0]
}
