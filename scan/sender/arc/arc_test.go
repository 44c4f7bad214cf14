package arc_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/sender/arc"
	"github.com/milterscan/milterscan/scan/sender/arc/arctest"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

const letter = "From: Joe  <joe@example.org>\r\nTo: list@lists.example\r\nSubject: hello\r\n\tworld\r\n\r\nhello  world \r\n\r\nbye\r\n\r\n\r\n"

// verified reads and verifies the chain of a mail.
func verified(t testing.TB, z dns.Resolver, mail string) (arc.Chain, error) {
	t.Helper()
	m := scantest.Message(mail)
	c, err := arc.Read(m)
	if err != nil {
		t.Fatal(err)
	}
	return c, c.Verify(t.Context(), m, z)
}

// chain seals a letter so many times, each by another host.
func chain(t testing.TB, z dnstest.Zone, n int) string {
	t.Helper()
	mail := letter
	for i := range n {
		s := arctest.New(t, z, fmt.Sprintf("host%d.example", i+1))
		mail = s.Seal(t, mail, arctest.Set{Results: "mx.example; dmarc=pass header.from=example.org"})
	}
	return mail
}

func TestLengths(t *testing.T) {
	for _, test := range []struct {
		sets, read int
		err        error
	}{{1, 1, nil}, {3, 3, nil}, {50, 50, nil}, {51, 0, arc.ErrFail}, {60, 0, arc.ErrFail}} {
		z := dnstest.Zone{}
		mail := chain(t, z, test.sets)
		asked := &dnstest.Recorder{Resolver: z}
		c, err := verified(t, asked, mail)
		if len(c.Sets) != test.read || !errors.Is(err, test.err) {
			t.Errorf("%d sets: read %d, %v", test.sets, len(c.Sets), err)
		}
		if got := len(asked.Asked()); got != test.read { // the seal and the signature of a host have one key
			t.Errorf("%d sets: %d questions", test.sets, got)
		}
	}
}

func TestForms(t *testing.T) {
	z := dnstest.Zone{}
	sealers := []arctest.Sealer{arctest.New(t, z, "new.example"), arctest.NewRSA(t, z, "old.example")}
	for _, form := range []string{"relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed", "relaxed"} {
		for _, mail := range []string{letter, "From: a@example.org\r\n\r\n", "From: a@example.org\r\n\r\nno line end", "From: a@example.org\r\n\r\n \r\n\t\r\n",
			"From: a@example.org\r\nFrom: b@example.org\r\n\r\n\r\n\r\nx\ty\r\nz\rz \r\n"} {
			for _, s := range sealers {
				if _, err := verified(t, z, s.Seal(t, mail, arctest.Set{Form: form})); err != nil {
					t.Errorf("%s of %q by %s: %v", form, mail, s.Domain, err)
				}
			}
		}
	}
}

// TestLineEnds has a mail whose lines end as those of a file do.
func TestLineEnds(t *testing.T) {
	z := dnstest.Zone{}
	if _, err := verified(t, z, strings.ReplaceAll(chain(t, z, 2), "\r\n", "\n")); err != nil {
		t.Error(err)
	}
}

// field returns the text of one field of a mail.
func field(mail, name string, instance int) string {
	return regexp.MustCompile(fmt.Sprintf(`(?m)^%s: i=%d;.*\r\n(?:[ \t].*\r\n)*`, name, instance)).FindString(mail)
}

