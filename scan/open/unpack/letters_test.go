package unpack

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/spool"
	"github.com/milterscan/milterscan/scan/units"
)

// post opens mail as it comes from somebody to somebody.
type post struct {
	*Opener
	t *testing.T
}

func newPost(t *testing.T, hold time.Duration) *post {
	l := testLimits
	l.Archive.TryWords, l.Archive.WordsFor = true, units.Duration(hold)
	o := NewOpener(l, archive.Formats(), spool.New(t.TempDir(), 8<<20, 64<<20))
	o.Letters = NewLetters()
	return &post{o, t}
}

// notes opens a mail, and returns what was noted about its archives.
func (o *post) notes(from, to, mail string) string {
	o.t.Helper()
	p := o.NewParser()
	io.WriteString(p, mail)
	raw := struct {
		*strings.Reader
		io.Closer
	}{strings.NewReader(mail), io.NopCloser(nil)}
	e := scan.Envelope{Sender: from, Recipients: strings.Fields(to)}
	m := o.Open(o.t.Context(), scan.Received{Envelope: e, Raw: raw, Tree: p.Close(), Size: int64(len(mail))})
	defer m.Close()
	var list []string
	for _, n := range m.Notes {
		if strings.Contains(n.Detail, "secret") {
			o.t.Errorf("%q tells the password", n.Detail)
		}
		list = append(list, n.Rule)
	}
	return strings.Join(list, " ")
}

// locked is a mail with an archive whose password is "secret".
func locked(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile("../../format/archive/testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return "Subject: the file\r\nContent-Type: application/octet-stream; name=\"" + file + "\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString(data) + "\r\n"
}

// TestEarlierWords tries words of the mail before, of the same pair and no other, and for so long.
func TestEarlierWords(t *testing.T) {
	o := newPost(t, time.Hour)
	now := time.Now()
	o.Letters.now = func() time.Time { return now }
	told := plainMail("for the file", "The password is secret")
	const earlier = "archive/opened-by-earlier-word"
	for _, file := range []string{"aes256.zip", "encrypted.7z", "zipcrypto.zip"} {
		mail := locked(t, file)
		if got := o.notes("ann@shop.test", "bob@example.com", mail); strings.Contains(got, "opened") || !strings.Contains(got, "encrypted") {
			t.Fatalf("%s before: %s", file, got)
		}
		o.notes("Ann@shop.test", "eve@example.com BOB@example.com", told)
		for range 2 { // a mail that was edited is opened once more
			if got := o.notes("ann@shop.test", "bob@example.com", mail); !strings.Contains(got, earlier) || strings.Contains(got, "encrypted") {
				t.Errorf("%s: %s", file, got)
			}
		}
		for _, pair := range [][2]string{{"ann@shop.test", "carl@example.com"}, {"dan@shop.test", "bob@example.com"}, {"bob@example.com", "ann@shop.test"}, {"", "bob@example.com"}} {
			if got := o.notes(pair[0], pair[1], mail); strings.Contains(got, "opened") {
				t.Errorf("%s, %v: %s", file, pair, got)
			}
		}
		own := strings.Replace(mail, "the file", "the file, password: secret", 1)
		if got := o.notes("ann@shop.test", "bob@example.com", own); !strings.Contains(got, "archive/opened-by-word") {
			t.Errorf("%s with a word of its own: %s", file, got)
		}
		o.notes("ann@shop.test", "eve@example.com", plainMail("x", "Password: another1"))
		now = now.Add(59 * time.Minute)
		if got := o.notes("ann@shop.test", "eve@example.com", mail); !strings.Contains(got, earlier) {
			t.Errorf("%s after 59 minutes: %s", file, got)
		}
		now = now.Add(2 * time.Minute)
		if got := o.notes("ann@shop.test", "eve@example.com", mail); strings.Contains(got, "opened") {
			t.Errorf("%s after an hour: %s", file, got)
		}
		now = now.Add(2 * time.Hour)
		if o.Letters.Forget(); len(o.Letters.pairs) > 0 || o.Letters.order.Len() > 0 || o.Letters.bytes != 0 {
			t.Errorf("%d pairs and %d bytes are left", len(o.Letters.pairs), o.Letters.bytes)
		}
	}
}

// TestEarlierWordsOff remembers nothing where it is switched off.
func TestEarlierWordsOff(t *testing.T) {
	o := newPost(t, 0)
	o.notes("ann@shop.test", "bob@example.com", plainMail("x", "The password is secret"))
	if got := o.notes("ann@shop.test", "bob@example.com", locked(t, "aes256.zip")); strings.Contains(got, "opened") || len(o.Letters.pairs) > 0 {
		t.Errorf("%s, %d pairs", got, len(o.Letters.pairs))
	}
}

// TestLettersAreBounded has a million pairs written, with as many words as there may be: the memory stays as small as it is
// to be, the last are remembered, and mail to many leaves nothing.
func TestLettersAreBounded(t *testing.T) {
	l := NewLetters()
	var words []string
	for i := range mostSecrets {
		words = append(words, fmt.Sprintf("%0*d", longestWord, i))
	}
	until := time.Now().Add(time.Hour)
	pair := func(i int) scan.Envelope {
		return scan.Envelope{Sender: "a@shop.test", Recipients: []string{fmt.Sprintf("%d@example.com", i)}}
	}
	const all = 1_000_000
	for i := range all {
		w := words[:1]
		if i%100 == 0 {
			w = words
		}
		l.add(l.keys(pair(i))[0], w, until)
		if len(l.pairs) > mostPairs || l.bytes > mostWordBytes || l.order.Len() != len(l.pairs) {
			t.Fatalf("after %d: %d pairs, %d in order, %d bytes", i, len(l.pairs), l.order.Len(), l.bytes)
		}
	}
	if got := l.recall(pair(all-1), time.Hour)(); !slices.Equal(got, words[:1]) {
		t.Errorf("of the last: %q", got)
	}
	if got := l.recall(pair(0), time.Hour)(); len(got) > 0 {
		t.Errorf("of the first: %q", got)
	}
	for i := range all { // one pair, again and again
		l.add(l.keys(pair(0))[0], []string{fmt.Sprint("word", i)}, until)
	}
	if got := l.recall(pair(0), time.Hour)(); len(got) != mostSecrets || got[0] != fmt.Sprint("word", all-1) {
		t.Errorf("%d words: %q", len(got), got)
	}
	crowd := scan.Envelope{Sender: "a@shop.test"}
	for i := range mostAddressees + 1 {
		crowd.Recipients = append(crowd.Recipients, pair(i).Recipients...)
	}
	p := entity.NewParser(entity.DefaultLimits())
	mail := plainMail("x", "The password is secret")
	io.WriteString(p, mail)
	before := len(l.pairs)
	l.note(crowd, strings.NewReader(mail), p.Close().Root, time.Hour)
	if len(l.pairs) != before || len(l.recall(crowd, time.Hour)()) > 0 {
		t.Errorf("%d pairs before, %d after a mail to many", before, len(l.pairs))
	}
}
