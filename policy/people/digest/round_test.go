package digest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/tell/submission"
)

// seven is when digests of tests are due on the first day.
var seven = time.Date(2026, 3, 4, 7, 0, 0, 0, time.UTC)

// shelf is a quarantine whose rows are sorted, newest first.
type shelf struct {
	rows  []quarantine.Row
	asked int
	err   error
}

func (s *shelf) Find(_ context.Context, f quarantine.Filter) (list []quarantine.Row, err error) {
	s.asked++
	for _, r := range s.rows {
		if len(list) == f.Limit {
			break
		}
		if f.Matches(r) {
			list = append(list, r)
		}
	}
	return list, s.err
}

func (s *shelf) put(r quarantine.Row) {
	if r.ID == "" {
		r.ID = fmt.Sprintf("06h08cfwgr%06d", len(s.rows))
	}
	r.State = quarantine.Kept
	s.rows = append(s.rows, r)
	slices.SortFunc(s.rows, func(a, b quarantine.Row) int { return b.Time.Compare(a.Time) })
}

// folk are the people of tests: those of example.com, aliases apart each by itself.
type folk struct {
	plans   map[string]Plan
	aliases map[string]string
}

func (f folk) Person(_ context.Context, address string) (Person, bool, error) {
	if a := f.aliases[address]; a != "" {
		address = a
	}
	p := Person{ID: address, Address: address, Language: "en", Plan: Plan{Daily, 7 * 60, time.UTC}}
	if plan, ok := f.plans[address]; ok {
		p.Plan = plan
	}
	return p, strings.HasSuffix(address, "@example.com"), nil
}

func (f folk) Plans(context.Context) ([]Plan, error) {
	list := []Plan{{Daily, 7 * 60, time.UTC}}
	for _, p := range f.plans {
		list = append(list, p)
	}
	return list, nil
}

// mta takes mail, or not.
type mta struct {
	mu   sync.Mutex
	got  map[string][]string // by recipient
	err  func(to string) error
	hang chan struct{}
}

func (m *mta) Send(_ context.Context, mail submission.Mail) error {
	text, err := io.ReadAll(mail.Message)
	if err != nil {
		return err
	}
	if m.hang != nil {
		<-m.hang
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		if err := m.err(mail.To[0]); err != nil {
			return err
		}
	}
	if m.got == nil {
		m.got = map[string][]string{}
	}
	m.got[mail.To[0]] = append(m.got[mail.To[0]], string(text))
	return nil
}

// site is a post with all it needs.
type site struct {
	Post
	shelf *shelf
	mta   *mta
	book  *people.Store
	terms Terms
}

func newSite(t testing.TB) *site {
	t.Helper()
	return siteOn(t, filepath.Join(t.TempDir(), "people.db"), &shelf{}, &mta{})
}

// siteOn is a post on a file, as another daemon has it.
func siteOn(t testing.TB, path string, s *shelf, m *mta) *site {
	t.Helper()
	all, err := NewTemplates(nil)
	if err != nil {
		t.Fatal(err)
	}
	book := people.New(path)
	t.Cleanup(func() { book.Close() })
	key := func() ([]byte, error) { return []byte(strings.Repeat("k", 32)), nil }
	return &site{
		Post:  Post{Kept: s, People: folk{}, Book: book, Warn: func(error) {}},
		shelf: s, mta: m, book: book,
		terms: Terms{Templates: all, Sender: m, Key: key, LinkKey: key, From: "postmaster@example.com", Host: "mx.example.com", URL: "https://mx.example.com",
			Page: "/mine", Good: 14 * 24 * time.Hour, Rows: 5, DropAfter: 3, Blocks: true,
			Lists:    func(r quarantine.Row) bool { return r.Class != "infected" },
			Releases: func(r quarantine.Row) bool { return r.Class == "suspicious" }},
	}
}

// round makes one, and returns how many were sent to each since the last.
func (s *site) round(t *testing.T, now time.Time) Outcome {
	t.Helper()
	o, err := s.Round(t.Context(), s.terms, now)
	if err != nil {
		t.Fatalf("%s: %v", now, err)
	}
	return o
}

