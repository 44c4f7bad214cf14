package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/people"
)

// TestLists makes, shows and removes entries as each person: administrators of a domain change the
// lists of their domains only, and of others they hear what they hear of none.
func TestLists(t *testing.T) {
	s := newSite(t)
	id := map[string]int64{}
	for _, c := range []struct {
		who, owner, rest string
		status           int
	}{
		{"root", "host", `"act":"block","pattern":"@spam.example"`, 200},
		{"desk", "bob@example.com", `"act":"allow","pattern":"Ann@example.net"`, 200},
		{"audit", "bob@example.com", `"act":"allow","pattern":"ann@example.net"`, 403},
		{"own", "example.com", `"act":"block","pattern":"192.0.2.0/24"`, 200},
		{"own", "Amy@example.com", `"act":"allow","pattern":"@shop.example","authenticated":true,"note":"x"`, 200},
		{"own", "host", `"act":"block","pattern":"@spam.example"`, 404},
		{"own", ".example.com", `"act":"block","pattern":"@spam.example"`, 404},
		{"own", "ann@example.org", `"act":"block","pattern":"@spam.example"`, 404},
		{"own", "bob@sub.example.com", `"act":"block","pattern":"@spam.example"`, 404},
		{"other", "example.com", `"act":"block","pattern":"@spam.example"`, 404},
		{"root", "bob@example.com", `"act":"drop","pattern":"@spam.example"`, 400},
		{"root", "bob@example.com", `"act":"block","pattern":"*"`, 400},
		{"root", "bob@example.com", `"act":"block","pattern":"@spam.example","id":7`, 400},
		{"root", "bob@example.com", `"act":"block","pattern":"@spam.example","expires":"2001-01-01T00:00:00Z"`, 400},
		{"root", "nonsense@", `"act":"block","pattern":"@spam.example"`, 400},
	} {
		got := s.ask(c.who, "POST", "/api/v1/lists", fmt.Sprintf(`{"owner":%q,%s}`, c.owner, c.rest))
		if got.Code != c.status {
			t.Errorf("%s for %s, %s: %d %s", c.who, c.owner, c.rest, got.Code, got.Body)
		}
		var made struct {
			people.Entry
			Weak bool `json:"weak"`
		}
		if got.Code == http.StatusOK {
			if err := json.Unmarshal(got.Body.Bytes(), &made); err != nil || made.Maker != c.who || made.Weak != strings.Contains(c.rest, "Ann@") {
				t.Errorf("%+v, %v", made, err)
			}
			id[made.Owner] = made.ID
		}
	}
	for _, c := range []struct {
		who, query string
		n          int
	}{
		{"root", "", 4}, {"desk", "", 4}, {"audit", "", 4}, {"own", "", 3}, {"other", "", 0}, {"root", "?act=block", 2}, {"root", "?like=SHOP", 1}, {"root", "?owner=host", 1},
		{"own", "?owner=host", 0}, {"own", "?owner=example.com", 1}, {"root", "?limit=3", 3},
	} {
		got := s.ask(c.who, "GET", "/api/v1/lists"+c.query, "")
		var page struct {
			Entries []people.Entry
			Next    string
		}
		if err := json.Unmarshal(got.Body.Bytes(), &page); err != nil || len(page.Entries) != c.n || (page.Next != "") != (c.query == "?limit=3") {
			t.Errorf("%s%s: %d %s, %v", c.who, c.query, got.Code, got.Body, err)
		}
		if page.Next != "" {
			if rest := s.ask(c.who, "GET", page.Next, ""); strings.Count(rest.Body.String(), `"owner"`) != 1 {
				t.Errorf("the page after: %s", rest.Body)
			}
		}
	}
	remove := func(who, owner string, id int64) int {
		return s.ask(who, "DELETE", fmt.Sprintf("/api/v1/lists/%d?owner=%s", id, owner), "").Code
	}
	for _, c := range []struct {
		who, owner string
		id         int64
		status     int
	}{
		{"audit", "host", id["host"], 403}, {"own", "host", id["host"], 404}, {"own", "example.com", id["host"], 404}, {"other", "example.com", id["example.com"], 404},
		{"own", "example.com", 999, 404}, {"own", "example.com", id["example.com"], 204}, {"own", "example.com", id["example.com"], 404}, {"root", "host", id["host"], 204},
	} {
		if got := remove(c.who, c.owner, c.id); got != c.status {
			t.Errorf("%s removes %d of %s: %d, want %d", c.who, c.id, c.owner, got, c.status)
		}
	}
	for _, want := range []string{"desk allow senders bob@example.com", "own allow senders example.com"} {
		if !strings.Contains(strings.Join(s.audit, "\n"), want) {
			t.Errorf("the audit log lacks %q: %q", want, s.audit)
		}
	}
}
