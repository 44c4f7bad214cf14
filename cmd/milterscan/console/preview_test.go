package console

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// hostilePages act in the ways that browsers know.
var hostilePages = []string{
	`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg onload=alert(1)>`, `<body onload=alert(1)>`, `<iframe src="javascript:alert(1)"></iframe>`, `<a href="javascript:alert(1)">x</a>`,
	`<form action="http://evil.test"><input name=p><button formaction="javascript:alert(1)">go</button></form>`, `<meta http-equiv="refresh" content="0;url=http://evil.test">`, `<link rel=stylesheet href="http://evil.test/x.css">`,
	`<style>@import "http://evil.test/x.css"; body{background:url(http://evil.test/y)}</style>`, `<p style="background:url(http://evil.test/z)">x</p>`, `<object data="http://evil.test/x"></object>`, `<embed src="http://evil.test/x">`,
	`<base href="http://evil.test/">`, `<img src="http://evil.test/bug.gif" width=1>`, `<img srcset="http://evil.test/a 1x">`, `<video src="http://evil.test/v" poster="http://evil.test/p"></video>`, `<table background="http://evil.test/b"><tr><td>x</table>`,
	`<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`, `<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<template><script>alert(1)</script></template>`, `<img src="cid:a onerror=alert(1)">`,
	`<img src='cid:x" onerror="alert(1)'>`, `<a href="http://evil.test" ping="http://evil.test/p">x</a>`, `<applet code=x></applet>`, "<scr\x00ipt>alert(1)</scr\x00ipt>", `<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>`,
	`<input autofocus onfocus=alert(1)>`, `<details open ontoggle=alert(1)>x</details>`, `<xss style="animation:x" onanimationstart=alert(1)>`, `<isindex action="javascript:alert(1)">`,
}

// acts lists what in a page acts, or leads or fetches elsewhere.
func actsIn(t *testing.T, page string) (odd []string) {
	t.Helper()
	root, err := html.ParseWithOptions(strings.NewReader(page), html.ParseOptionEnableScripting(false)) // as in a frame without rights
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains(strings.Fields("script iframe object embed applet form input button link meta base style svg math video audio template frame"), n.Data) {
			odd = append(odd, "<"+n.Data+">")
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "href" || a.Key == "srcset" || a.Key == "background" || a.Key == "src" && !strings.HasPrefix(a.Val, "cid:") {
				odd = append(odd, n.Data+" "+a.Key+"="+a.Val)
			}
		}
	}
	return odd
}

// TestTheListOfElementsAlone has nothing but the second lock: no page gets through it with
// anything that acts or fetches.
func TestTheListOfElementsAlone(t *testing.T) {
	for _, page := range hostilePages {
		if odd := actsIn(t, clean(page)); len(odd) > 0 {
			t.Errorf("%q: %q", page, odd)
		}
	}
	if got := clean(`<h1>a</h1><table><tr><td colspan="2">b</td></tr></table><img src="cid:logo" alt="c">`); !strings.Contains(got, `colspan="2"`) || !strings.Contains(got, `src="cid:logo"`) {
		t.Errorf("%q", got)
	}
}

// TestDisarmAlone has nothing but the first lock: no script is left, nor anything that
// sends a form or leads away by itself.
func TestDisarmAlone(t *testing.T) {
	s := newSite(t)
	for _, page := range hostilePages {
		s.keep(hostileRecord(1, "x"), "Content-Type: text/html\r\n\r\n"+page+"\r\n")
		o, err := s.stores.Open(t.Context(), id(1))
		if err != nil {
			t.Fatal(err)
		}
		at, err := partOf(o, "0")
		if err != nil {
			t.Fatal(err)
		}
		got, err := pageText(t.Context(), o, at)
		o.Close()
		if err != nil {
			continue // and nothing is shown
		}
		for _, odd := range actsIn(t, got) {
			for _, what := range []string{"<script>", "<form>", "<iframe>", "<object>", "<embed>", "<applet>", " on", "javascript:"} {
				if strings.Contains(odd, what) {
					t.Errorf("%q: %q in %q", page, odd, got)
				}
			}
		}
	}
}

// TestTheFrameAlone looks at the third lock: a frame without rights, around a document that
// may load nothing but pictures of ours and is itself in a sandbox, wherever it is opened.
func TestTheFrameAlone(t *testing.T) {
	s := keptSite(t)
	page := s.ask("GET", "/quarantine/"+id(1)+"/content", "root", nil).Body.String()
	frame := regexp.MustCompile(`<iframe sandbox title="[^"]*" src="([^"]*)"`).FindStringSubmatch(page)
	if frame == nil || strings.Contains(page, "allow-") {
		t.Fatalf("%s", page)
	}
	got := s.ask("GET", frame[1], "root", nil)
	want := "default-src 'none'; img-src 'self'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'; sandbox"
	if csp := got.Header().Get("Content-Security-Policy"); got.Code != 200 || csp != want || got.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %q", got.Code, csp)
	}
	body := got.Body.String()
	if odd := actsIn(t, strings.NewReplacer(`<meta charset="utf-8">`, "", `<meta name="color-scheme" content="light">`, "").Replace(body)); len(odd) > 0 ||
		!strings.Contains(body, "<h1>The Bank</h1>") || strings.Contains(body, "canary") || strings.Contains(body, "alert") {
		t.Errorf("%q in %s", odd, body)
	}
}

