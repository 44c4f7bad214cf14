package integration

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// visitor is a browser of the console.
type visitor struct {
	http.Client
	t *testing.T
}

// visit returns a browser that reaches the console at a unix socket, by an address that its pages call theirs, and
// other sites as it should.
func visit(t *testing.T, socket string) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, "console.test:") {
			network, address = "unix", socket
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{http.Client{Jar: jar, Transport: transport, Timeout: time.Minute}, t}
}

// get and post return the page that is shown at last, and its path.
func (v *visitor) get(path string) (page, at string) {
	return v.read(v.Get("http://console.test" + path))
}

func (v *visitor) post(path string, pairs ...string) (page, at string) {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return v.read(v.PostForm("http://console.test"+path, form))
}

func (v *visitor) read(answer *http.Response, err error) (page, at string) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return string(text), answer.Request.URL.Path
}

// TestPeopleLogIn: persons of the console itself, of a real directory and of a provider log in to a running daemon; an
// administrator closes their accounts at a shell, and they are out.
func TestPeopleLogIn(t *testing.T) {
	needServers(t)
	slapd := servers.StartSlapd(t, consoleEntries())
	idp, err := fakes.NewIDP()
	if err != nil {
		t.Fatal(err)
	}
	defer idp.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{"ldap": servers.SlapdPassword, "oidc": "s3cret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(dir, "console")
	daemon := servers.StartMilterscan(t, filepath.Join(dir, "m"), fmt.Sprintf(`
[console]
listen = ["unix:%[1]s/console"]
file = "%[1]s/console.db"
url = "http://console.test"
require_totp = ["administrator"]
[console.ldap]
url = "ldap://%[2]s"
ca_file = %[3]q
bind_dn = "cn=admin,dc=example,dc=com"
password_file = "%[1]s/ldap"
base = "dc=example,dc=com"
roles = { helpdesk = ["cn=help,dc=example,dc=com"] }
[console.oidc]
issuer = %[4]q
client_id = "mx"
secret_file = "%[1]s/oidc"
roles = { auditor = ["admins"] }
`, dir, slapd.Addr, slapd.CA, idp.URL))
	password, status := daemon.Run(t, "user add", "--role", "administrator", "--generate", "root")
	if password = strings.TrimSpace(password); status != 0 {
		t.Fatal(password)
	}
	v := visit(t, socket)
	page, at := v.post("/login", "name", "root", "password", password, "next", "/account")
	m := regexp.MustCompile(`<code class="secret">([A-Z2-7 ]+)</code>`).FindStringSubmatch(page)
	if at != "/second" || m == nil {
		t.Fatal(at, page)
	}
	code, err := totp.GenerateCode(strings.ReplaceAll(m[1], " ", ""), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if page, _ := v.post("/second", "code", code, "next", "/account"); strings.Count(page, "<li><code>") != 10 {
		t.Errorf("%s", page)
	}
	bob, ann := visit(t, socket), visit(t, socket)
	bob.post("/login", "name", "bob", "password", "secret of bob", "next", "/account")
	ann.get("/login/oidc?next=/account")
	people := map[string]*visitor{"root": v, "ldap:bob": bob, "oidc:ann": ann}
	for name, v := range people {
		if page, at := v.get("/account"); at != "/account" || !strings.Contains(page, "<bdi>"+name+"</bdi>") {
			t.Errorf("%s is at %s: %s", name, at, page)
		}
	}
	for name, password := range map[string]string{"carl": "secret of carl", "ann": "secret of bob", "zoe": "secret of zoe", "bob": ""} {
		if page, at := visit(t, socket).post("/login", "name", name, "password", password); at != "/login" || !strings.Contains(page, `role="alert"`) {
			t.Errorf("%s is at %s", name, at)
		}
	}
	out, _ := daemon.Run(t, "user list")
	t.Log(out)
	for name, v := range people {
		if out, status := daemon.Run(t, "user disable", name); status != 0 {
			t.Errorf("%s: %s", name, out)
		}
		if _, at := v.get("/account"); at != "/login" {
			t.Errorf("%s is closed, and at %s", name, at)
		}
	}
	bob.post("/login", "name", "bob", "password", "secret of bob", "next", "/account")
	if _, at := bob.get("/account"); at != "/login" {
		t.Errorf("bob is closed, and has logged in: %s", at)
	}
	out, _ = daemon.Run(t, "audit", "--limit", "0")
	if strings.Contains(out, "invalid") || !strings.Contains(out, " unknown ") {
		t.Errorf("addresses that are not known: %s", out)
	}
	for _, line := range []string{"disable user ldap:bob: done", "log in oidc:ann: done", "second factor root: set up", "log in : refused"} {
		if !strings.Contains(out, line) {
			t.Errorf("%q is not in the audit log:\n%s", line, out)
		}
	}
	t.Log(out)
	if out, _ := daemon.Run(t, "doctor", "-v"); !strings.Contains(out, "console.ldap: ldap://"+slapd.Addr+" answers") || !strings.Contains(out, "console.oidc: "+idp.URL+" answers") {
		t.Errorf("%s", out)
	}
}
