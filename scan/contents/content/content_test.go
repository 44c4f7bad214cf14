package content

import (
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/scantest"
)

func TestContract(t *testing.T) {
	c := DefaultConfig()
	s, err := New(c, With{Texts: texts.New(c.Limits, texts.Everything)})
	if err != nil {
		t.Fatal(err)
	}
	scantest.Run(t, s, Catalogue()...)
}

var elementRows = []struct{ name, html, rules string }{
	{"H1 form", "text <form action=http://x.test><input><button onclick=go()>Go</button></form>", "event-handler form"},
	{"H2 script", "text <SCRIPT\n>alert(1)\n</SCRIPT\n>", "script"},
	{"H2 data about the order", `text <script type="application/ld+json">{"@type":"Order"}</script>`, ""},
	{"H4 iframe", "text <iframe src=http://x.test></iframe>", "iframe"},
	{"H4 iframe with a script", "text <IFRAME SRC=javascript:alert(1)>", "iframe link-script"},
	{"H4 nested", "text <div><iframe><iframe src=x></iframe></iframe></div>", "iframe"},
	{"H4 frameset", "<frameset><frame src=http://x.test>", "external-body iframe"},
	{"H5 object", "text <object data=http://x.test codebase=y></object>", "object"},
	{"H5 class", `text <object classid="clsid:0002E559-0000-0000-C000-000000000046">`, "object"},
	{"H5 embed and applet", "text <embed src=http://x.test><applet code=a.class>", "applet embed"},
	{"H6 svg", "text <svg onload=alert(1)>", "event-handler"},
	{"H6 body", "<body onload=alert(1)>text", "event-handler"},
	{"H6 link", "<a onclick=alert(1) href=http://x.test>text</a>", "event-handler"},
	{"H6 refresh", `text <meta http-equiv="Refresh" content="0;url=http://x.test">`, "meta-refresh"},
	{"H6 style sheet", `text <link rel=stylesheet href=http://x.test/a.css>`, "remote-style"},
	{"H6 style", `text <style>p{background:url(http://x.test/a)}</style>`, "remote-style"},
	{"H6 import", `text <style>@import "//x.test/a";</style>`, "remote-style"},
	{"H6 own style", `text <style>p{background:url(cid:1)}</style><link rel=icon href=http://x.test>`, ""},
	{"H7 1×1", "text <img src=http://x.test/a width=1 height=1>", "web-bug"},
	{"H7 2×2", "text <img src=http://x.test/a width=2 height=2>", "web-bug"},
	{"H7 0×0", "text <img src=http://x.test/a width=0 height=0>", "web-bug"},
	{"H7 1px", `text <img src=//x.test/a width="1px" height="1px">`, "web-bug"},
	{"H7 by style", `text <img src=http://x.test/a style="WIDTH: 1px; height:1px !important">`, "web-bug"},
	{"H7 hidden", `text <img src=http://x.test/a style="display:none">`, "web-bug"},
	{"H7 width alone", "text <img src=http://x.test/a width=1>", "web-bug"},
	{"H7 a line", "text <img src=http://x.test/a width=600 height=1>", ""},
	{"H7 a logo", "text <img src=http://x.test/a width=200 height=60 alt=Shop>", ""},
	{"H7 no size", "text <img src=http://x.test/a>", ""},
	{"H7 all of it", "text <img src=http://x.test/a width='100%' height=1>", ""},
	{"H9 in the mail", "text <img src=cid:1 width=1 height=1>", ""},
	{"H9 for layout", "text <img src=http://x.test/i/Spacer.gif?1 width=1 height=1>", ""},
	{"H11 known host", "text <img src=https://mailtrack.io/trace/x width=200 height=60>", "web-bug"},
	{"H12 half a page", "text <form", "form"},
	{"H12 UTF-7 by label", "text +ADw-form+AD4-", ""},
	{"hidden text", "<div style=display:none>" + strings.Repeat("lorem ipsum ", 50) + "</div>text to be read", "hidden-text"},
	{"a preview line", "<div style=display:none>Our offers of this week</div>text to be read", ""},
	{"remote only", `<a href=http://x.test><img src=http://x.test/a.png width=600 height=800></a>`, "external-body"},
	{"remote and own", `<img src=http://x.test/a.png><img src=cid:1>`, ""},
	{"nothing but a bug", `<img src=http://x.test/a.png width=1 height=1>`, "web-bug"},
	{"empty", "", ""},
}

func TestElements(t *testing.T) {
	for _, row := range elementRows {
		rules, details := found(t, DefaultConfig(), body(row.html))
		if got := strings.Join(rules, " "); got != row.rules {
			t.Errorf("%s: %s\n\tfinds %q, want %q\n%s", row.name, row.html, got, row.rules, details)
		}
	}
}

