// Demo shows milterscan at work: it starts a private Postfix, clamd and
// milterscan on loopback, sends real mail through them, and prints what the
// sender was told and what arrived. It leaves nothing after.
//
//	make demo
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

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

// letter is a mail of the demo.
type letter struct {
	about string
	data  []byte
}

func letters() []letter {
	return []letter{
		{"a newsletter", sample.Newsletter()},
		{"the EICAR test virus, attached", sample.Attached("Your notes", sample.EicarFile())},
		{"the EICAR test virus, in a zip", sample.Attached("Your notes, packed", sample.Zip("notes.zip", sample.EicarFile()))},
		{"invoice.pdf.exe", sample.Attached("Invoice", sample.Program("invoice.pdf.exe"))},
		{"setup.exe, in a zip", sample.Attached("Setup", sample.Zip("setup.zip", sample.Program("setup.exe")))},
		{"an 8 MB photograph", sample.Attached("Photograph", sample.Noise("photo.jpg", 8<<20, 1))},
	}
}

// stage is the three servers of the demo.
type stage struct {
	clamd   *servers.Clamd
	postfix *servers.Postfix
	milter  *servers.Milterscan
}

func demo(t servers.TB) {
	fmt.Println("Starting clamd, Postfix and milterscan, each private to this demo.")
	s := stage{clamd: servers.StartClamd(t), postfix: servers.StartPostfix(t)}
	s.milter = servers.StartMilterscan(t, s.postfix.MilterSocket(), config(s.clamd))
	fmt.Printf("Postfix listens on %s; all it accepts lands in one mailbox.\n\n", s.postfix.Addr)

	row("MAIL", "THE SENDER IS TOLD", "WHAT ARRIVES")
	for _, l := range letters() {
		s.send(t, l)
	}
	fmt.Println("\nNow clamd is stopped. Mail nobody can examine is neither passed nor lost: it waits.")
	s.clamd.Stop()
	newsletter := letters()[0]
	s.send(t, newsletter)
	fmt.Println("\nclamd is started again, and the sender tries again. Nothing else is restarted.")
	s.clamd.Start(t)
	s.sendUntilAccepted(t, newsletter)
	fmt.Println("\nStopping everything; nothing is left behind.")
}

func config(c *servers.Clamd) string {
	return fmt.Sprintf("[[virus]]\nname = \"clamd\"\ntype = \"clamd\"\naddress = \"unix:%s\"\n", c.Socket)
}

// send sends one mail and prints what becomes of it.
func (s stage) send(t servers.TB, l letter) servers.Reply {
	s.postfix.Inbox.Clear()
	begun := time.Now()
	r := servers.Send(s.postfix.Addr, servers.Mail{From: "sender@example.org", To: []string{"user@test.local"}, Data: l.data})
	took := time.Since(begun).Round(time.Millisecond)
	arrived := "nothing"
	if r.Accepted() {
		arrived = describe(s.postfix.Inbox.One(t), l.data)
	}
	row(l.about, fmt.Sprintf("%v (%v)", r, took), arrived)
	return r
}

// sendUntilAccepted does what a mail server does with a mail that was deferred,
// only sooner.
func (s stage) sendUntilAccepted(t servers.TB, l letter) {
	for end := time.Now().Add(time.Minute); !s.send(t, l).Accepted(); time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatalf("clamd is back for a minute, and mail is still deferred\n%s", s.milter.Output())
		}
	}
}

// describe compares what arrived with what was sent.
func describe(d servers.Delivered, sent []byte) string {
	if strings.HasSuffix(string(d.Mail), strings.ReplaceAll(string(sent), "\r\n", "\n")) {
		return "the mail, unchanged"
	}
	return "the mail, changed"
}

// row prints one line of the table, and more where the reply is long.
func row(mail, told, arrived string) {
	const width = 62
	for first := true; first || told != ""; first = false {
		line := told
		if len(line) > width {
			line = line[:max(strings.LastIndexByte(line[:width], ' '), 1)]
		}
		fmt.Println(strings.TrimRight(fmt.Sprintf("%-32s %-*s %s", mail, width, line, arrived), " "))
		mail, arrived, told = "", "", strings.TrimSpace(told[len(line):])
	}
}
