package integration

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/scan/sender/auth"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// TestReportOfADomain has a daemon count mail, and the report of the day before
// delivered by Postfix, once.
func TestReportOfADomain(t *testing.T) {
	needServers(t)
	const rua = "mailto:reports@test.local,mailto:victim@example.net"
	z := zones()
	z["example.org"] = strings.Replace(z["example.org"], "p=reject", "p=reject; rua="+rua, 1)
	z["test.local"] = "example.org._report._dmarc TXT \"v=DMARC1\"\n"
	dns := servers.StartKnot(t, z)
	dir := t.TempDir()
	file := filepath.Join(dir, "dmarc.db")
	clamd := servers.StartClamd(t)
	h := &house{clamd: clamd, engine: "unix:" + clamd.Socket, mta: servers.StartPostfix(t, open)}
	h.join(t, ours+resolving(dns.Addr)+fmt.Sprintf("[auth]\nspf = true\ndkim = true\ndmarc = true\n\n[dmarc_reports]\nenabled = true\n"+
		"organization = \"Test\"\nemail = \"dmarc@test.local\"\nfile = %q\n\n[quarantine]\ndir = %q\n\n[submission]\nvia = \"smtp:%s\"\n\n"+
		"[[rule]]\nname = \"forged\"\nwhen = [\"auth/dmarc-reject\"]\naction = \"reject\"\n",
		file, filepath.Join(dir, "kept"), h.mta.SMTP()))
	for _, client := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.9"} {
		c := h.as(t, "ADDR="+client)
		c.Send(servers.Mail{From: "sender@example.org", To: []string{"user@test.local"}, Data: clean("counted").Data})
		c.Quit()
	}
	h.mta.Mailbox().Await(t, 2)
	h.milter.Stop()
	today := time.Now().UTC()
	out, status := h.milter.Run(t, "dmarc-report", "preview", "--domain", "example.org", "--day", today.Format(time.DateOnly))
	for _, want := range []string{"<source_ip>192.0.2.1</source_ip>", "<count>2</count>", "<source_ip>192.0.2.9</source_ip>", "<count>1</count>",
		"<disposition>pass</disposition>", "<disposition>reject</disposition>"} {
		if !strings.Contains(out, want) || status != 0 {
			t.Errorf("%s is not in the preview (%d):\n%s", want, status, out)
		}
	}
	valid(t, []byte(out))

	before := today.AddDate(0, 0, -1)
	countBefore(t, file, before, rua)
	h.milter.Start(t)
	h.mta.Mailbox().Clear()
	for range 2 {
		out, status := h.milter.Run(t, "dmarc-report", "send", "--domain", "example.org", "--day", before.Format(time.DateOnly))
		if status != 0 || !strings.Contains(out, "sent") {
			t.Fatalf("%d: %s\n%s", status, out, h.mta.Log())
		}
	}
	got := h.mta.Mailbox().One(t)
	if got.Recipient != "reports@test.local" || !strings.Contains(headerOf(t, got).Get("Subject"), "Report Domain: example.org") {
		t.Errorf("%s got\n%s", got.Recipient, got.Mail)
	}
	if bytes.Contains(got.Mail, []byte("X-Milterscan-Pass")) {
		t.Errorf("the pass is still there:\n%s", got.Mail)
	}
	valid(t, unpacked(t, got.Mail))
	if out, _ := h.milter.Run(t, "dmarc-report", "status"); !strings.Contains(out, before.Format(time.DateOnly)+"  sent") {
		t.Errorf("the status is\n%s", out)
	}
}

// countBefore puts a row of another day into the file.
func countBefore(t *testing.T, file string, when time.Time, rua string) {
	t.Helper()
	s := dmarc.NewFile(file)
	defer s.Close()
	var c dmarc.Collector
	c.Note(&auth.Evaluation{Client: netip.MustParseAddr("2001:db8::1"), Author: "mail.example.org", Asked: "reject", Trusted: true,
		DKIM:   []auth.Signed{{Domain: "example.org", Selector: "s\x01<&>", Result: "fail"}},
		Policy: auth.Published{Domain: "example.org", P: "reject", SP: "none", NP: "none", ReportAddresses: rua}}, policy.Decision{}, when)
	if err := c.Flush(t.Context(), s, dmarc.DefaultConfig(), when); err != nil {
		t.Fatal(err)
	}
}

// valid fails if a report is not what the schema says.
func valid(t *testing.T, report []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.xml")
	if err := os.WriteFile(file, report, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("xmllint", "--noout", "--nonet", "--schema", "testdata/dmarc-report.xsd", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, report)
	}
}

// unpacked returns the report that is in a mail.
func unpacked(t *testing.T, letter []byte) []byte {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(letter))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if p.Header.Get("Content-Type") != "application/gzip" {
			continue
		}
		z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
}