var pretext = "<html><body>text to be read "

// payload is data as long as a small program.
var payload = strings.Repeat("TVqQAAMAAAAEAAAA//8AALgAAAAAAAAA", 200)

var fileRows = []struct {
	name  string
	parts []scan.Part
	rules string
}{
	{"page with a script", []scan.Part{part("text/html", "a.html", pretext+"<SCRIPT>\nx()</SCRIPT>")}, "html-attachment"},
	{"page with a form", []scan.Part{part("application/octet-stream", "a.htm", pretext+"<form action=http://x.test>")}, "html-attachment"},
	{"plain page", []scan.Part{part("text/html", "a.html", pretext+"<img src=http://x.test width=1 height=1>")}, ""},
	{"page with a false link", []scan.Part{part("text/html", "a.html", pretext+link("http://evil.test", "www.bank.com"))}, "link-mismatch"},
	{"page in an archive", []scan.Part{{Parent: -1, Path: "1/a.html", Names: []string{"a.html"}, Archived: true, Content: scantest.Bytes([]byte("<form>"))}}, "html-attachment"},
	{"declared attachment", []scan.Part{{Parent: -1, Path: "1", Type: "text/html", Entity: &entity.Entity{Disposition: "attachment"}, Content: scantest.Bytes([]byte("<form>"))}}, "html-attachment"},
	{"svg, which the document scanner judges", []scan.Part{part("image/svg+xml", "a.svg", "<svg><script>alert(1)</script></svg>")}, ""},
	{"svg with a false link", []scan.Part{part("image/svg+xml", "a.svg", "<svg><a href='http://evil.test'><text>www.bank.com</text></a></svg>")}, "link-mismatch"},
	{"smuggled by blob", []scan.Part{part("text/html", "a.html", "<script>var b=new Blob([atob(d)]);a.href=URL.createObjectURL(b);a.download='x.iso';a.click()</script>")}, "html-attachment smuggling"},
	{"smuggled for Internet Explorer", []scan.Part{part("text/html", "a.html", "<script>d='"+payload+"';navigator.msSaveOrOpenBlob(new Blob([d]))</script>")}, "html-attachment smuggling"},
	{"smuggled as numbers", []scan.Part{part("text/html", "a.html", "<script>d=["+strings.Repeat("77,90,144,0,", 500)+"];u=URL.createObjectURL(new Blob([new Uint8Array(d)]))</script>")}, "html-attachment smuggling"},
	{"smuggled in an attribute", []scan.Part{part("text/html", "a.html", "<input id=d value='"+payload+"'><script>document.write(atob(document.getElementById('d').value))</script>")}, "html-attachment smuggling"},
	{"smuggled in a handler", []scan.Part{part("text/html", "a.html", "<img src=x onerror=\"location='data:text/html;base64,'+atob('"+payload+"')\">")}, "html-attachment smuggling"},
	{"a small file to be saved", []scan.Part{part("text/html", "a.html", "<a download='invoice.zip' href='data:application/zip;base64,UEsDBA=='>open</a>")}, "link-script smuggling"},
	{"a small file without a name", []scan.Part{part("text/html", "a.html", "<a href='data:application/octet-stream;base64,UEsDBA==' DOWNLOAD>open</a>")}, "link-script smuggling"},
	{"a small file by its name", []scan.Part{part("text/html", "a.html", "<a download='a.hta' href='data:text/plain,x'>open</a>")}, "link-script smuggling"},
	{"a small file by its type", []scan.Part{part("text/html", "a.html", "<a download='a.txt' href='data:text/html,x'>open</a>")}, "link-script smuggling"},
	{"a small file fetched", []scan.Part{part("text/html", "a.html", "<script>fetch( 'data:application/zip;base64,UEsDBA==').then(r=>r.blob()).then(b=>{a.href=URL.createObjectURL(b)})</script>")}, "html-attachment smuggling"},
	{"a table to be saved", []scan.Part{part("text/html", "a.html", "<a download='table.csv' href='data:text/csv;charset=utf-8,a,b'>as a table</a>")}, "link-script"},
	{"a picture to be saved", []scan.Part{part("text/html", "a.html", "<a download='plot.png' href='data:image/png;base64,iVBORw=='>as a picture</a>")}, "link-script"},
	{"a download from elsewhere", []scan.Part{part("text/html", "a.html", "<a download='a.zip' href='https://example.com/a.zip'>open</a>")}, ""},
	{"a file in a link", []scan.Part{part("text/html", "", pretext+"<a download=x.iso href='data:application/octet-stream;base64,"+payload+"'>open</a>")}, "link-script smuggling"},
	{"a picture in the page", []scan.Part{part("text/html", "", pretext+"<img src='data:image/png;base64,"+payload+"'>")}, ""},
	{"a library in an archive", []scan.Part{{Parent: -1, Path: "1/a.html", Names: []string{"a.html"}, Archived: true, Content: scantest.Bytes([]byte("<script>String.fromCharCode(1);x.innerHTML='" + payload + "'</script>"))}}, "html-attachment"},
	{"an empty page beside text", []scan.Part{part("text/plain", "", "the text of the message"), part("text/html", "", "<img src=http://x.test/a.png>")}, ""},
	{"HTML in a plain text", []scan.Part{{Parent: -1, Path: "1", Type: "text/plain", Sniffed: "text/html", Entity: &entity.Entity{Type: "text/plain"}, Content: scantest.Bytes([]byte("<html>text to be read<form>"))}}, "form"},
	{"a letter about HTML", []scan.Part{part("text/plain", "", "Do not write <form> and <script>, please")}, ""},
}