// TestPictures shows those of the message only, on demand, by addresses that no person can
// guess and that end.
func TestPictures(t *testing.T) {
	s := keptSite(t)
	content := s.ask("GET", "/quarantine/"+id(1)+"/content", "root", nil).Body.String()
	n := regexp.MustCompile(`/page/(\d+)"`).FindStringSubmatch(content)[1]
	if without := s.ask("GET", "/quarantine/"+id(1)+"/page/"+n, "root", nil).Body.String(); strings.Contains(without, "src=") {
		t.Errorf("%s", without)
	}
	page := s.ask("GET", "/quarantine/"+id(1)+"/page/"+n+"?pictures=1", "root", nil).Body.String()
	addresses := regexp.MustCompile(`src="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(addresses) != 1 || !strings.HasPrefix(addresses[0][1], "/picture/"+id(1)+"/") {
		t.Fatalf("%q in %s", addresses, page)
	}
	at := addresses[0][1]
	got := s.ask("GET", at, "", nil)
	if got.Code != 200 || got.Header().Get("Content-Type") != "image/png" || got.Header().Get("X-Content-Type-Options") != "nosniff" ||
		!strings.Contains(got.Header().Get("Content-Security-Policy"), "sandbox") || !bytes.HasPrefix(got.Body.Bytes(), []byte("\x89PNG")) {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	parts := strings.Split(at, "/")
	for _, wrong := range []string{strings.Replace(at, parts[4], "99999999999", 1), at[:len(at)-1] + "0", strings.Replace(at, id(1), id(2), 1), strings.Replace(at, "/"+parts[3]+"/", "/0/", 1)} {
		if got := s.ask("GET", wrong, "root", nil); got.Code != http.StatusNotFound && wrong != at {
			t.Errorf("%s: %d", wrong, got.Code)
		}
	}
	s.Console.Now = func() time.Time { return time.Now().Add(time.Hour) }
	if got := s.ask("GET", at, "root", nil); got.Code != http.StatusNotFound {
		t.Errorf("an hour later: %d", got.Code)
	}
}

// TestDownloads hands over parts as files that no browser shows, or in an archive that only
// the password opens.
func TestDownloads(t *testing.T) {
	s := keptSite(t)
	whole := s.ask("GET", "/quarantine/"+id(1)+"/file/message", "root", nil)
	if whole.Body.String() != hostileMail || whole.Header().Get("Content-Type") != "application/octet-stream" ||
		whole.Header().Get("Content-Disposition") != "attachment; filename="+id(1)+".eml" || !strings.Contains(whole.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%v", whole.Header())
	}
	zipped := s.ask("GET", "/quarantine/"+id(1)+"/file/message?zip=1", "root", nil).Body.Bytes()
	r, err := zip.NewReader(bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil || len(r.File) != 1 || r.File[0].Flags&1 == 0 {
		t.Fatalf("%v %+v", err, r)
	}
	raw, err := r.File[0].OpenRaw()
	if err != nil {
		t.Fatal(err)
	}
	secret, err := io.ReadAll(raw)
	if err != nil || bytes.Contains(secret, []byte("Subject")) {
		t.Fatalf("%v %q", err, secret)
	}
	if got := decrypted(secret); string(got) != hostileMail {
		t.Errorf("%q", got)
	}
	for who, want := range map[string]int{"desk": 403, "audit": 403, "own": 200, "other": 200, "": 303} {
		if got := s.ask("GET", "/quarantine/"+id(1)+"/file/message", who, nil); got.Code != want {
			t.Errorf("%s: %d", who, got.Code)
		}
	}
	if got := s.ask("GET", "/quarantine/"+id(2)+"/file/message", "other", nil); got.Code != 404 {
		t.Errorf("another's: %d", got.Code)
	}
	for _, part := range []string{"99", "-1", "x", "1.2", "../message"} {
		if got := s.ask("GET", "/quarantine/"+id(1)+"/file/"+part, "root", nil); got.Code != 404 && got.Code != 307 {
			t.Errorf("part %s: %d", part, got.Code)
		}
	}
}

// decrypted undoes the encryption of an archive's file, as APPNOTE.TXT tells it.
func decrypted(secret []byte) []byte {
	k := newZipKeys(zipPassword)
	out := make([]byte, len(secret))
	for i, c := range secret {
		t := uint16(k[2] | 2)
		out[i] = c ^ byte(t*(t^1)>>8)
		k.update(out[i])
	}
	return out[headerSize:]
}

// TestLooksAreWrittenDown: nobody sees the content of a message unless that is written
// down before.
func TestLooksAreWrittenDown(t *testing.T) {
	s := keptSite(t)
	paths := []string{"/content", "/page/2", "/file/message", "/file/1"}
	for _, path := range paths {
		before := len(s.audit)
		if got := s.ask("GET", "/quarantine/"+id(1)+path, "root", nil); got.Code != 200 || len(s.audit) != before+1 || s.audit[before].Person != "root" ||
			!strings.HasPrefix(s.audit[before].Object, id(1)) {
			t.Errorf("%s: %d %+v", path, got.Code, s.audit)
		}
	}
	s.noted = io.ErrUnexpectedEOF
	for _, path := range paths {
		got := s.ask("GET", "/quarantine/"+id(1)+path, "root", nil)
		if got.Code != http.StatusServiceUnavailable || strings.Contains(got.Body.String(), "Dear customer") {
			t.Errorf("%s without an audit log: %d", path, got.Code)
		}
	}
}

// TestFileNames makes names for files of what messages say.
func TestFileNames(t *testing.T) {
	for name, want := range map[string]string{"a.txt": "a.txt", "../../etc/passwd": "passwd", `C:\x\y.exe`: "y.exe", "": "other", "..": "other", "a\r\nSet-Cookie: x": "a__Set-Cookie_ x",
		"\u202egpj.exe": "_gpj.exe", "Ü b.pdf": "Ü b.pdf", "<x>": "_x_", "a/": "other"} {
		if got := fileName(name, "other"); got != want {
			t.Errorf("%q: %q, not %q", name, got, want)
		}
	}
}