func (s *site) sent(to string) int {
	s.mta.mu.Lock()
	defer s.mta.mu.Unlock()
	return len(s.mta.got[to])
}

func mail(to string, at time.Time) quarantine.Row {
	return quarantine.Row{Time: at, KeptAt: at, Class: "suspicious", Sender: "a@example.net", Recipients: []string{to}, Waiting: []string{to}, Subject: "at " + at.Format("02 15:04:05"), Reason: "spam/score"}
}

// A digest has what came since the last one, and comes once.
func TestRounds(t *testing.T) {
	s := newSite(t)
	s.shelf.put(mail("bob@example.com", seven.Add(-48*time.Hour)))
	if o := s.round(t, seven.Add(-26*time.Hour)); o != (Outcome{}) {
		t.Errorf("switched on: %+v", o)
	}
	if o := s.round(t, seven.Add(-23*time.Hour)); o != (Outcome{}) {
		t.Errorf("what came two days before: %+v", o)
	}
	s.shelf.put(mail("Bob@EXAMPLE.com", seven.Add(-2*time.Hour)))
	s.shelf.put(mail("bob@example.com", seven.Add(-time.Hour)))
	s.shelf.put(mail("eve@elsewhere.example", seven.Add(-time.Hour)))
	s.shelf.put(mail("bob@example.com", seven.Add(time.Second)))
	if o := s.round(t, seven.Add(-time.Minute)); o != (Outcome{}) {
		t.Errorf("before it is due: %+v", o)
	}
	if o := s.round(t, seven.Add(late-time.Second)); o != (Outcome{}) {
		t.Errorf("before the index knows all: %+v", o)
	}
	for range 3 {
		s.round(t, seven.Add(3*time.Hour)) // down until then
	}
	if n := s.sent("bob@example.com"); n != 1 || len(s.mta.got) != 1 {
		t.Fatalf("%d digests, to %d", n, len(s.mta.got))
	}
	text := s.mta.got["bob@example.com"][0]
	for what, want := range map[string]bool{"at 04 05:00:00": true, "at 04 06:00:00": true, "at 04 07:00:01": false, "at 02 07": false, "Subject: 2 messages": true} {
		if strings.Contains(text, what) != want {
			t.Errorf("%q: %t\n%s", what, !want, text)
		}
	}
	s.round(t, seven.Add(24*time.Hour+time.Minute))
	if n := s.sent("bob@example.com"); n != 2 || !strings.Contains(s.mta.got["bob@example.com"][1], "at 04 07:00:01") || strings.Contains(s.mta.got["bob@example.com"][1], "at 04 06") {
		t.Errorf("the next day: %d\n%s", n, s.mta.got["bob@example.com"])
	}
	s.round(t, seven.Add(48*time.Hour+time.Minute))
	if n := s.sent("bob@example.com"); n != 2 {
		t.Errorf("nothing is new, and there are %d", n)
	}
	// Down for three days: one digest with all of it.
	for day := 2; day < 5; day++ {
		s.shelf.put(mail("bob@example.com", seven.Add(time.Duration(day)*24*time.Hour+time.Hour)))
	}
	s.round(t, seven.Add(5*24*time.Hour+5*time.Hour))
	if n := s.sent("bob@example.com"); n != 3 || !strings.Contains(s.mta.got["bob@example.com"][2], "3 messages") {
		t.Errorf("after three days: %d", n)
	}
}

// Mail that was on its way for hours is listed when it was kept.
func TestSlowMail(t *testing.T) {
	s := newSite(t)
	s.round(t, seven.Add(-25*time.Hour))
	s.shelf.put(mail("bob@example.com", seven.Add(-time.Hour)))
	s.round(t, seven.Add(time.Minute))
	r := mail("bob@example.com", seven.Add(-3*time.Hour))
	r.KeptAt = seven.Add(2 * time.Hour)
	s.shelf.put(r)
	old := mail("bob@example.com", seven.Add(-30*time.Minute)) // of before, without the time of the copy
	old.KeptAt = time.Time{}
	s.shelf.put(old)
	s.round(t, seven.Add(24*time.Hour+time.Minute))
	if n := s.sent("bob@example.com"); n != 2 || !strings.Contains(s.mta.got["bob@example.com"][1], "at 04 04:00:00") {
		t.Errorf("%d", n)
	}
}

