package listed

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/listing"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/scantest"
)

func listOf(t *testing.T, name string, k listing.Kind, text string) List {
	t.Helper()
	table, _, err := listing.Read(strings.NewReader(text), listing.Syntax{Kind: k, Format: listing.Plain})
	if err != nil {
		t.Fatal(err)
	}
	return List{Name: name, Kind: k, Score: 3, Table: func() *listing.Table { return table }}
}

func scanner(t *testing.T) *Scanner {
	l := texts.DefaultLimits()
	return New([]List{
		listOf(t, "hosts", listing.Hosts, "evil.example.com\n192.0.2.7\n"),
		listOf(t, "pages", listing.URLs, "http://shared.example.net/users/eve\n"),
		listOf(t, "files", listing.Hashes, hashes()),
		{Name: "never", Kind: listing.Hosts, Table: func() *listing.Table { return nil }},
	}, texts.New(l, texts.Everything), []string{"click.example.org/?u"})
}

func TestContract(t *testing.T) { scantest.Run(t, scanner(t), Catalogue()...) }

// hashes lists those of "bad", "worse" and "worst", each by another function.
func hashes() string {
	return fmt.Sprintf("%x\n%x\n%x\n", md5.Sum([]byte("bad")), sha1.Sum([]byte("worse")), sha256.Sum256([]byte("worst")))
}

// mail is a message with parts, each a type, a colon and a content.
func mail(parts ...string) []byte {
	text := "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	for _, p := range parts {
		kind, content, _ := strings.Cut(p, ":")
		text += "--b\r\nContent-Type: " + kind + "\r\n\r\n" + content + "\r\n"
	}
	return []byte(text + "--b--\r\n")
}

func TestScan(t *testing.T) {
	s := scanner(t)
	for name, test := range map[string]struct {
		parts []string
		want  string
	}{
		"nothing":          {[]string{"text/plain:see http://www.example.com/"}, ""},
		"a host":           {[]string{"text/plain:see http://www.EVIL.example.com/x and evil.example.com"}, "feed/link/hosts:3"},
		"a host elsewhere": {[]string{`text/html:<a href="http://good.example/?u=evil.example.com">x</a>`}, ""},
		"by a redirector": {[]string{`text/html:<a href="http://click.example.org/?u=http%3A%2F%2Fevil.example.com%2F">x</a>`},
			"feed/link/hosts:3"},
		"an image": {[]string{`text/html:<img src="//192.0.2.7/a.png">`}, "feed/link/hosts:3"},
		"a page": {[]string{`text/html:<a href="https://shared.example.net/users/eve?id=1#x">x</a><a href="https://shared.example.net/users/bob">y</a>`},
			"feed/link/pages:3"},
		"no scheme": {[]string{"text/plain:see www.evil.example.com"}, "feed/link/hosts:3"},
		"two parts": {[]string{"text/plain:http://evil.example.com", "text/html:http://evil.example.com"},
			"feed/link/hosts:3 feed/link/hosts:0"},
		"files": {[]string{"text/plain:bad", "text/plain:good", "application/x:worse", "application/x:worst", "text/plain:"},
			"feed/file/files:3 feed/file/files:3 feed/file/files:3"},
	} {
		found, err := s.Scan(t.Context(), scantest.Open(t, mail(test.parts...)))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 || found[0].Rule != "feed/failed/never" || found[0].Kind != scan.Failed {
			t.Fatalf("%s: what is not known is not said: %+v", name, found)
		}
		var got []string
		for _, f := range found[1:] {
			got = append(got, fmt.Sprintf("%s:%v", f.Rule, f.Score))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
