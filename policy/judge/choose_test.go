package judge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/spool"
)

// finder finds a virus in every part with a word, and whatever else it is told to
// from the second message on.
type finder struct {
	word  string
	later func() ([]scan.Finding, error)
	calls int
}

func (*finder) Name() string { return "virus/test" }

func (f *finder) Scan(_ context.Context, m *scan.Message) (found []scan.Finding, err error) {
	for i, p := range m.Parts {
		if p.Content == nil {
			continue
		}
		if all, err := io.ReadAll(scan.Reader(p.Content)); err == nil && bytes.Contains(all, []byte(f.word)) {
			found = append(found, scan.Finding{Kind: scan.Infected, Scanner: "virus", Rule: "virus/Test", Part: i})
		}
	}
	if f.calls++; f.calls > 1 && f.later != nil {
		more, err := f.later()
		return append(found, more...), err
	}
	return found, nil
}

// noPages objects to nothing.
type noPages struct{}

func (noPages) Objections(*markup.Page) []markup.Objection { return nil }

// cleaning is a judge with one rule, which edits what is infected, and what
// profiles do with what failed.
func cleaning(t *testing.T, f *finder, o policy.Outcome) *Judge {
	t.Helper()
	rules, err := policy.New([]policy.Rule{
		{Ref: policy.RuleRef{Name: "retry"}, Grounds: policy.Grounds{When: []policy.Condition{policy.OfKind(scan.Failed)}}, Outcome: policy.Outcome{Answer: policy.Tempfail}},
		{Ref: policy.RuleRef{Name: "edit"}, Grounds: policy.Grounds{When: []policy.Condition{policy.OfKind(scan.Infected)}}, Outcome: o},
		{Ref: policy.RuleRef{Name: "odd"}, Grounds: policy.Grounds{When: []policy.Condition{policy.OfKind(scan.Suspicious)}}, Outcome: policy.Outcome{Answer: policy.Reject}},
	}, policy.Local{})
	if err != nil {
		t.Fatal(err)
	}
	room := spool.New(t.TempDir(), 1<<20, 1<<20)
	opener := unpack.NewOpener(unpack.Limits{Entity: entity.DefaultLimits(), Parts: 100, Nesting: 5}, archive.Formats(), room)
	editor, err := edit.New(edit.Options{
		Config: edit.DefaultConfig(), NewParser: opener.NewParser, NewBuffer: func() edit.Buffer { return room.Buffer() }, Pages: noPages{}, Formats: archive.Formats(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Opener: opener, Engine: scan.NewEngine(f), Policy: rules, Keeper: &keeper{}, Time: time.Minute, Editor: editor})
}

const infectedMail = "From: a@example.net\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" +
	"--x\r\n\r\nhello\r\n--x\r\nContent-Type: application/octet-stream; name=a.bin\r\n\r\nVIRUS\r\n--x--\r\n"

func TestEditedMailGoesOn(t *testing.T) {
	f := &finder{word: "VIRUS"}
	j := cleaning(t, f, policy.Outcome{Edit: policy.Replace})
	r, release := j.Message(t.Context(), received(j, infectedMail))
	defer release()
	if r.Answer != policy.Deliver || r.Changes.Body == nil || f.calls != 2 {
		t.Fatalf("ruling %+v after %d scans", r, f.calls)
	}
	body, _ := io.ReadAll(scan.Reader(r.Changes.Body))
	if strings.Contains(string(body), "VIRUS") || !strings.Contains(string(body), "hello") || !strings.Contains(string(body), r.ID) {
		t.Errorf("body %q", body)
	}
}

func TestEditsThatDoNotHelp(t *testing.T) {
	odd := scan.Finding{Kind: scan.Suspicious, Scanner: "virus", Rule: "virus/odd", Part: scan.WholeMessage}
	signed := strings.Replace(infectedMail, "mixed", "signed", 1)
	kept := policy.Outcome{Answer: policy.Discard, Keep: true}
	for name, row := range map[string]struct {
		mail, word string
		outcome    policy.Outcome
		later      func() ([]scan.Finding, error)
		want       string
	}{
		"the edit cannot be made": {infectedMail, "hello", policy.Outcome{Edit: policy.Rename, Else: &kept}, nil, "quarantine"},
		"something else is found": {infectedMail, "VIRUS", policy.Outcome{Edit: policy.Replace, Else: &kept}, func() ([]scan.Finding, error) { return []scan.Finding{odd}, nil }, "quarantine"},
		"nothing else is said":    {infectedMail, "VIRUS", policy.Outcome{Edit: policy.Replace}, func() ([]scan.Finding, error) { return []scan.Finding{odd}, nil }, "reject"},
		"the engine fails":        {infectedMail, "VIRUS", policy.Outcome{Edit: policy.Replace, Else: &kept}, func() ([]scan.Finding, error) { return nil, errors.New("gone") }, "tempfail"},
		"the engine panics":       {infectedMail, "VIRUS", policy.Outcome{Edit: policy.Replace, Else: &kept}, func() ([]scan.Finding, error) { panic("gone") }, "tempfail"},
		"the mail is signed":      {signed, "VIRUS", policy.Outcome{Edit: policy.Replace, Else: &kept}, nil, "quarantine"},
	} {
		j := cleaning(t, &finder{word: row.word, later: row.later}, row.outcome)
		r := j.Examine(t.Context(), received(j, row.mail))
		if got := r.Decision.Action(); got != row.want || ruling(r).Changes.Body != nil {
			t.Errorf("%s: %s, want %s; found %+v", name, got, row.want, r.Found)
		}
		r.Close()
	}
}

// noBuffer takes nothing.
type noBuffer struct{ edit.Buffer }

func (noBuffer) Write([]byte) (int, error) { return 0, spool.ErrFull }
func (noBuffer) Close() error              { return nil }

// TestNoRoomForAnEdit is a temporary failure: another time there may be some.
func TestNoRoomForAnEdit(t *testing.T) {
	j := cleaning(t, &finder{word: "VIRUS"}, policy.Outcome{Edit: policy.Replace})
	j.Editor.NewBuffer = func() edit.Buffer { return noBuffer{} }
	j.Editor.Notice = []string{"Grüße"} // which has to be encoded
	r := j.Examine(t.Context(), received(j, infectedMail))
	defer r.Close()
	if r.Decision.Answer != policy.Tempfail || r.Complete() {
		t.Errorf("%+v for %+v", r.Decision, r.Found)
	}
}

// TestWhyNotEdited is told in the findings.
func TestWhyNotEdited(t *testing.T) {
	j := cleaning(t, &finder{word: "hello"}, policy.Outcome{Edit: policy.Rename, Else: &policy.Outcome{}})
	r := j.Examine(t.Context(), received(j, infectedMail))
	defer r.Close()
	last := r.Found[len(r.Found)-1]
	if last.Rule != "mime/not-edited" || last.Part != 0 || !strings.Contains(last.Detail, "has no name") {
		t.Errorf("the last finding is %+v", last)
	}
}

// TestTimeIsKeptForTheSecondLook leaves some of the time for the edited mail.
func TestTimeIsKeptForTheSecondLook(t *testing.T) {
	j := cleaning(t, &finder{}, policy.Outcome{Edit: policy.Replace})
	if left := j.Time - j.firstLook(); left < time.Second {
		t.Errorf("only %v is left", left)
	}
	if j.Editor = nil; j.firstLook() != j.examining() || j.examining() >= j.Time {
		t.Error("time is kept though nothing edits")
	}
}

// TestBanner puts one into mail that nobody objects to, without a second look, and
// into none that is signed.
func TestBanner(t *testing.T) {
	f := &finder{word: "VIRUS"}
	j := cleaning(t, f, policy.Outcome{})
	c := edit.DefaultConfig()
	c.Banners = []edit.Banner{{Name: "legal", Position: edit.Bottom, Text: []string{"Example Ltd"}}}
	j.Editor.Config = c
	rules, err := policy.New([]policy.Rule{{Ref: policy.RuleRef{Name: "legal"}, Mode: policy.Adds, Outcome: policy.Outcome{Banner: "legal"}}}, policy.Local{})
	if err != nil {
		t.Fatal(err)
	}
	j.Policy = rules
	plain := strings.Replace(infectedMail, "VIRUS", "hello", 1)
	r, release := j.Message(t.Context(), received(j, plain))
	defer release()
	if r.Changes.Body == nil || f.calls != 1 {
		t.Fatalf("ruling %+v after %d scans", r, f.calls)
	}
	if body, _ := io.ReadAll(scan.Reader(r.Changes.Body)); strings.Count(string(body), "hello\r\n\r\nExample Ltd\r\n") != 1 {
		t.Errorf("body %q", body)
	}
	r, release = j.Message(t.Context(), received(j, strings.Replace(plain, "mixed", "signed", 1)))
	defer release()
	if r.Answer != policy.Deliver || r.Changes.Body != nil {
		t.Errorf("signed: ruling %+v", r)
	}
}

// TestBannerThatCannotBe says why, and keeps no edit from being made.
func TestBannerThatCannotBe(t *testing.T) {
	for name, row := range map[string]struct {
		mail   string
		edited bool
	}{
		"alone":          {"From: a@example.net\r\nContent-Type: text/plain; charset=x-unheard-of\r\n\r\nhello\r\n", false},
		"beside an edit": {strings.Replace(infectedMail, "--x\r\n\r\n", "--x\r\nContent-Type: text/plain; charset=x-unheard-of\r\n\r\n", 1), true},
	} {
		j := cleaning(t, &finder{word: "VIRUS"}, policy.Outcome{Edit: policy.Replace})
		c := edit.DefaultConfig()
		c.Banners = []edit.Banner{{Name: "legal", Position: edit.Bottom, Text: []string{"Müller Ltd"}}}
		j.Editor.Config = c
		rules, err := policy.New([]policy.Rule{
			{Ref: policy.RuleRef{Name: "legal"}, Mode: policy.Adds, Outcome: policy.Outcome{Banner: "legal"}},
			{Ref: policy.RuleRef{Name: "edit"}, Grounds: policy.Grounds{When: []policy.Condition{policy.OfKind(scan.Infected)}}, Outcome: policy.Outcome{Edit: policy.Replace}},
		}, policy.Local{})
		if err != nil {
			t.Fatal(err)
		}
		j.Policy = rules
		r := j.Examine(t.Context(), received(j, row.mail))
		last := r.Found[len(r.Found)-1]
		if want := `banner "legal": the banner cannot be written in charset "x-unheard-of"`; last.Rule != "mime/not-edited" || last.Detail != want {
			t.Errorf("%s: the last finding is %+v, want %q", name, last, want)
		}
		if r.Edited() != row.edited || r.Decision.Answer != policy.Deliver {
			t.Errorf("%s: edited %v, answer %v", name, r.Edited(), r.Decision.Answer)
		}
		r.Close()
	}
}

// TestWhyNothingIsEdited says of every part that must not be edited why a rule's edit was
// not made, and of the message why it has no banner.
func TestWhyNothingIsEdited(t *testing.T) {
	signed := strings.Replace(infectedMail, "mixed", "signed", 1)
	invitation := strings.Replace(infectedMail, "--x--", "--x\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n--x--", 1)
	twice := strings.Replace(infectedMail, "Content-Type: multipart/mixed; boundary=x\r\n", "Content-Type: multipart/mixed; boundary=x\r\nContent-Type: text/plain\r\n", 1)
	armored := strings.Replace(infectedMail, "VIRUS", "-----BEGIN PGP MESSAGE-----\r\nVIRUS", 1)
	armored = strings.Replace(armored, "application/octet-stream; name=a.bin", "text/plain", 1)
	asks := on(scan.Infected, policy.Outcome{Edit: policy.Replace, Else: &policy.Outcome{}})
	banner := policy.Rule{Ref: policy.RuleRef{Name: "legal"}, Mode: policy.Adds, Outcome: policy.Outcome{Banner: "legal"}}
	for name, row := range map[string]struct {
		mail  string
		rules []policy.Rule
		want  []string // details, all of them
	}{
		"signed":                 {signed, []policy.Rule{asks}, []string{"replace: the part is signed or encrypted"}},
		"encrypted in a text":    {armored, []policy.Rule{asks}, []string{"replace: the part is signed or encrypted"}},
		"invitation":             {invitation, []policy.Rule{asks}, []string{"replace: the message is an invitation, which clients take as a whole"}},
		"two readings":           {twice, []policy.Rule{asks}, []string{"replace: the message can be read in more than one way, or was not read to its end"}},
		"a banner, invitation":   {strings.Replace(invitation, "VIRUS", "hello", 1), []policy.Rule{banner}, []string{"banner legal: the message is an invitation, which clients take as a whole"}},
		"editable":               {infectedMail, []policy.Rule{asks}, nil},
		"no edit is asked for":   {signed, []policy.Rule{on(scan.Infected, policy.Outcome{})}, nil},
		"another rule was first": {signed, []policy.Rule{on(scan.Infected, policy.Outcome{}), asks}, nil},
	} {
		j, _ := editing(t, &finder{word: "VIRUS"}, row.rules...)
		r := j.Examine(t.Context(), received(j, row.mail))
		var got []string
		for _, f := range r.Found {
			if f.Rule == "mime/not-edited" {
				got = append(got, f.Detail)
			}
		}
		got = slices.Compact(slices.Sorted(slices.Values(got))) // the same of each reading
		if !slices.Equal(got, row.want) || r.Decision.Answer != policy.Deliver {
			t.Errorf("%s: %q, want %q; %v", name, got, row.want, r.Decision.Answer)
		}
		r.Close()
	}
}
