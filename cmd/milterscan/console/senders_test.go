package console

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/greylist"
)

// TestListable lists the author of a message only if its domain is proved, and no sender that is none.
func TestListable(t *testing.T) {
	proof := []policy.RecordFinding{{Rule: "auth/dmarc-pass"}}
	for _, c := range []struct {
		r    policy.Record
		want string
	}{
		{policy.Record{Sender: "Bounce@esp.example", From: "Ann <ann@shop.example>", Findings: proof}, "ann@shop.example true bounce@esp.example false"},
		{policy.Record{Sender: "bounce@esp.example", From: "Ann <ann@shop.example>"}, "bounce@esp.example false"},
		{policy.Record{Sender: "ann@shop.example", From: "ann@shop.example", Findings: proof}, "ann@shop.example true"},
		{policy.Record{From: "ann@shop.example, eve@evil.example", Findings: proof}, ""},
		{policy.Record{From: `"ann@shop.example" <eve@evil.example>`, Findings: proof}, "eve@evil.example true"},
		{policy.Record{From: "nonsense", Findings: proof}, ""},
		{policy.Record{}, ""},
	} {
		var got []string
		for _, l := range senders(c.r) {
			got = append(got, l.Pattern, map[bool]string{true: "true", false: "false"}[l.Proved])
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q, %q: %q, want %q", c.r.Sender, c.r.From, got, c.want)
		}
	}
}

// TestListSender presses the buttons for the sender of a message, as those who may and those who may not.
func TestListSender(t *testing.T) {
	s := newSite(t)
	r := policy.Record{Version: policy.RecordVersion, ID: id(1), Time: time.Now().Add(-time.Minute), Stage: "message", Direction: "inbound", Sender: "eve@example.net", Action: "deliver", Recipients: []policy.RecordRecipient{{Recipient: "bob@example.com", Action: "deliver"}, {Recipient: "ann@example.org", Action: "deliver"}}}
	s.remember(r)
	path := "/messages/" + id(1)
	for _, c := range []struct {
		who, act, owner, sender string
		status                  int
	}{
		{"root", "allow", "bob@example.com", "eve@example.net", http.StatusSeeOther}, {"own", "block", "bob@example.com", "eve@example.net", http.StatusSeeOther},
		{"audit", "block", "bob@example.com", "eve@example.net", http.StatusForbidden}, {"own", "block", "ann@example.org", "eve@example.net", http.StatusBadRequest},
		{"root", "block", "bob@example.com", "another@example.net", http.StatusBadRequest}, {"root", "drop", "bob@example.com", "eve@example.net", http.StatusBadRequest},
		{"root", "block", "host", "eve@example.net", http.StatusBadRequest},
	} {
		got := s.post(path+"/sender", c.who, "act", c.act, "owner", c.owner, "sender", c.sender)
		if got.Code != c.status {
			t.Errorf("%+v: %d %s", c, got.Code, got.Body)
		}
	}
	list, err := s.stores.Folk().Entries(t.Context(), people.Filter{})
	if err != nil || len(list) != 1 || list[0].Act != people.Block || list[0].Maker != "own" || list[0].Pattern != "eve@example.net" {
		t.Errorf("%+v, %v", list, err)
	}
	if page := s.ask("GET", path, "root", nil).Body.String(); !strings.Contains(page, "Block this sender") || !strings.Contains(page, "weak: anybody") {
		t.Error("the page has no buttons for the sender")
	}
	if page := s.ask("GET", path, "audit", nil).Body.String(); strings.Contains(page, "Block this sender") {
		t.Error("one who may not list senders is shown the buttons")
	}
}

// TestLetThrough presses the button for a sender that greylisting puts off, as those who may and those who may not.
func TestLetThrough(t *testing.T) {
	s := newSite(t)
	s.Config().Greylist.Enabled, s.Config().Greylist.File = true, filepath.Join(t.TempDir(), "grey.db")
	finding := func(rule string) []policy.RecordFinding {
		return []policy.RecordFinding{{Rule: rule, Kind: scan.Note, Recipient: "bob@example.com"}}
	}
	r := policy.Record{Version: policy.RecordVersion, Stage: "recipient", Direction: "inbound", Sender: "News@shop.example", Action: "tempfail",
		Recipients: []policy.RecordRecipient{{Recipient: "bob@example.com", Action: "tempfail"}, {Recipient: "ann@example.org", Action: "tempfail"}}}
	for i, rule := range []string{greylist.FirstSeen, greylist.CameBack} {
		r.ID, r.Time, r.Findings = id(i+1), time.Now().Add(-time.Minute), finding(rule)
		s.remember(r)
	}
	for _, c := range []struct {
		message string
		who, to string
		status  int
		offered bool
		enabled bool
	}{
		{message: id(1), who: "root", to: "bob@example.com", status: http.StatusSeeOther, offered: true, enabled: true},
		{message: id(1), who: "own", to: "bob@example.com", status: http.StatusSeeOther, offered: true, enabled: true},
		{message: id(1), who: "own", to: "ann@example.org", status: http.StatusBadRequest, offered: true, enabled: true},
		{message: id(1), who: "root", to: "eve@example.com", status: http.StatusBadRequest, offered: true, enabled: true},
		{message: id(1), who: "audit", to: "bob@example.com", status: http.StatusForbidden, enabled: true},
		{message: id(2), who: "root", to: "bob@example.com", status: http.StatusBadRequest, enabled: true},
		{message: id(1), who: "root", to: "bob@example.com", status: http.StatusBadRequest},
	} {
		s.Config().Greylist.Enabled = c.enabled
		page := s.ask("GET", "/messages/"+c.message, c.who, nil).Body.String()
		if strings.Contains(page, "Let through now") != c.offered {
			t.Errorf("%+v: the page has the wrong buttons", c)
		}
		if got := s.post("/messages/"+c.message+"/sender", c.who, "act", "pass", "owner", c.to); got.Code != c.status {
			t.Errorf("%+v: %d %s", c, got.Code, got.Body)
		}
	}
	gone, err := s.own.Greylist(s.Config()).Expire(t.Context(), time.Now().AddDate(0, 1, 0), 10)
	if err != nil || gone != 1 {
		t.Errorf("greylisting remembers %d pairs, %v", gone, err)
	}
}
