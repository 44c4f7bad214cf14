package console

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// sumRow matches a row of the counts by rule.
var sumRow = regexp.MustCompile(`(?s)<tr><th scope="row">(.*?)</th><td>(.*?)</td><td class="n">(.*?)</td></tr>`)

// sums returns the rows of the counts of a page, and the page.
func (s *site) sums(path, who string) (string, string) {
	s.t.Helper()
	got := s.ask("GET", path, who, nil)
	if got.Code != 200 {
		s.t.Fatalf("%s: %d", path, got.Code)
	}
	var rows []string
	for _, m := range sumRow.FindAllStringSubmatch(got.Body.String(), -1) {
		rows = append(rows, strings.Join(strings.Fields(text(m[1])+" "+text(m[2])+" "+text(m[3])), " "))
	}
	return strings.Join(rows, ", "), got.Body.String()
}

// refused is a record of a mail to recipients that rules refused: pairs of address and rule,
// "" where it was delivered.
func refused(n int, pairs ...string) policy.Record {
	r := policy.Record{Version: policy.RecordVersion, ID: id(n), Time: time.Now().Add(-time.Minute), Stage: "message", Sender: "eve@example.net", Size: 9}
	for i := 0; i < len(pairs); i += 2 {
		to := policy.RecordRecipient{Recipient: pairs[i], Action: "reject", Rule: pairs[i+1]}
		v := policy.RecordVerdict{Recipients: []string{pairs[i]}, Action: "reject", Because: -1, Rule: &policy.RecordRule{Name: to.Rule}}
		if to.Rule == "" {
			to.Action, v.Action, v.Rule = "deliver", "deliver", nil
		}
		if r.Rule = to.Rule; r.Action != "reject" {
			r.Action = to.Action
		}
		r.Recipients, r.Verdicts = append(r.Recipients, to), append(r.Verdicts, v)
	}
	return r
}

// TestCountByRule counts what a search has found by rule, for those who see all mail and for
// those who see that of their domain.
func TestCountByRule(t *testing.T) {
	s := newSite(t)
	s.remember(refused(1, "bob@example.com", "programs"), refused(2, "ann@example.com", "programs"), refused(3, "ann@example.org", "secret"),
		refused(4, "bob@example.com", "", "ann@example.org", "secret"), refused(5, "bob@example.com", "macros & <b>more</b>"))
	const com = "programs rejected 2, No rule decided delivered 1, macros & <b>more</b> rejected 1"
	for _, c := range []struct{ who, path, want string }{
		{"root", "/messages?to=@example.com&by=rule", com},
		{"root", "/messages?to=@example.org&by=rule", "secret rejected 2"},
		{"root", "/messages?to=@example.com&action=reject&by=rule", "programs rejected 2, macros & <b>more</b> rejected 1"},
		{"root", "/messages?to=@example.com&rule=programs&by=rule", "programs rejected 2"},
		{"root", "/messages?to=@example.net&by=rule", ""}, {"root", "/messages?to=@example.com", ""}, {"root", "/messages?by=rule", ""},
		{"root", "/messages?to=@example.com&by=nothing", ""},
		{"own", "/messages?from=eve&by=rule", com}, {"own", "/messages?to=@example.org&by=rule", ""}, {"own", "/messages?rule=secret&by=rule", ""},
		{"own", "/messages?action=reject&by=rule", "programs rejected 2, macros & <b>more</b> rejected 1"},
		{"other", "/messages?from=eve&by=rule", "secret rejected 2"},
	} {
		got, page := s.sums(c.path, c.who)
		if got != c.want {
			t.Errorf("%s for %s: %q, want %q", c.path, c.who, got, c.want)
		}
		if odd := foreignIn(t, page); len(odd) > 0 {
			t.Errorf("%s: %q", c.path, odd)
		}
		offered := strings.Contains(page, "Count by rule")
		if want := strings.HasSuffix(c.path, "@example.com") || strings.HasSuffix(c.path, "nothing"); offered != want {
			t.Errorf("%s: offers to count: %v", c.path, offered)
		}
	}
	_, page := s.sums("/messages?to=@example.com&by=rule&after=1.1", "root")
	for _, want := range []string{"by the rule that decided: 4.", `href="/messages?action=reject&amp;rule=programs&amp;to=%40example.com"`} {
		if !strings.Contains(text(page), want) && !strings.Contains(page, want) {
			t.Errorf("%q is not in %s", want, page)
		}
	}
}

// TestCountByRuleIsCut counts the newest only, and says so.
func TestCountByRuleIsCut(t *testing.T) {
	s := newSite(t)
	var list []policy.Record
	for n := range mostSummed + 1 {
		list = append(list, refused(n%10000, "bob@example.com", "programs"))
	}
	s.remember(list...)
	got, page := s.sums("/messages?to=@example.com&by=rule", "root")
	if n := strings.TrimPrefix(got, "programs rejected "); n == got || n == "" || !strings.Contains(text(page), "There may be more") {
		t.Errorf("%q: %s", got, clip(text(page), 2000))
	}
}

// TestDecidedForOthers shows one who sees a domain only what was decided for it: neither the
// action, nor the rule, nor the answer for another domain's recipients.
func TestDecidedForOthers(t *testing.T) {
	r := refused(1, "bob@example.com", "", "ann@example.org", "secret")
	r.Reply, r.Applied = "550 5.7.1 Message refused", []string{"secret"}
	s := newSite(t)
	s.remember(r)
	for who, secret := range map[string]bool{"root": true, "own": false, "other": true} {
		page := s.ask("GET", "/messages/"+id(1), who, nil).Body.String()
		if !strings.Contains(page, id(1)) || strings.Contains(page, "secret") != secret || strings.Contains(page, "rejected") != secret {
			t.Errorf("%s sees what was decided for others, or not what was for it: %s", who, page)
		}
	}
}