// Each person has a plan, and one digest for all addresses.
func TestPlansAndAliases(t *testing.T) {
	s := newSite(t)
	s.People = folk{plans: map[string]Plan{"off@example.com": {}, "hour@example.com": {Every: Hourly}, "late@example.com": {Daily, 17 * 60, time.UTC}},
		aliases: map[string]string{"sales@example.com": "bob@example.com"}}
	s.round(t, seven.Add(-2*time.Hour))
	for _, to := range []string{"off@example.com", "hour@example.com", "late@example.com", "bob@example.com", "sales@example.com"} {
		s.shelf.put(mail(to, seven.Add(-90*time.Minute)))
	}
	count := func() (list []int) {
		for _, to := range []string{"off@example.com", "hour@example.com", "late@example.com", "bob@example.com", "sales@example.com"} {
			list = append(list, s.sent(to))
		}
		return list
	}
	for _, step := range []struct {
		at   time.Duration
		want []int
	}{{-time.Minute, []int{0, 1, 0, 0, 0}}, {time.Minute, []int{0, 1, 0, 1, 0}}, {61 * time.Minute, []int{0, 1, 0, 1, 0}}, {10*time.Hour + time.Minute, []int{0, 1, 1, 1, 0}}} {
		s.round(t, seven.Add(step.at))
		if got := count(); !slices.Equal(got, step.want) {
			t.Errorf("at %s: %v, want %v", step.at, got, step.want)
		}
	}
	if text := s.mta.got["bob@example.com"][0]; !strings.Contains(text, "For bob@example.com") || !strings.Contains(text, "For sales@example.com") {
		t.Errorf("%s", text)
	}
	// Who changes from daily to hourly misses nothing.
	s.shelf.put(mail("late@example.com", seven.Add(10*time.Hour+30*time.Minute)))
	s.People.(folk).plans["late@example.com"] = Plan{Every: Hourly}
	s.round(t, seven.Add(14*time.Hour+time.Minute))
	if n := s.sent("late@example.com"); n != 2 {
		t.Errorf("%d after the change", n)
	}
}

// An MTA that is down, refuses, or says nothing.
func TestTroubles(t *testing.T) {
	s := newSite(t)
	s.round(t, seven.Add(-25*time.Hour))
	for _, to := range []string{"a@example.com", "no@example.com", "unsure@example.com"} {
		s.shelf.put(mail(to, seven.Add(-time.Hour)))
	}
	down := true
	s.mta.err = func(to string) error {
		switch {
		case down:
			return errors.New("connection refused")
		case to == "no@example.com":
			return fmt.Errorf("recipient: %w", &textproto.Error{Code: 550, Msg: "no such user"})
		case to == "unsure@example.com":
			return submission.ErrUnsure
		}
		return nil
	}
	o, err := s.Round(t.Context(), s.terms, seven.Add(time.Minute))
	if err == nil || o.PutOff != 3 || o.Sent != 0 {
		t.Errorf("down: %+v, %v", o, err)
	}
	down = false
	o, err = s.Round(t.Context(), s.terms, seven.Add(2*time.Minute))
	if err == nil || o.Sent != 2 || o.Failed != 1 || o.PutOff != 0 {
		t.Errorf("up: %+v, %v", o, err)
	}
	if o := s.round(t, seven.Add(3*time.Minute)); o != (Outcome{}) {
		t.Errorf("once more: %+v", o)
	}
	// What was perhaps not heard of is listed once more, what was refused is tried again, and then no more.
	for day := 1; day < 6; day++ {
		s.shelf.put(mail("no@example.com", seven.Add(time.Duration(day)*24*time.Hour-time.Hour)))
		s.Round(t.Context(), s.terms, seven.Add(time.Duration(day)*24*time.Hour+time.Minute))
	}
	if n := s.sent("unsure@example.com"); n != 0 {
		t.Errorf("%d", n)
	}
	all, err := s.book.FailedDigests(t.Context(), s.terms.DropAfter)
	if err != nil || len(all) != 1 || all[0].Address != "no@example.com" || all[0].Refused != 3 || !strings.Contains(all[0].Trouble, "no such user") {
		t.Errorf("%+v, %v", all, err)
	}
	s.mta.err = nil
	if o, err := s.SendTo(t.Context(), s.terms, "no@example.com", seven.Add(6*24*time.Hour)); err != nil || o.Sent != 1 {
		t.Errorf("%+v, %v", o, err)
	}
	if all, _ := s.book.FailedDigests(t.Context(), 1); len(all) != 0 {
		t.Errorf("it arrived, and is still dropped: %+v", all)
	}
	if text := s.mta.got["no@example.com"][0]; !strings.Contains(text, "6 messages") {
		t.Errorf("what was refused is not listed:\n%s", text)
	}
}

