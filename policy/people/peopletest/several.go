package peopletest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/people"
)

// several finds settings and digests of many persons at once, and who they are, page by page.
func several(t *testing.T, p pair) {
	s := p.here
	now := time.Now()
	var all []string
	for i := range 1200 {
		who := fmt.Sprintf("p%04d@example.com", i)
		all = append(all, who)
		if i%100 != 0 {
			continue
		}
		if err := s.SetSettings(t.Context(), who, func(n *people.Settings) { n.Language = "de" }); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ClaimDigest(t.Context(), who, who, now, now, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Appoint(t.Context(), "zoe@example.com", "ann@example.com", "root", now); err != nil {
		t.Fatal(err)
	}
	settings, err := s.SettingsOf(t.Context(), all)
	digests, errs := s.DigestsOf(t.Context(), all)
	if err := errors.Join(err, errs); err != nil || len(settings) != 12 || len(digests) != 12 ||
		settings["p0100@example.com"].Language != "de" || digests["p1100@example.com"].Address != "p1100@example.com" {
		t.Fatalf("%d, %d, %v", len(settings), len(digests), err)
	}
	if got, err := s.SettingsOf(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("of nobody: %v, %v", got, err)
	}
	after, n := "", 0
	for {
		list, err := s.Heard(t.Context(), after, 5)
		if err != nil || len(list) > 5 {
			t.Fatal(list, err)
		}
		if len(list) == 0 {
			break
		}
		n, after = n+len(list), list[len(list)-1]
	}
	if n != 13 || after != "zoe@example.com" {
		t.Errorf("%d, the last is %s", n, after)
	}
}

// delegates appoints persons who may act for others, finds them from both sides, and ends that; there are not
// endlessly many.
func delegates(t *testing.T, p pair) {
	s := p.here
	appoint := func(owner, delegate string) error { return s.Appoint(t.Context(), owner, delegate, "root", time.Now()) }
	for _, d := range []string{"sec@example.com", "ben@example.com", "sec@example.com"} {
		if err := appoint("ann@example.com", d); err != nil {
			t.Fatal(err)
		}
	}
	if err := appoint("ann@example.com", "ann@example.com"); !errors.Is(err, people.ErrSelf) {
		t.Error(err)
	}
	if got, err := s.Delegates(t.Context(), []string{"ann@example.com", "ben@example.com"}); err != nil ||
		fmt.Sprint(got) != "map[ann@example.com:[ben@example.com sec@example.com]]" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := s.Owners(t.Context(), "sec@example.com"); err != nil || fmt.Sprint(got) != "[ann@example.com]" {
		t.Errorf("%v, %v", got, err)
	}
	if err := s.Dismiss(t.Context(), "ann@example.com", "sec@example.com"); err != nil {
		t.Fatal(err)
	}
	if err := s.Dismiss(t.Context(), "ann@example.com", "sec@example.com"); !errors.Is(err, people.ErrUnknown) {
		t.Error(err)
	}
	if got, err := s.Owners(t.Context(), "sec@example.com"); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	for i := range people.MostDelegates {
		if err := appoint(fmt.Sprintf("o%d@example.com", i), "all@example.com"); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := appoint("more@example.com", "all@example.com"); !errors.Is(err, people.ErrManyDelegates) {
		t.Error(err)
	}
	if err := appoint("o1@example.com", "all@example.com"); err != nil {
		t.Errorf("one who is appointed already: %v", err)
	}
}
