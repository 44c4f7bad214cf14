package daemon

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// visitor is a browser of the console.
type visitor struct {
	*http.Client
	t    *testing.T
	site string
}

// visitor returns a browser that reaches the console by a connection.
func (r *running) visitor(site string, trust *tls.Config, dial func(context.Context, string, string) (net.Conn, error)) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	transport := &http.Transport{DialContext: dial, TLSClientConfig: trust}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &visitor{&http.Client{Jar: jar, Timeout: patience, Transport: transport}, r.t, site}
}

// visitorOf is visitor for a unix socket.
func (r *running) visitorOf(socket string) *visitor {
	return r.visitor("http://milterscan", nil, func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(r.dir, socket))
	})
}

// get and post return the page that is shown at last, and its path.
func (v *visitor) get(path string) (page, at string) { return v.read(v.Client.Get(v.site + path)) }

func (v *visitor) post(path string, pairs ...string) (page, at string) {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return v.read(v.PostForm(v.site+path, form))
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

// accounts adds accounts in a file of the directory.
func (r *running) accounts(file string, names ...string) *accounts.Accounts {
	a := accounts.New(filepath.Join(r.dir, file))
	r.t.Cleanup(func() { a.Close() })
	for _, name := range names {
		if err := a.Add(r.t.Context(), accounts.Account{Name: name, Role: login.Administrator}, "correct horse battery"); err != nil {
			r.t.Fatal(err)
		}
	}
	return a
}

const inhabited = plain + "[console]\nlisten = [\"unix:DIR/pages\"]\nfile = \"DIR/console.db\"\n"

// TestPeople: a person logs in to the daemon's console, another process closes the account, and a reload names
// another file.
func TestPeople(t *testing.T) {
	r := start(t, t.TempDir(), inhabited)
	r.await("log", `"ready"`)
	a := r.accounts("console.db", "ann")
	v := r.visitorOf("pages")
	if page, at := v.get("/account"); at != "/login" || !strings.Contains(page, `name="password"`) || !strings.Contains(page, "<!DOCTYPE html>") {
		t.Errorf("%s %s", at, page)
	}
	if page, at := v.post("/login", "name", "ann", "password", "correct horse battery", "next", "/account"); at != "/account" || !strings.Contains(page, "<bdi>ann</bdi>") {
		t.Errorf("%s %s", at, page)
	}
	r.visitorOf("pages").post("/login", "name", "ann\n\x1b[31m", "password", "wrong horse battery")
	r.await("log", `"log-in refused"`)
	if text, err := os.ReadFile(filepath.Join(r.dir, "log")); err != nil || strings.Contains(string(text), "horse") || strings.Contains(string(text), "\x1b") {
		t.Errorf("%s %v", text, err)
	}
	ann, err := a.ByName(t.Context(), "ann")
	if err == nil {
		err = a.SetDisabled(t.Context(), ann.ID, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, at := v.get("/account"); at != "/login" {
		t.Errorf("the account is closed, and %s is shown", at)
	}
	r.accounts("other.db", "ann")
	r.reload(strings.Replace(inhabited, "console.db", "other.db", 1) + "idle = \"5m\"\n")
	r.await("log", `"generation":2`)
	if page, at := v.post("/login", "name", "ann", "password", "correct horse battery", "next", "/account"); at != "/account" {
		t.Errorf("%s %s", at, page)
	}
	r.reload(inhabited + "idle = \"1s\"\n")
	r.await("log", "console.idle")
	if _, at := v.get("/account"); at != "/account" {
		t.Errorf("after a reload that failed %s is shown", at)
	}
}

// TestClientCertificates: a person whose certificate the configured authority has made gets in by it, over HTTPS
// that the daemon itself speaks, and one whose it has not made gets no connection.
func TestClientCertificates(t *testing.T) {
	server, client, stranger := servers.NewCertificate(t, "localhost", "127.0.0.1"), servers.NewCertificate(t, "ann"), servers.NewCertificate(t, "ann")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	r := start(t, t.TempDir(), plain+fmt.Sprintf("[console]\nlisten = [\"tcp:%s\"]\nfile = \"DIR/console.db\"\ncertificate = %q\nkey = %q\nclient_ca = %q\n",
		address, server.File, server.Key, client.File))
	r.await("log", `"ready"`)
	r.accounts("console.db", "ann")
	with := func(c *servers.Certificate) *visitor {
		trust := &tls.Config{InsecureSkipVerify: true}
		if c != nil {
			pair, err := tls.LoadX509KeyPair(c.File, c.Key)
			if err != nil {
				t.Fatal(err)
			}
			trust.Certificates = []tls.Certificate{pair}
		}
		return r.visitor("https://"+address, trust, nil)
	}
	if page, at := with(nil).post("/login/certificate"); at != "/login/certificate" || strings.Contains(page, "<bdi>ann</bdi>") {
		t.Errorf("without a certificate %s is shown", at)
	}
	v := with(&client)
	if page, _ := v.get("/login"); !strings.Contains(page, `action="/login/certificate"`) {
		t.Errorf("the certificate is not seen: %s", page)
	}
	if page, at := v.post("/login/certificate", "next", "/account"); at != "/account" || !strings.Contains(page, "<bdi>ann</bdi>") {
		t.Errorf("%s %s", at, page)
	}
	u, _ := url.Parse(v.site)
	for _, c := range v.Jar.Cookies(u) {
		if !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("the cookie is called %s", c.Name)
		}
	}
	if _, err := with(&stranger).Get("https://" + address + "/login"); err == nil {
		t.Error("a certificate of nobody's is taken")
	}
}
