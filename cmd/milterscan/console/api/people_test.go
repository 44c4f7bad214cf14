package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/people"
)

// TestLimitOfAPerson has a program set the limit of the score of a person, within the bounds of the host.
func TestLimitOfAPerson(t *testing.T) {
	s := newSite(t)
	const path = "/api/v1/people/bob@example.com"
	if got := s.ask("root", "PATCH", path, `{"limit": "6"}`); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "does not let people set limits") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	s.Config().People.Score = people.Bounds{Least: 4, Most: 12}
	if got := s.ask("root", "PATCH", path, `{"limit": "6.5"}`); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"limit":"6.5"`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := s.ask("root", "PATCH", path, `{"language": "de"}`); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"language":"de","digest":"","at":"","limit":"6.5"`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	for _, bad := range []string{"3", "much"} {
		if got := s.ask("root", "PATCH", path, `{"limit": "`+bad+`"}`); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "between 4 and 12") {
			t.Errorf("%s: %d %s", bad, got.Code, got.Body)
		}
	}
	if got := s.ask("root", "PATCH", path, `{"limit": ""}`); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"limit":""`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}
