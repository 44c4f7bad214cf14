package integration

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/sender/arc/arctest"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// Programs for dkimpy, which knows nothing of milterscan: one puts a set on top of a
// mail, the other says what it thinks of a chain.
const (
	seals = `import dkim, sys
mail = sys.stdin.buffer.read()
for field in dkim.arc_sign(mail, b"arc", b"lists.example", open(sys.argv[1], "rb").read(), sys.argv[2].encode()):
    sys.stdout.buffer.write(field.strip() + b"\r\n")
sys.stdout.buffer.write(mail)`
	judges = `import dkim, sys
print(dkim.arc_verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: sys.argv[1].encode())[0].decode())`
)

// TestForeignSealers takes chains that dkimpy has made, and has it verify those of
// our tests, so that both are what others make of RFC 8617.
func TestForeignSealers(t *testing.T) {
	needServers(t)
	key, record := dkimKey(t)
	z := zones()
	z["lists.example"] = fmt.Sprintf("arc._domainkey TXT ( %s )\n", inStrings(record))
	dns := servers.StartKnot(t, z)
	h := newHouse(t, resolving(dns.Addr)+"[auth]\nspf = true\ndkim = true\ndmarc = true\narc_trusted = [\"lists.example\"]\nid = \"mx.test.local\"\n\n"+
		"[[rule]]\nname = \"forged\"\nwhen = [\"auth/dmarc-reject\"]\naction = \"reject\"\n", open)
	sealed := func(results string) []byte {
		mail := append([]byte("Authentication-Results: in.lists.example; "+results+"\r\n"), clean("listed").Data...)
		return []byte(python(t, mail, seals, key, "in.lists.example") + "\r\n")
	}
	good := sealed("dmarc=pass header.from=example.org")
	twice := python(t, append([]byte("Authentication-Results: out.lists.example; arc=pass; dmarc=fail header.from=example.org\r\n"), good...), seals, key, "out.lists.example")
	for _, test := range []struct {
		what string
		mail []byte
		code int
	}{
		{"no chain", clean("not listed").Data, 550},
		{"a chain", good, 250},
		{"two sets", []byte(twice + "\r\n"), 250},
		{"a list that saw it fail", sealed("dmarc=fail header.from=example.org"), 550},
		{"another author", sealed("dmarc=pass header.from=example.net"), 550},
		{"another body", append(bytes.TrimRight(good, "\r\n"), "\r\nand more\r\n"...), 550},
	} {
		h.mta.Mailbox().Clear()
		c := h.as(t, "ADDR=192.0.2.9")
		wantReply(t, test.what, c.Send(servers.Mail{From: "list@example.net", To: []string{"user@test.local"}, Data: test.mail}), test.code)
		c.Quit()
		if test.code != 250 {
			continue
		}
		got := headerOf(t, h.mta.Mailbox().One(t)).Get("Authentication-Results")
		if !strings.Contains(got, "dmarc=fail") || !strings.HasSuffix(got, "; arc=pass smtp.remote-ip=192.0.2.9") {
			t.Errorf("%s: %q", test.what, got)
		}
	}
}

// inStrings returns a long record as the strings of a zone file.
func inStrings(record string) string {
	var parts []string
	for ; len(record) > 200; record = record[200:] {
		parts = append(parts, `"`+record[:200]+`"`)
	}
	return strings.Join(append(parts, `"`+record+`"`), " ")
}

// TestForeignVerifierOfChains has dkimpy judge the chains that our tests are made of.
func TestForeignVerifierOfChains(t *testing.T) {
	needServers(t)
	z := dnstest.Zone{}
	s := arctest.NewRSA(t, z, "lists.example")
	record := strings.TrimPrefix(z[s.KeyName()][0], "TXT ")
	mail := string(clean("listed").Data)
	for i := range 5 {
		mail = s.Seal(t, mail, arctest.Set{Results: "in.lists.example; dmarc=pass header.from=example.org"})
		if answer := python(t, []byte(mail), judges, record); answer != "pass" {
			t.Errorf("%d sets: dkimpy says %q of\n%s", i+1, answer, mail)
		}
	}
	if answer := python(t, []byte(mail+"more\r\n"), judges, record); answer != "fail" {
		t.Errorf("dkimpy says %q of another body", answer)
	}
}
