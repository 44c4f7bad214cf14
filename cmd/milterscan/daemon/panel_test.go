package daemon

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// panel is contrib/panel/milterscan-panel with its settings.
type panel struct {
	t   *testing.T
	env []string
}

// call runs the panel, and returns what it prints.
func (p panel) call(arguments ...string) (string, error) {
	c := exec.CommandContext(p.t.Context(), "python3", append([]string{"../../../contrib/panel/milterscan-panel"}, arguments...)...)
	c.Env = append(os.Environ(), p.env...)
	text, err := c.CombinedOutput()
	return strings.TrimSpace(string(text)), err
}

func (p panel) must(want string, arguments ...string) string {
	p.t.Helper()
	text, err := p.call(arguments...)
	if err != nil || !strings.Contains(text, want) {
		p.t.Fatalf("%q: %v\n%s", arguments, err, text)
	}
	return text
}

var hiddenField = regexp.MustCompile(`name="(account|time|nonce|mark|next)" value="([^"]*)"`)

// press presses the button of the page that an address of the panel leads to.
func (v *visitor) press(page string) (string, string) {
	var pairs []string
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		pairs = append(pairs, m[1], m[2])
	}
	return v.post("/login/sso", pairs...)
}

// TestPanel: what contrib has for hosting panels makes a customer, lets it in once, sees to its
// domains, and closes and removes it, at a daemon.
func TestPanel(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	files := map[string]string{"sso-key": fmt.Sprintf("%x\n", strings.Repeat("k", 32))}
	r := start(t, dir, plain+"[console]\nlisten = [\"tcp:"+address+"\"]\nfile = \"DIR/console.db\"\n[local]\ndomains = [\"example.com\"]\n[console.sso]\nkey_file = \"DIR/sso-key\"\n[people]\nfile = \"DIR/people.db\"\n")
	r.await("log", `"ready"`)
	a := r.accounts("console.db", "ann")
	ann, err := a.ByName(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	if files["token"], err = a.AddToken(t.Context(), ann, accounts.Token{Name: "panel", Rights: []login.Right{login.ManageUsers, login.SeePeople, login.ChangePeople}}); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := panel{t, []string{"MILTERSCAN_URL=http://" + address, "MILTERSCAN_TOKEN_FILE=" + filepath.Join(r.dir, "token"), "MILTERSCAN_SSO_KEY=" + filepath.Join(r.dir, "sso-key")}}

	p.must("dora domain open example.com example.net", "add", "Dora", "example.com", "example.net")
	link := strings.TrimPrefix(p.must("/login/sso?", "sign-on", "dora", "/quarantine"), "http://"+address)
	v := r.visitor("http://"+address, nil, nil)
	page, at := v.get(link)
	if again, _ := v.get(link); at != "/login/sso" || !strings.Contains(page, "<bdi>dora</bdi>") || again != page {
		t.Fatalf("%s %s", at, page)
	}
	if _, at := v.get("/quarantine"); at != "/login" {
		t.Errorf("looking lets in: %s", at)
	}
	if inside, at := v.press(page); at != "/quarantine" || !strings.Contains(inside, "<bdi>dora</bdi>") {
		t.Fatalf("%s %s", at, inside)
	}
	other := r.visitor("http://"+address, nil, nil)
	if _, at := other.press(page); at != "/login/sso" {
		t.Errorf("the same address a second time leads to %s", at)
	}
	if _, at := other.get("/quarantine"); at != "/login" {
		t.Errorf("and lets in: %s", at)
	}
	forged, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	q := forged.Query()
	q.Set("account", "ann")
	if page, _ := other.get("/login/sso?" + q.Encode()); strings.Contains(page, `name="mark"`) {
		t.Errorf("an altered address is good: %s", page)
	}

	p.must("dora domain open example.org", "domains", "dora", "example.org")
	if _, at := v.get("/quarantine"); at != "/login" {
		t.Errorf("the old session sees the old domains: %s", at)
	}
	token := p.must("milterscan_", "token", "dora", "script", "see messages")
	if who, err := a.Bearer(t.Context(), token); err != nil || who.Name != "dora" {
		t.Errorf("%+v, %v", who, err)
	}
	p.must("", "revoke", "dora", "script")
	if _, err := a.Bearer(t.Context(), token); err == nil {
		t.Error("a token is good that was revoked")
	}
	p.must("bob@example.com de daily 06:30", "settle", "Bob@example.com", "language=de", "digest=daily", "at=06:30")
	p.must("bob@example.com - daily 06:30", "settle", "bob@example.com", "language=")
	p.must("bob@example.com - daily 06:30", "people")
	if text := p.must("", "people", "zoe"); text != "" {
		t.Errorf("nobody is found: %s", text)
	}
	p.must("dora domain disabled", "disable", "dora")
	page, _ = other.get(strings.TrimPrefix(p.must("", "sign-on", "dora"), "http://"+address))
	if _, at := other.press(page); at != "/login/sso" {
		t.Errorf("an account that is disabled gets to %s", at)
	}
	p.must("dora domain open", "enable", "dora")
	p.must("", "remove", "dora")
	if text := p.must("ann administrator", "list"); strings.Contains(text, "dora") {
		t.Errorf("%s", text)
	}
	for _, wrong := range [][]string{{"disable", "ann"}, {"remove", "ann"}, {"disable", "nobody"}, {"settle", "bob@example.net", "language=de"}, {"settle", "bob@example.com", "digest=always"}, {"settle", "bob@example.com"}, {"add", "x"}, {"fly"}, {"add", "x/y", "example.com"}} {
		if text, err := p.call(wrong...); err == nil || strings.Contains(text, "Traceback") {
			t.Errorf("%q: %v %s", wrong, err, text)
		}
	}
}