func TestBroken(t *testing.T) {
	z := dnstest.Zone{"*.slow.example": {dnstest.Timeout}, "*.failing.example": {dnstest.Failing}, "*.two.example": {"TXT v=DKIM1; p=", "TXT x"},
		"*.revoked.example": {"TXT v=DKIM1; p="}, "*.odd.example": {"TXT v=DKIM1; p=???"}, "*.sha1.example": {"TXT v=DKIM1; h=sha1; p=AAAA"},
		"*.other.example": {"TXT v=DKIM1; s=other; p=AAAA"}, "*.long.example": {"TXT v=DKIM1; p=" + strings.Repeat("A", 3000)}}
	good := chain(t, z, 3)
	next := arctest.New(t, z, "next.example")
	with := func(set arctest.Set) string { return next.Seal(t, good, set) }
	by := func(domain string) string { return arctest.New(t, dnstest.Zone{}, domain).Seal(t, good, arctest.Set{}) }
	without := func(name string, i int) string { return strings.Replace(good, field(good, name, i), "", 1) }
	replaced := func(old, now string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the mail", old)
		}
		return strings.Replace(good, old, now, 1)
	}
	for name, test := range map[string]struct {
		mail string
		want error
	}{
		"good":                {good, nil},
		"another set":         {with(arctest.Set{}), nil},
		"field not signed":    {replaced("To: list@lists.example", "To: someone@else.example"), nil},
		"blanks":              {replaced("hello  world", "hello \t world"), nil},
		"body":                {replaced("bye", "by"), arc.ErrFail},
		"From":                {replaced("joe@", "jim@"), arc.ErrFail},
		"another From":        {strings.TrimSuffix(good, strings.SplitAfter(good, "hello\r\n\tworld\r\n")[1]) + "From: x@bank.example\r\n\r\nhello  world \r\n\r\nbye\r\n", arc.ErrFail},
		"old results":         {strings.Replace(good, "i=1; mx.example; dmarc=pass", "i=1; mx.example; dmarc=none", 1), arc.ErrFail},
		"no results":          {without("ARC-Authentication-Results", 2), arc.ErrFail},
		"no signature":        {without("ARC-Message-Signature", 1), arc.ErrFail},
		"no seal":             {without("ARC-Seal", 3), arc.ErrFail},
		"no set 2":            {with(arctest.Set{Instance: 5}), arc.ErrFail},
		"two seals":           {field(good, "ARC-Seal", 2) + good, arc.ErrFail},
		"two results":         {field(good, "ARC-Authentication-Results", 3) + good, arc.ErrFail},
		"order of fields":     {field(good, "ARC-Seal", 1) + strings.Replace(good, field(good, "ARC-Seal", 1), "", 1), nil},
		"seals changed round": {strings.NewReplacer("i=1; a", "i=2; a", "i=2; a", "i=1; a").Replace(good), arc.ErrFail},
		"cv=fail":             {with(arctest.Set{CV: "fail"}), arc.ErrFail},
		"cv=none":             {with(arctest.Set{CV: "none"}), arc.ErrFail},
		"cv=pass at first":    {next.Seal(t, letter, arctest.Set{CV: "pass"}), arc.ErrFail},
		"cv=fail at first":    {next.Seal(t, next.Seal(t, letter, arctest.Set{CV: "fail"}), arctest.Set{}), arc.ErrFail},
		"h= in a seal":        {with(arctest.Set{SealTags: " h=from;"}), arc.ErrFail},
		"seal signed":         {with(arctest.Set{Names: "from:arc-seal"}), arc.ErrFail},
		"From not signed":     {with(arctest.Set{Names: "subject"}), arc.ErrFail},
		"part of the body":    {with(arctest.Set{Extra: " l=5;"}), arc.ErrFail},
		"expired":             {with(arctest.Set{Extra: fmt.Sprintf(" x=%d;", time.Now().Add(-time.Hour).Unix())}), arc.ErrFail},
		"not expired":         {with(arctest.Set{Extra: fmt.Sprintf(" x=%d;", time.Now().Add(time.Hour).Unix())}), nil},
		"no such form":        {with(arctest.Set{Form: "strict"}), arc.ErrFail},
		"rsa-sha1":            {strings.ReplaceAll(with(arctest.Set{}), "i=4; a=ed25519-sha256", "i=4; a=rsa-sha1"), arc.ErrFail},
		"i=0":                 {"ARC-Seal: i=0; a=rsa-sha256; b=x; cv=none; d=a.example; s=s\r\n" + good, arc.ErrFail},
		"i=x":                 {"ARC-Authentication-Results: i=x; mx.example\r\n" + good, arc.ErrFail},
		"no i":                {"ARC-Authentication-Results: mx.example; dmarc=pass\r\n" + good, arc.ErrFail},
		"no tags":             {"ARC-Seal: nonsense\r\n" + good, arc.ErrFail},
		"a tag twice":         {"ARC-Seal: i=4; i=4\r\n" + good, arc.ErrFail},
		"huge":                {"ARC-Seal: i=4; d=" + strings.Repeat("x", 20_000) + "\r\n" + good, arc.ErrFail},
		"no key":              {by("nowhere.example"), arc.ErrFail},
		"no name":             {by("a..b"), arc.ErrFail},
		"key: timeout":        {by("x.slow.example"), arc.ErrTemporary},
		"key: failure":        {by("x.failing.example"), arc.ErrTemporary},
		"two keys":            {by("x.two.example"), arc.ErrFail},
		"revoked key":         {by("x.revoked.example"), arc.ErrFail},
		"odd key":             {by("x.odd.example"), arc.ErrFail},
		"key for SHA-1":       {by("x.sha1.example"), arc.ErrFail},
		"key not for mail":    {by("x.other.example"), arc.ErrFail},
		"long key":            {by("x.long.example"), arc.ErrFail},
		"another key":         {strings.ReplaceAll(with(arctest.Set{}), "d=next.example", "d=host1.example"), arc.ErrFail},
		"none":                {letter, arc.ErrFail},
	} {
		if _, err := verified(t, z, test.mail); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// TestForgeryCostsNothing makes up the newest set of a long chain: one key is asked for, and
// the body is not read.
func TestForgeryCostsNothing(t *testing.T) {
	z := dnstest.Zone{}
	mail := chain(t, z, 30)
	mail = arctest.New(t, dnstest.Zone{}, "host1.example").Seal(t, mail, arctest.Set{})
	asked := &dnstest.Recorder{Resolver: z}
	m := scantest.Message(mail)
	c, err := arc.Read(m)
	if err != nil {
		t.Fatal(err)
	}
	m.Raw = nil // whoever reads it panics
	if err := c.Verify(t.Context(), m, asked); !errors.Is(err, arc.ErrFail) || len(asked.Asked()) != 1 {
		t.Errorf("%v, asked %v", err, asked.Asked())
	}
}

// TestBudget runs out of questions in the middle of a chain.
func TestBudget(t *testing.T) {
	z := dnstest.Zone{}
	if _, err := verified(t, dns.Limited(z, 5), chain(t, z, 10)); !errors.Is(err, arc.ErrFail) {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	z := dnstest.Zone{}
	m := scantest.Message(chain(t, z, 2))
	c, err := arc.Read(m)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Verify(ctx, m, z); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSetsSayWho(t *testing.T) {
	z := dnstest.Zone{}
	c, _ := verified(t, z, chain(t, z, 2))
	newest := c.Newest()
	if newest.Instance != 2 || newest.Sealer != "host2.example" || newest.Signer != "host2.example" || newest.Selector != "arc" ||
		strings.TrimSpace(newest.Results) != "mx.example; dmarc=pass header.from=example.org" {
		t.Errorf("%+v", newest)
	}
}