// Five that the MTA does not take are enough: it is left alone for a while.
func TestTheMTAIsLeftAlone(t *testing.T) {
	s := newSite(t)
	s.round(t, seven.Add(-25*time.Hour))
	for i := range 300 {
		s.shelf.put(mail(fmt.Sprintf("u%d@example.com", i), seven.Add(-time.Hour)))
	}
	tried := 0
	s.mta.err = func(string) error { tried++; return errors.New("451 later") }
	o, err := s.Round(t.Context(), s.terms, seven.Add(time.Minute))
	if err == nil || o.PutOff != 300 || tried > enough+atOnce {
		t.Errorf("%d tries, %+v, %v", tried, o, err)
	}
	s.mta.err = nil
	if o := s.round(t, seven.Add(2*time.Minute)); o.Sent != 300 {
		t.Errorf("%+v", o)
	}
}

// Two daemons on one file, one quarantine and one MTA send each digest once, also if one of them cannot.
func TestTwoDaemons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.db")
	sh, m := &shelf{}, &mta{}
	a, b := siteOn(t, path, sh, m), siteOn(t, path, &shelf{}, m)
	a.round(t, seven.Add(-25*time.Hour))
	for i := range 200 {
		sh.put(mail(fmt.Sprintf("u%d@example.com", i), seven.Add(-time.Hour)))
	}
	b.shelf.rows = sh.rows
	for minute := 1; minute < 4; minute++ {
		var both sync.WaitGroup
		for _, s := range []*site{a, b} {
			both.Go(func() {
				if _, err := s.Round(t.Context(), s.terms, seven.Add(time.Duration(minute)*time.Minute)); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
	}
	for i := range 200 {
		if n := a.sent(fmt.Sprintf("u%d@example.com", i)); n != 1 {
			t.Errorf("u%d has %d", i, n)
		}
	}
}

// A process that ended in the middle leaves a claim, which ends; what it may have sent comes as the same mail.
func TestClaimsEnd(t *testing.T) {
	s := newSite(t)
	s.round(t, seven.Add(-25*time.Hour))
	s.shelf.put(mail("bob@example.com", seven.Add(-time.Hour)))
	if mine, err := s.book.ClaimDigest(t.Context(), "bob@example.com", "bob@example.com", seven.Add(-first), seven, seven.Add(time.Minute)); !mine || err != nil {
		t.Fatal(mine, err)
	}
	if o := s.round(t, seven.Add(2*time.Minute)); o != (Outcome{Others: 1}) {
		t.Errorf("%+v", o)
	}
	if o := s.round(t, seven.Add(20*time.Minute)); o != (Outcome{Sent: 1}) {
		t.Errorf("%+v", o)
	}
	if id := name([]byte(strings.Repeat("k", 32)), "bob@example.com", seven); !strings.Contains(s.mta.got["bob@example.com"][0], "Message-ID: <"+id+"@mx.example.com>") {
		t.Errorf("another Message-ID:\n%s", s.mta.got["bob@example.com"][0])
	}
}

// More persons than there is room for get theirs in further passes, and one person with very much mail gets a
// short digest.
func TestMany(t *testing.T) {
	s := newSite(t)
	s.folders = 80
	s.round(t, seven.Add(-25*time.Hour))
	for i := range 200 {
		s.shelf.rows = append(s.shelf.rows, mail(fmt.Sprintf("u%d@example.com", i), seven.Add(-time.Hour)))
	}
	for i := range 20_000 {
		r := mail("much@example.com", seven.Add(-time.Duration(i)*time.Second))
		r.ID, r.State = fmt.Sprintf("06h08cfwgr%06d", i), quarantine.Kept
		s.shelf.rows = append(s.shelf.rows, r)
	}
	for i := range s.shelf.rows {
		s.shelf.rows[i].State = quarantine.Kept
		if s.shelf.rows[i].ID == "" {
			s.shelf.rows[i].ID = fmt.Sprintf("06h08cfwga%06d", i)
		}
	}
	slices.SortFunc(s.shelf.rows, func(a, b quarantine.Row) int {
		if c := b.Time.Compare(a.Time); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	o := s.round(t, seven.Add(time.Minute))
	if o.Sent != 201 || o.Failed+o.PutOff+o.Others != 0 {
		t.Errorf("%+v", o)
	}
	text := s.mta.got["much@example.com"][0]
	if !strings.Contains(text, "20000 messages") || !strings.Contains(text, "and 19995 more") || len(text) > 100_000 || strings.Count(text, "  Subject: at") != 5 {
		t.Errorf("%d bytes\n%.2000s", len(text), text)
	}
	if o := s.round(t, seven.Add(2*time.Minute)); o != (Outcome{}) {
		t.Errorf("once more: %+v", o)
	}
}

func TestOne(t *testing.T) {
	s := newSite(t)
	s.People = folk{aliases: map[string]string{"sales@example.com": "bob@example.com"}}
	now := seven.Add(5 * time.Hour)
	s.shelf.put(mail("bob@example.com", seven))
	s.shelf.put(mail("sales@example.com", seven))
	s.shelf.put(mail("other@example.com", seven))
	text, err := s.Preview(t.Context(), s.terms, "Sales@example.com", time.Time{}, now)
	if err != nil || !strings.Contains(text.Text, "2 messages") || !strings.Contains(text.Subject, "2 messages") || strings.Contains(text.HTML, "other@") || s.sent("bob@example.com") != 0 {
		t.Errorf("%v\n%s", err, text.Text)
	}
	if o, err := s.SendTo(t.Context(), s.terms, "bob@example.com", now); err != nil || o.Sent != 1 || s.sent("bob@example.com") != 1 {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := s.SendTo(t.Context(), s.terms, "bob@example.com", now.Add(time.Minute)); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
	if _, err := s.Preview(t.Context(), s.terms, "bob@example.com", seven.Add(-time.Hour), now); err != nil {
		t.Error(err)
	}
	if _, err := s.Preview(t.Context(), s.terms, "eve@elsewhere.example", time.Time{}, now); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
	if _, err := s.Preview(t.Context(), s.terms, "no address", time.Time{}, now); err == nil {
		t.Error("no address is taken")
	}
}

// An address that no mail can be sent to holds up nobody else.
func TestOddAddress(t *testing.T) {
	s := newSite(t)
	s.round(t, seven.Add(-25*time.Hour))
	s.shelf.put(mail("-option@example.com", seven.Add(-time.Hour)))
	s.shelf.put(mail(`"a@b"@example.com`, seven.Add(-time.Hour)))
	if o := s.round(t, seven.Add(time.Minute)); o != (Outcome{Sent: 1, Failed: 1}) || s.sent(`"a@b"@example.com`) != 1 {
		t.Errorf("%+v, %v", o, s.mta.got)
	}
	if o := s.round(t, seven.Add(2*time.Minute)); o != (Outcome{}) {
		t.Errorf("once more: %+v", o)
	}
}
