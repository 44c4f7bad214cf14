package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/mtalog"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/timeline"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/digest"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/tests/fakes"
)

// digestsOf returns what sends digests by a configuration that keeps everything in a directory of the test.
func digestsOf(t testing.TB, mta string) (*Digests, *config.Config) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "milterscan.toml")
	text := fmt.Sprintf(`
[local]
domains = ["example.com"]
[quarantine]
dir = %q
[history]
file = ""
[people]
file = %q
[people.digest]
enabled = true
zone = "UTC"
[console]
listen = ["tcp:127.0.0.1:8025"]
url = "https://mx.example.com"
[submission]
via = "smtp:%s"
`, filepath.Join(dir, "quarantine"), filepath.Join(dir, "people.db"), mta)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	d := NewDigests(directory.New(directory.Options{}), func(err error) { t.Log(err) })
	t.Cleanup(d.Close)
	return d, c
}

// kept keeps a message that came at a time.
func keptAt(t testing.TB, dir quarantine.Store, n int, at time.Time, to ...string) {
	t.Helper()
	r := policy.Record{Version: policy.RecordVersion, ID: fmt.Sprintf("06h08cfwgr%06d", n), Time: at, Sender: "eve@example.net", From: "Eve <eve@example.net>", Subject: "you have won",
		Verdicts: []policy.RecordVerdict{{Recipients: to, Action: "quarantine", Because: -1}}}
	if err := dir.Keep(t.Context(), policy.Copy{Record: r, Raw: strings.NewReader("Subject: x\r\n\r\nbody\r\n")}); err != nil {
		t.Fatal(err)
	}
}

// What is kept in a quarantine is in the digests that an MTA gets, as people have settled it.
func TestDigests(t *testing.T) {
	s := &fakes.SMTP{}
	d, c := digestsOf(t, s.Start(t))
	now := time.Now()
	if o, err := d.Round(t.Context(), c, now.Add(-48*time.Hour)); err != nil || o != (digest.Outcome{}) {
		t.Fatalf("%+v, %v", o, err)
	}
	keptAt(t, d.stores.Quarantine(c), 1, now, "Bob@example.com", "off@example.com", "eve@elsewhere.example")
	if err := d.Book(c).SetSettings(t.Context(), "off@example.com", func(s *people.Settings) { s.Digest = "off" }); err != nil {
		t.Fatal(err)
	}
	if err := d.Book(c).SetSettings(t.Context(), "bob@example.com", func(s *people.Settings) { s.Language, s.Digest = "de", "hourly" }); err != nil {
		t.Fatal(err)
	}
	o, err := d.Round(t.Context(), c, now.Add(2*time.Hour))
	if err != nil || o.Sent != 1 || len(s.Got()) != 1 {
		t.Fatalf("%+v, %v, %d mails", o, err, len(s.Got()))
	}
	got := s.Got()[0]
	if !strings.HasPrefix(got.From, "<>") || got.To[0] != "<bob@example.com>" || !strings.Contains(got.Data, "X-Milterscan-Pass: ") || !strings.Contains(got.Data, "Absender sperren: https://mx.example.com/link/") ||
		!strings.Contains(got.Data, "Zustellen: https://mx.example.com/link/") {
		t.Errorf("%+v", got)
	}
	if o, err := d.Round(t.Context(), c, now.Add(2*time.Hour+time.Minute)); err != nil || o != (digest.Outcome{}) {
		t.Errorf("once more: %+v, %v", o, err)
	}
	if n, err := d.Settle(t.Context(), c, now); n != 0 || err != nil {
		t.Errorf("without a log: %d, %v", n, err)
	}
	off := *c
	off.People.Digest.Enabled = false
	keptAt(t, d.stores.Quarantine(c), 2, now, "bob@example.com")
	if o, err := d.Round(t.Context(), &off, now.Add(26*time.Hour)); err != nil || o != (digest.Outcome{}) {
		t.Errorf("switched off: %+v, %v", o, err)
	}
}

func TestFate(t *testing.T) {
	story := func(kinds ...mtalog.Kind) (s timeline.Story) {
		for _, k := range kinds {
			s.Outcomes = append(s.Outcomes, timeline.Outcome{Kind: k, Recipient: "b@example.com", Text: "mailbox full"})
		}
		return s
	}
	for name, c := range map[string]struct {
		stories []timeline.Story
		want    digest.Fate
	}{
		"nothing":               {nil, digest.Open},
		"sent":                  {[]timeline.Story{story(mtalog.Sent)}, digest.Arrived},
		"deferred":              {[]timeline.Story{story(mtalog.Deferred)}, digest.Open},
		"handed on, then given": {[]timeline.Story{story(mtalog.Sent), story(mtalog.Bounced)}, digest.Bounced},
		"handed on, still open": {[]timeline.Story{story(mtalog.Sent), story(mtalog.Deferred)}, digest.Open},
		"one of several":        {[]timeline.Story{story(mtalog.Deferred, mtalog.Bounced)}, digest.Bounced},
		"expired":               {[]timeline.Story{story(mtalog.Expired)}, digest.Bounced},
	} {
		if got, _ := fateOf(c.stories); got != c.want {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func TestLets(t *testing.T) {
	for _, c := range []struct {
		class string
		grave []string
		want  bool
	}{{"suspicious", nil, true}, {"forbidden", nil, false}, {"suspicious", []string{"forbidden"}, false}, {"suspicious", []string{"infected"}, false}, {"infected", nil, false}, {"policy", []string{"suspicious"}, true}} {
		if Lets([]string{"suspicious", "policy", "infected"}, c.class, c.grave) != c.want {
			t.Errorf("%+v", c)
		}
	}
}
