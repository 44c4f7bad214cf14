package integration

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// appealConfig refuses all mail of two senders, who may appeal, and keeps everything in a
// directory.
const appealConfig = `
[local]
domains = ["test.local"]
[submission]
via = "smtp:%[2]s"
[history]
file = "%[1]s/history.db"
[notices]
dir = "%[1]s/notices"
[quarantine]
dir = "%[1]s/quarantine"
[people]
file = "%[1]s/people.db"
[people.appeal]
per_sender = 3
per_recipient = 100
[console]
listen = ["unix:%[1]s/console"]
file = "%[1]s/console.db"
url = "http://console.test"
[[rule]]
name = "no mail of strangers"
from = ["@example.org", "@example.net"]
action = "reject"
appeal = true
`

var (
	appealLink     = regexp.MustCompile(` http://console\.test(/a/[0-9a-z]{27})$`)
	appealForm     = regexp.MustCompile(`name="form" value="([^"]+)"`)
	appealQuestion = regexp.MustCompile(`<label for="answer">([^<]+) <span`)
	requestForm    = regexp.MustCompile(`action="/requests/(\d+)"`)
)

// numbers and ordinals are those of the page's questions.
var (
	numbers  = strings.Fields("one two three four five six seven eight nine ten")
	ordinals = strings.Fields("first second third fourth")
)

// answered returns the answer to a question, by reading it.
func answered(t *testing.T, question string) string {
	t.Helper()
	head, words, ok := strings.Cut(question, ": ")
	if ok {
		for i, word := range ordinals {
			if strings.Contains(head, " "+word+" ") {
				return strings.Split(words, ", ")[i]
			}
		}
	}
	sum := 0
	for _, word := range strings.Fields(strings.Trim(question, "?")) {
		for i, n := range numbers {
			if word == n {
				sum += i + 1
			}
		}
	}
	return strconv.Itoa(sum)
}

// appeal goes through the page of a link as a person does, and returns what it says at last.
func (v *visitor) appeal(link, text string) string {
	v.t.Helper()
	page, _ := v.get(link)
	form, question := appealForm.FindStringSubmatch(page), appealQuestion.FindStringSubmatch(page)
	if form == nil || question == nil {
		v.t.Fatalf("no form at %s: %s", link, page)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
		page, _ = v.post(link, "form", form[1], "answer", answered(v.t, question[1]), "text", text, "website", "")
		if !strings.Contains(page, "very quick") {
			return page
		}
	}
	return page
}

// TestAppeal: mail is refused through a real MTA with a link, its sender asks for it on the page,
// the help desk lets it go, and it arrives, once. A virus gets no link and leaves nothing.
func TestAppeal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "var") // which is there until the daemon has ended
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, "")
	h.milter.Configure(t, asking(h.engine, fmt.Sprintf(appealConfig, dir, h.mta.SMTP())))
	h.milter.Stop()
	h.milter.Start(t)
	v := visit(t, filepath.Join(dir, "console"))

	m := clean("please take me")
	wantReply(t, "a virus", h.send(infected()), 550)
	got := h.send(infected())
	if rows := h.list(t); len(rows) != 0 || strings.Contains(got.Text, "http") {
		t.Errorf("of a virus the quarantine has %+v, and the client heard %v", rows, got)
	}
	first := h.offered(t, m)
	if rows := h.list(t); len(rows) != 1 || rows[0].Sender != m.From || rows[0].State != "kept" {
		t.Fatalf("the quarantine holds %+v", rows)
	}
	id := h.list(t)[0].ID

	for _, method := range []string{"GET", "HEAD", "GET", "HEAD"} { // as link checkers do
		q, _ := http.NewRequest(method, "http://console.test"+first, nil)
		answer, err := v.Do(q)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v, %v", method, answer, err)
		}
		answer.Body.Close()
	}
	out, status := h.milter.Run(t, "user add", "--role", "helpdesk", "--generate", "desk")
	if status != 0 {
		t.Fatal(out)
	}
	desk := visit(t, filepath.Join(dir, "console"))
	if page, at := desk.post("/login", "name", "desk", "password", strings.TrimSpace(out), "next", "/requests"); at != "/requests" || requestForm.MatchString(page) {
		t.Fatalf("%s: looking at the link asks: %s", at, page)
	}
	if page := v.appeal(first, "I am the plumber, see https://evil.example/x"); !strings.Contains(page, "has been passed on") {
		t.Fatalf("%s", page)
	}
	page, _ := desk.get("/requests")
	request := requestForm.FindStringSubmatch(page)
	if request == nil || !strings.Contains(page, "I am the plumber, see https[:]//evil[.]example/x") || strings.Contains(page, `href="https:`) {
		t.Fatalf("the help desk sees %s", page)
	}
	h.mta.Settle(t)
	if n := h.mta.Mailbox().Count(); n != 0 {
		t.Fatalf("%d mails arrived before anybody let them", n)
	}
	desk.post("/requests/"+request[1], "answer", "granted")
	if d := h.mta.Mailbox().One(t); !strings.Contains(string(d.Mail), "clean.please.take.me@") || d.Sender != m.From {
		t.Errorf("from %s arrived\n%s", d.Sender, d.Mail)
	}
	desk.post("/requests/"+request[1], "answer", "granted")
	if again, _ := v.get(first); !strings.Contains(again, "has been passed on") || strings.Contains(again, "released") {
		t.Errorf("the sender sees %s", again)
	}
	h.mta.Settle(t)
	if n := h.mta.Mailbox().Count(); n != 1 {
		t.Errorf("%d mails arrived", n)
	}
	if audit, err := os.ReadFile(filepath.Join(dir, "quarantine", "audit.log")); err != nil || !strings.Contains(string(audit), `"what":"appeal","by":"sender"`) || !strings.Contains(string(audit), id) {
		t.Errorf("audit log %s, %v", audit, err)
	}
	h.links(t, v)
}

// offered sends a mail that is refused, and returns the link in the reply.
func (h *house) offered(t *testing.T, m servers.Mail) string {
	t.Helper()
	var got servers.Reply
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) { // it counts first what waits
		if got = h.send(m); got.Code == 550 && appealLink.MatchString(got.Text) {
			break
		}
	}
	link := appealLink.FindStringSubmatch(got.Text)
	if link == nil || len(got.Text)+len("550 \r\n") > 512 || len(link[1]) > 30 {
		t.Fatalf("the client heard %v", got)
	}
	return link[1]
}

// links: a sender gets three in a day, whatever becomes of them, and a link that is changed is
// none.
func (h *house) links(t *testing.T, v *visitor) {
	t.Helper()
	n := 0
	for i := range 6 {
		m := clean(fmt.Sprint("one more ", i))
		m.From = "other@example.net"
		if got := h.send(m); got.Code != 550 {
			t.Errorf("%v", got)
		} else if appealLink.MatchString(got.Text) {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d links for one sender", n)
	}
	answer, err := v.PostForm("http://console.test/a/"+strings.Repeat("0", 27), url.Values{"text": {"x"}})
	if err != nil || !strings.HasSuffix(answer.Request.URL.Path, strings.Repeat("0", 27)) || answer.StatusCode != http.StatusNotFound {
		t.Errorf("%v, %v", answer, err)
	}
	answer.Body.Close()
}
