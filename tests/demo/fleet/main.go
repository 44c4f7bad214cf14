// Fleet shows two hosts at work that share a database: it starts a private PostgreSQL, two Postfix and two milterscan
// on loopback, sends real mail through them, and prints what the sender was told and what arrived. It leaves nothing
// after.
//
//	make demo-fleet
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

func main() {
	binary := flag.String("binary", "", "milterscan to show; default: the one of this tree, compiled now")
	flag.Parse()
	if *binary != "" {
		os.Setenv("MILTERSCAN_BINARY", *binary)
	}
	os.Exit(servers.Script(demo))
}

// client is the sender's host, as both Postfix believe.
const client = "192.0.2.1"

// host is one of the two.
type host struct {
	name    string
	postfix *servers.Postfix
	milter  *servers.Milterscan
}

func demo(t servers.TB) {
	fmt.Println("Starting PostgreSQL, two Postfix and two milterscan, each private to this demo.")
	hosts := start(t)
	mx1, mx2 := hosts[0], hosts[1]
	letter, program := sample.Newsletter(), sample.Attached("Setup", sample.Program("setup.exe"))

	fmt.Println("\nA stranger writes to mx1, is put off, and tries again at mx2, which knows of the first try.")
	mx1.mustDefer(t, "newsletter, first try", letter)
	mx2.until(t, "newsletter, again", letter)
	arrived(t, hosts, 1)

	fmt.Println("\nmx1 keeps a program; mx2 lists it and lets it out.")
	mx1.until(t, "a program", program)
	id := mx2.kept(t)
	fmt.Printf("%-6s quarantine list                 %s\n", mx2.name, id)
	if out, status := mx2.milter.Run(t, "quarantine release", id); status != 0 {
		t.Fatalf("mx2 does not release it: %s", out)
	}
	fmt.Printf("%-6s quarantine release %s\n", mx2.name, id)
	arrived(t, hosts, 2)
	if out, status := mx1.milter.Run(t, "quarantine release", id); status == 0 {
		t.Fatalf("mx1 releases it once more: %s", out)
	}
	fmt.Printf("%-6s quarantine release %s  refused: released already\n", mx1.name, id)
	arrived(t, hosts, 2)

	fmt.Println("\nmx1 is killed, Postfix and all. Senders go on to mx2.")
	mx1.milter.Kill()
	mx1.postfix.Stop()
	if r := mx1.send(letter); r.Code != 0 {
		t.Fatalf("mx1 still answers: %v", r)
	}
	fmt.Printf("%-6s %-32s no answer\n", mx1.name, "newsletter")
	mx2.until(t, "newsletter", letter)
	arrived(t, hosts, 3)
	fmt.Println("\nStopping everything; nothing is left behind.")
}

// start starts all servers.
func start(t servers.TB) (hosts [2]host) {
	pg := servers.StartPostgres(t, "")
	dir, err := os.MkdirTemp("", "milterscan-fleet-")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	key := dir + "/key"
	if _, err := token.KeyFile(key).Make(); err != nil {
		t.Fatalf("%v", err)
	}
	password := pg.PasswordFile(t)
	for i := range hosts {
		h := &hosts[i]
		h.name = fmt.Sprintf("mx%d", i+1)
		h.postfix = servers.StartPostfix(t, "smtpd_authorized_xclient_hosts = 127.0.0.0/8")
		h.milter = servers.StartMilterscan(t, h.postfix.MilterSocket(), fmt.Sprintf(
			"[store]\nurl = %q\npassword_file = %q\nname = %q\ntimeout = \"10s\"\n\n[local]\ndomains = [\"test.local\"]\nnetworks = [\"127.0.0.0/8\"]\n\n"+
				"[greylist]\nenabled = true\ndelay = \"2s\"\nauto_allow = 1\n\n[submission]\nvia = \"smtp:%s\"\n\n"+
				"[quarantine]\ndir = %q\nkey_file = %q\n\n[[rule]]\nname = \"keep programs\"\nwhen = [\"forbidden\"]\naction = \"quarantine\"\n",
			pg.URL(), password, h.name, h.postfix.SMTP(), dir+"/"+h.name, key))
	}
	return hosts
}

// send sends one mail as the stranger's host.
func (h host) send(data []byte) servers.Reply {
	c, r := servers.TryDialSMTP(h.postfix.Addr)
	if c == nil {
		return servers.Reply{}
	}
	defer c.Quit()
	if !r.Accepted() {
		return r
	}
	if r := c.Pretend("ADDR=" + client); !r.Accepted() {
		return r
	}
	return c.Send(servers.Mail{From: "sender@example.org", To: []string{"user@test.local"}, Data: data})
}

// tell prints what the sender was told.
func (h host) tell(what string, r servers.Reply) { fmt.Printf("%-6s %-32s %v\n", h.name, what, r) }

func (h host) mustDefer(t servers.TB, what string, data []byte) {
	r := h.send(data)
	h.tell(what, r)
	if !r.Deferred() {
		t.Fatalf("it is not put off")
	}
}

// until does what a mail server does with a mail that is deferred, only sooner.
func (h host) until(t servers.TB, what string, data []byte) {
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) {
		r := h.send(data)
		h.tell(what, r)
		if r.Accepted() {
			return
		}
		if !r.Deferred() || time.Now().After(end) {
			t.Fatalf("it is not accepted\n%s", h.milter.Output())
		}
	}
}

// kept waits for a message in the list of a host, and returns its id.
func (h host) kept(t servers.TB) string {
	var row struct {
		ID string `json:"id"`
	}
	servers.Await(t, "a message in the list of "+h.name, func() bool {
		out, status := h.milter.Run(t, "quarantine list", "--json")
		return status == 0 && json.Unmarshal([]byte(strings.TrimSpace(out)), &row) == nil
	})
	return row.ID
}

// arrived waits for some mail to be in the mailboxes of both, and no more.
func arrived(t servers.TB, hosts [2]host, want int) {
	count := func() int { return hosts[0].postfix.Inbox.Count() + hosts[1].postfix.Inbox.Count() }
	servers.Await(t, "the mail to arrive", func() bool { return count() >= want })
	if got := count(); got != want {
		t.Fatalf("%d messages arrived, not %d", got, want)
	}
	fmt.Printf("       arrived at both together:        %d\n", want)
}
