package initial

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/survey"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan/units"
)

// plenty is a host with all there is.
func plenty() *survey.Host {
	return &survey.Host{
		MTAs: []survey.MTA{{Name: "postfix", Version: "3.7.11", Dir: "/etc/postfix", Domains: []string{"a.example", "B.example", "a.example"},
			Networks: []string{"127.0.0.0/8"}, Size: 70_000_000, Asks: []string{"unix:opendkim/s"}, Socket: "unix:/q/milterscan/milter.sock", Group: "postfix"}},
		Clamd:     &survey.Clamd{File: "/etc/clamav/clamd.conf", Address: "unix:/run/clamav/clamd.ctl", Least: 10 * units.MB, Admits: true},
		Resolvers: []survey.Resolver{{Server: "127.0.0.1:53", Hears: survey.Heard}, {Server: "192.0.2.1:53", Hears: survey.Silent}},
		Scorers:   []survey.Scorer{{Name: "SpamAssassin", Section: "spam.spamassassin", Address: "tcp:127.0.0.1:783"}},
		Room:      survey.Room{Memory: units.GB, State: units.GB, Spool: units.GB},
	}
}

// settings are the lines of a configuration that set something.
func settings(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.Contains(line, " = ") && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// loaded is a draft as the daemon would read it.
func loaded(t *testing.T, d Draft) *config.Config {
	t.Helper()
	dir := t.TempDir()
	text := d.Text
	if d.Beside != "" {
		text = strings.ReplaceAll(text, filepath.Dir(d.Beside), dir)
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(d.Beside)), []byte(d.Domains), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "milterscan.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return c
}

// TestComposeAll sets everything that a host can ask for, in at most twenty lines, and no default.
func TestComposeAll(t *testing.T) {
	h := plenty()
	d := Compose(h, h.MTAs, Answers{List: "bl.example"}, "/etc/milterscan/milterscan.toml")
	set := settings(d.Text)
	if len(set) > 20 {
		t.Errorf("%d lines:\n%s", len(set), d.Text)
	}
	for _, want := range []string{
		`listen = ["unix:/q/milterscan/milter.sock"]`, `domains = ["a.example", "b.example"]`, `networks = ["127.0.0.0/8"]`, `message = "67MB"`,
		`address = "unix:/run/clamav/clamd.ctl"`, `max_stream = "10MB"`, `servers = ["127.0.0.1:53"]`, `zone = "bl.example"`,
		`address = ["tcp:127.0.0.1:783"]`, `disk = "512MB"`, `size = "512MB"`, `when = ["score >= 5"]`,
	} {
		if !strings.Contains(strings.Join(set, "\n"), want) {
			t.Errorf("there is no %s in\n%s", want, d.Text)
		}
	}
	for line := range strings.Lines(d.Text) {
		if len(line) > 120 {
			t.Errorf("long: %s", line)
		}
	}
	if c := loaded(t, d); len(c.Virus) != 1 || len(c.Spam.Lists) != 1 || len(c.Rules) != 1 {
		t.Errorf("%+v", c)
	}
	if len(d.Sockets) != 1 || d.Sockets[0] != (Socket{"/q/milterscan", "postfix"}) {
		t.Errorf("%+v", d.Sockets)
	}
}

// TestCompose leaves out what a host does not have, and says so.
func TestCompose(t *testing.T) {
	many := func(h *survey.Host) {
		h.MTAs[0].Domains = nil
		for i := range 10_000 {
			h.MTAs[0].Domains = append(h.MTAs[0].Domains, fmt.Sprintf("d%d.example", i))
		}
	}
	for name, c := range map[string]struct {
		change       func(*survey.Host)
		answers      Answers
		wants, lacks []string // of the settings
		notes        []string
	}{
		"bare": {func(h *survey.Host) { *h = survey.Host{} }, Answers{}, nil, []string{" = "}, []string{"no clamd was found", "no resolver can be used"}},
		"domains in a database": {func(h *survey.Host) { h.MTAs[0].MoreDomains = []string{"relay_domains: mysql:/m"} }, Answers{}, []string{"networks = "}, []string{"domains = "},
			[]string{"relay_domains: mysql:/m"}},
		"domains that were told": {func(h *survey.Host) { h.MTAs[0].MoreDomains = []string{"relay_domains: mysql:/m"} }, Answers{Domains: []string{"c.example"}},
			[]string{`domains = ["c.example", "a.example", "b.example"]`}, nil, nil},
		"clients of a table": {func(h *survey.Host) { h.MTAs[0].MoreClients = []string{"mynetworks: cidr:/c"} }, Answers{Domains: []string{"c.example"}}, nil, []string{"domains = "},
			[]string{"mynetworks: cidr:/c"}},
		"many domains":     {many, Answers{}, []string{`domains = ["file:/etc/milterscan/local-domains"]`}, nil, nil},
		"a bad domain":     {func(h *survey.Host) { h.MTAs[0].Domains = append(h.MTAs[0].Domains, "x y") }, Answers{}, []string{"domains = "}, nil, []string{"x y"}},
		"any size":         {func(h *survey.Host) { h.MTAs[0].Size = 0 }, Answers{}, nil, []string{"message = "}, []string{"messages of any size"}},
		"a small size":     {func(h *survey.Host) { h.MTAs[0].Size = 1000 }, Answers{}, nil, []string{"message = "}, nil},
		"clamd away":       {func(h *survey.Host) { h.Clamd.Err = errors.New("gone") }, Answers{}, []string{"address = \"unix:/run/clamav"}, nil, []string{"deferred until it does: gone"}},
		"clamd usual":      {func(h *survey.Host) { h.Clamd.Least = 25 * units.MB }, Answers{}, nil, []string{"max_stream"}, nil},
		"clamd at TCP":     {func(h *survey.Host) { h.Clamd.Address = "tcp:[::1]:3310" }, Answers{}, []string{`address = "tcp:[::1]:3310"`}, nil, nil},
		"clamd is silent":  {func(h *survey.Host) { h.Clamd.Admits = false }, Answers{}, nil, nil, []string{"calls clean what is beyond its limits"}},
		"clamd nowhere":    {func(h *survey.Host) { h.Clamd.Address, h.Clamd.Err = "", errors.New("no socket") }, Answers{}, nil, []string{"clamd"}, []string{"cannot be asked: no socket"}},
		"a public one":     {func(h *survey.Host) { h.Resolvers[0].Hears = survey.Refused }, Answers{List: "bl.example"}, []string{"servers = "}, []string{"bl.example"}, []string{"no answers from the DNS list"}},
		"denies all names": {func(h *survey.Host) { h.Resolvers[0].Hears = survey.Lost }, Answers{}, nil, []string{"servers = "}, []string{"denies names that are there"}},
		"a scorer that the MTA asks": {func(h *survey.Host) { h.MTAs[0].Asks = []string{"unix:/run/spamass.sock"} }, Answers{}, nil, []string{"783", "score >= 5"},
			[]string{"asked by the MTA itself (unix:/run/spamass.sock)"}},
		"amavis":           {func(h *survey.Host) { h.MTAs[0].Hands = "smtp-amavis:[127.0.0.1]:10024" }, Answers{}, nil, nil, []string{"content_filter = smtp-amavis"}},
		"a place was told": {func(*survey.Host) {}, Answers{Listen: "tcp:127.0.0.1:7357"}, []string{`listen = ["tcp:127.0.0.1:7357"]`}, []string{"/q/"}, nil},
		"enough room":      {func(h *survey.Host) { h.Room = survey.Room{} }, Answers{}, nil, []string{"disk = ", "size = "}, nil},
		"little memory":    {func(h *survey.Host) { h.Room.Memory = 100 * units.MB }, Answers{}, nil, nil, []string{"only 100MB of memory"}},
		"two instances": {func(h *survey.Host) {
			second := h.MTAs[0]
			second.Socket = "unix:/r/milterscan/milter.sock"
			h.MTAs = append(h.MTAs, second)
		}, Answers{}, []string{`listen = ["unix:/q/milterscan/milter.sock", "unix:/r/milterscan/milter.sock"]`}, nil, nil},
	} {
		h := plenty()
		c.change(h)
		d := Compose(h, h.MTAs, c.answers, "/etc/milterscan/milterscan.toml")
		set, notes := strings.Join(settings(d.Text), "\n"), fmt.Sprint(d.Notes)
		for _, want := range c.wants {
			if !strings.Contains(set, want) {
				t.Errorf("%s: there is no %q in\n%s", name, want, set)
			}
		}
		for _, lack := range c.lacks {
			if strings.Contains(set, lack) {
				t.Errorf("%s: there is %q in\n%s", name, lack, set)
			}
		}
		for _, note := range c.notes {
			if !strings.Contains(notes, note) {
				t.Errorf("%s: there is no note %q in %s", name, note, notes)
			}
		}
		loaded(t, d)
	}
}

// TestTranscript composes what the page of the first ten minutes shows, line by line.
func TestTranscript(t *testing.T) {
	page, err := os.ReadFile("../../../docs/quickstart.md")
	if err != nil {
		t.Fatal(err)
	}
	h := &survey.Host{
		MTAs: []survey.MTA{{Name: "postfix", Version: "3.7.11", Dir: "/etc/postfix", Domains: []string{"mx.test.local", "localhost", "virtual.test"},
			Networks: []string{"127.0.0.0/8", "::1/128"}, Size: 70_000_000, Socket: "unix:/var/spool/postfix/milterscan/milter.sock", Group: "postfix"}},
		Clamd: &survey.Clamd{File: "/etc/clamav/clamd.conf", Address: "unix:/run/clamav/clamd.ctl", Least: 25 * units.MB, Admits: true,
			Version: "ClamAV 1.4.6"},
		Resolvers: []survey.Resolver{{Server: "127.0.0.1:53"}},
		Room:      survey.Room{Memory: 21 * units.GB, State: 11 * units.GB, Spool: 11 * units.GB},
	}
	d := Compose(h, h.MTAs, Answers{}, "/etc/milterscan/milterscan.toml")
	if !strings.Contains(string(page), "\n"+d.Text+"\n") {
		t.Errorf("the page does not show\n%s", d.Text)
	}
	var said strings.Builder
	c := Command{Out: &said, File: "/etc/milterscan/milterscan.toml", Service: &Service{Unit: unit}}
	c.showSeen(seen(h, "bl.example"))
	c.showEnd(Result{Written: true, Notes: d.Notes, Next: c.next(h.MTAs, &d)})
	for line := range strings.Lines(said.String()) {
		if !strings.Contains(string(page), line) {
			t.Errorf("the page does not show %q", line)
		}
	}
}