func TestFiles(t *testing.T) {
	for _, row := range fileRows {
		rules, details := found(t, DefaultConfig(), &scan.Message{Parts: row.parts})
		if got := strings.Join(rules, " "); got != row.rules {
			t.Errorf("%s: finds %q, want %q\n%s", row.name, got, row.rules, details)
		}
	}
}

// TestCharsets has the same link in the charsets that hide ASCII.
func TestCharsets(t *testing.T) {
	wide := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			b.WriteByte(byte(r))
			b.WriteByte(0)
		}
		return b.String()
	}
	page := link("http://evil.test", "www.bank.com")
	for label, content := range map[string]string{
		"utf-16le":    wide(page),
		"utf-7":       strings.NewReplacer("<", "+ADw-", ">", "+AD4-", "\"", "+ACI-").Replace(page),
		"iso-2022-jp": strings.ReplaceAll(page, "bank", "ba\x1b(Bnk"),
		"utf-16":      page,
		"":            "\xff\xfe" + wide(page),
	} {
		m := body(content)
		m.Parts[0].Entity.Charset = label
		if rules, _ := found(t, DefaultConfig(), m); strings.Join(rules, " ") != fraud {
			t.Errorf("%s: found %q", label, rules)
		}
	}
}

func TestLimitsAreFindings(t *testing.T) {
	c := DefaultConfig()
	c.Limits.Links = 10
	if rules, _ := found(t, c, body(strings.Repeat("<a href=http://x.test>text</a>", 11))); strings.Join(rules, " ") != "limit" {
		t.Errorf("found %q", rules)
	}
	c = DefaultConfig()
	c.Limits.Total = 10
	if rules, _ := found(t, c, body("text that is too long")); strings.Join(rules, " ") != "limit" {
		t.Errorf("found %q", rules)
	}
}

func TestManyPagesMakeFewFindings(t *testing.T) {
	m := &scan.Message{}
	for range 200 {
		m.Parts = append(m.Parts, part("text/html", "a.html", "<form>"))
	}
	if rules, _ := found(t, DefaultConfig(), m); len(rules) != perRule {
		t.Errorf("%d findings", len(rules))
	}
}

func TestScores(t *testing.T) {
	c := DefaultConfig()
	c.Scores = map[string]float64{"form": 7.5}
	s, err := New(c, With{Texts: texts.New(c.Limits, texts.Everything)})
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Scan(t.Context(), body("text <form>"))
	if err != nil || len(f) != 1 || f[0].Score != 7.5 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if err := DefaultConfig().Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		`"http://x.test" is no domain`: func(c *Config) { c.Bad = []string{"http://x.test"} },
		`"*.x.test" is no domain`:      func(c *Config) { c.Safe = []string{"*.x.test"} },
		`"x.test" is no redirector`:    func(c *Config) { c.Redirectors = []string{"x.test"} },
		"no finding content/from":      func(c *Config) { c.Scores = map[string]float64{"from": 1} },
		"cannot be negative":           func(c *Config) { c.BugSize = -1 },
	} {
		c := DefaultConfig()
		change(&c)
		if _, err := New(c, With{Texts: texts.New(c.Limits, texts.Everything)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestPhishingIsText(t *testing.T) {
	var p Phishing
	if err := p.UnmarshalText([]byte("strict")); err != nil || p != PhishingStrict {
		t.Errorf("%q, %v", p, err)
	}
	if err := p.UnmarshalText([]byte("some")); err == nil {
		t.Error("an unknown word is taken")
	}
}
