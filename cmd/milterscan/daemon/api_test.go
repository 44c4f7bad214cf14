package daemon

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/policy"
)

// TestAPI has a program find a mail that the daemon has judged, by a token, until the token
// is revoked.
func TestAPI(t *testing.T) {
	r := start(t, t.TempDir(), inhabited)
	r.await("log", `"ready"`)
	a := r.accounts("console.db", "ann")
	ann, err := a.ByName(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	token, err := a.AddToken(t.Context(), ann, accounts.Token{Name: "script", Rights: []login.Right{login.SeeMessages}})
	if err != nil {
		t.Fatal(err)
	}
	v := r.visitorOf("pages")
	ask := func(path string) (int, string) {
		t.Helper()
		q, _ := http.NewRequest("GET", v.site+path, nil)
		q.Header.Set("Authorization", "Bearer "+token)
		got, err := v.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		text, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		return got.StatusCode, string(text)
	}
	r.mustAsk("m", "find me by the API")
	var page struct{ Messages []policy.Record }
	for end := time.Now().Add(patience); len(page.Messages) == 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		status, text := ask("/api/v1/messages?subject=find+me&from=%40example.org")
		if err := json.Unmarshal([]byte(text), &page); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
	}
	if len(page.Messages) != 1 || page.Messages[0].Subject != "find me by the API" {
		t.Fatalf("%+v", page)
	}
	if status, text := ask("/api/v1/messages/" + page.Messages[0].ID + "/timeline"); status != http.StatusOK || !strings.Contains(text, `"verdict"`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text := ask("/api/v1/status"); status != http.StatusForbidden {
		t.Errorf("a right that the token has not: %d %s", status, text)
	}
	if page, at := v.get("/messages"); at != "/login" {
		t.Errorf("a page without a session: %s %s", at, page)
	}
	if err := a.RemoveToken(t.Context(), ann.ID, "script"); err != nil {
		t.Fatal(err)
	}
	if status, text := ask("/api/v1/messages"); status != http.StatusUnauthorized {
		t.Errorf("revoked: %d %s", status, text)
	}
}
