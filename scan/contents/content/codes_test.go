package content

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/picture"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/scantest"
)

func TestCodes(t *testing.T) {
	long := strings.Repeat("We are glad that you will join us on Monday. ", 10)
	for _, c := range []struct {
		name, code, from, text, user string
		safe, bad                    []string
		want                         string
	}{
		{"a link and little else", "https://evil.test/a", "bob@sender.test", "Please scan.", "", nil, nil, "qr-link qr-lure"},
		{"a link after a letter", "https://evil.test/a", "bob@sender.test", long, "", nil, nil, "qr-link qr-lure"},
		{"of somebody of ours, after a letter", "https://evil.test/a", "bob@sender.test", long, "bob", nil, nil, "qr-link"},
		{"of somebody of ours, and little else", "https://evil.test/a", "bob@sender.test", "Hi", "bob", nil, nil, "qr-link qr-lure"},
		{"to the author's place", "https://www.sender.test/a", "bob@mail.sender.test", "Hi", "", nil, nil, "qr-link"},
		{"to a place that a link leads to", "https://evil.test/a", "bob@sender.test", "See http://www.evil.test/b", "", nil, nil, "qr-link"},
		{"to a safe place", "https://evil.test/a", "bob@sender.test", "Hi", "", []string{"evil.test"}, nil, ""},
		{"to a bad place", "https://evil.test/a", "bob@sender.test", "Hi", "", nil, []string{"evil.test"}, "link-bad qr-link qr-lure"},
		{"to a number", "http://203.0.113.7/a", "bob@sender.test", "Hi", "", nil, nil, "link-numeric qr-link qr-lure"},
		{"in capitals", "HTTPS://EVIL.TEST/A", "bob@sender.test", "Hi", "", nil, nil, "qr-link qr-lure"},
		{"a script", "javascript:alert(1)", "bob@sender.test", "Hi", "", nil, nil, "link-script"},
		{"no link", "M1DOE/JOHN EABC123 MUCFRALH 0123", "bob@sender.test", "Hi", "", nil, nil, ""},
	} {
		conf := DefaultConfig()
		conf.Safe, conf.Bad = append(conf.Safe, c.safe...), c.bad
		inventory := texts.New(conf.Limits, conf.Extent())
		inventory.ReadCodes(func(context.Context, *picture.Set, time.Duration) ([]picture.Found, error) {
			return []picture.Found{{Item: 0, What: picture.Code, Text: c.code}}, nil
		})
		s, err := New(conf, With{Texts: inventory})
		if err != nil {
			t.Fatal(err)
		}
		m := scantest.Message("From: Bob <" + c.from + ">\r\n\r\n")
		m.Envelope = scan.Envelope{Sender: c.from, AuthUser: c.user}
		shown := part("image/png", "", "x")
		shown.Sniffed = "image/png"
		m.Parts = []scan.Part{part("text/plain", "", c.text), shown}
		found, err := s.Scan(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		var rules []string
		for _, f := range found {
			rules = append(rules, strings.TrimPrefix(f.Rule, "content/"))
			if f.Part != 1 {
				t.Errorf("%s: %s is about part %d", c.name, f.Rule, f.Part)
			}
		}
		slices.Sort(rules)
		if got := strings.Join(rules, " "); got != c.want {
			t.Errorf("%s: finds %q, want %q", c.name, got, c.want)
		}
	}
}

// TestCodesUnread: pictures that were not looked at are a finding, and only those that
// nothing looks at are examined all the same.
func TestCodesUnread(t *testing.T) {
	for what, want := range map[picture.What]scan.Finding{
		picture.Over:        {Kind: scan.Unscannable, Rule: "content/qr-unread"},
		picture.Damaged:     {Kind: scan.Unscannable, Rule: "content/qr-unread"},
		picture.Broken:      {Kind: scan.Note, Rule: "content/qr-unsupported"},
		picture.Unsupported: {Kind: scan.Note, Rule: "content/qr-unsupported"},
	} {
		conf := DefaultConfig()
		inventory := texts.New(conf.Limits, conf.Extent())
		inventory.ReadCodes(func(context.Context, *picture.Set, time.Duration) ([]picture.Found, error) {
			return []picture.Found{{Item: 0, What: what, Text: "why"}}, nil
		})
		s, err := New(conf, With{Texts: inventory})
		if err != nil {
			t.Fatal(err)
		}
		shown := part("image/png", "", "x")
		shown.Sniffed = "image/png"
		found, err := s.Scan(t.Context(), &scan.Message{Parts: []scan.Part{shown}})
		if err != nil || len(found) != 1 || found[0].Kind != want.Kind || found[0].Rule != want.Rule || !strings.HasSuffix(found[0].Detail, "why") {
			t.Errorf("%s: %v, error %v", what, found, err)
		}
	}
}
