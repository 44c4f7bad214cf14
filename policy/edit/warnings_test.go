package edit

import (
	"fmt"
	"html"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// hostile are the shapes of address that are an objection by themselves, and some
// that are none.
var hostile = []string{
	"http://198.51.100.7/x", "http://0x7f.1/", "http://3325256711/", "http://[2001:db8::1]:8080/", "http://198.51.100.7", "198.51.100.7/x", `http:\\198.51.100.7\x`,
	"http://www.bank.com@evil.test/", "http://user:secret@198.51.100.7/", "http://pаypal.com/", "http://xn--pypal-4ve.com/x", "www.pаypal.com/x",
	"http://bad.test/x", "www.bad.test", "bad.test/x", "https://www.bank.com/", "bank.com/login", "eve@evil.test", "mailto:eve@evil.test", "",
	"ftp://198.51.100.7/", "ws://198.51.100.7/", "see 'http://198.51.100.7/', www.198.51.100.7.evil.test", "file://198.51.100.7/share", `\\198.51.100.7\share`,
}

// carriers put such an address into one that is to go, or that a warning is for.
var carriers = []string{
	"javascript:location='%s'", "data:text/html,<a href=%s>", "vbscript:go('%s')", "view-source:%s", "mhtml:%s!x", "jar:%s!/x",
	"ms-word:ofe|u|%s", "ms-excel:ofv|u|%s", "search-ms:query=x&crumb=location:%s", "ms-msdt:/id %s", "file:%s", "ldap:%s", "hcp:%s", "%s",
	"https://www.google.com/url?q=%s", "http://evil.test/?u=%s", "mailto:%s",
}

// spots are where in a page an address is followed.
var spots = []string{
	`<p>Hello <a href="%s">click</a> more`, `<p><a href="%s">www.bank.com</a>`, `<a href="%s">bob@example.com</a>`, `<a href="%s"><img src=cid:1></a>`,
	`<map><area href="%s" alt="www.bank.com"></map>`, `<form action="%s"><input></form>`, `<p>text<button formaction="%s">Go</button>`,
	`<!--[if mso]><v:rect href="%s">www.bank.com</v:rect><![endif]-->`, `<v:rect href="%s"><a href="http://www.example.com/">here</a></v:rect>`,
	`<a href="http://www.example.com/">here <a href="%s">there</a></a>`, `<a href="http://www.example.com/"><v:oval href="%s">there</v:oval></a>`,
	`<a href="http://www.example.com/"><map><area href="%s"></map></a>`, `<v:rect href="http://www.example.com/">here <a href="%s">there</a></v:rect>`,
	`<a href="http://www.example.com/">www.example.com</a><a href="%s">there</a>`, `http://www.<a href="%s">there</a>`, `<td background="%s">x`,
	`<meta http-equiv=refresh content="0;url=%s">text`, `<iframe src="%s"></iframe>text`, `<svg><a xlink:href="%s"><text>x</text></a></svg>`,
	`<svg><style><p><a href="%s">there</a></style>`, `<noscript><!--</noscript><a href="%s">www.bank.com</a><!-- -->`,
	`<svg><![CDATA[><!-- ]]></svg><a href="%s">there</a><!-- -->`,
}

// TestNoWarningIsAnObjection takes links of every kind out of pages, or warns of
// them, in every place: the words that are put there must be no address that a
// client, or this scanner, would follow.
func TestNoWarningIsAnObjection(t *testing.T) {
	b := newBench(t)
	b.content = b.contentWith(func(c *contentConfig) { c.Bad, c.HiddenLinks = []string{"bad.test"}, true })
	b.editor.Pages = b.content
	n := 0
	for i, spot := range spots {
		for j, carrier := range carriers {
			for k, address := range hostile {
				if (i+j+k)%4 > 0 {
					continue // every pair is there all the same
				}
				target := strings.Replace(carrier, "%s", address, 1)
				page := fmt.Sprintf(spot, html.EscapeString(target))
				n += b.warned(page)
			}
		}
	}
	t.Logf("%d edits", n)
}

// warned disarms a page as a whole and for each finding by itself, and returns how
// often something was edited.
func (b *bench) warned(page string) (n int) {
	b.Helper()
	m := b.opened(htmlMail(page))
	defer m.Close()
	all := b.judged(m)
	jobs := []Job{all}
	for _, f := range all.Found {
		if f.Kind == scan.Suspicious && len(all.Found) > 1 {
			jobs = append(jobs, b.job(m, policy.Disarm, f))
		}
	}
	before := rulesOf(all.Found)
	for _, job := range jobs {
		if len(job.Edits) == 0 {
			continue
		}
		out, err := b.apply(job)
		if err != nil {
			b.Errorf("%s: %v for %v", page, err, rulesOf(job.Found))
			continue
		}
		after := b.opened(out)
		p, err := b.editor.pageAt(after, b.part(after, "2"))
		if err != nil {
			b.Fatal(err)
		}
		for _, o := range b.content.Objections(p) {
			inText := o.Link >= 0 && p.Links[o.Link].Where == markup.InText
			if !before[o.Rule] && (inText || !slices.Contains(warns, o.Rule)) {
				b.Errorf("%s becomes %s, which is %s", page, b.body(after, "2"), o.Rule)
			}
		}
		if again, err := b.apply(b.judged(after)); err != nil || again != out && len(jobs) == 1 {
			b.Errorf("%s becomes %s, and then (%v) %s", page, b.body(after, "2"), err, again)
		}
		after.Close()
		n++
	}
	return n
}

func rulesOf(found []scan.Finding) map[string]bool {
	rules := map[string]bool{}
	for _, f := range found {
		rules[f.Rule] = true
	}
	return rules
}

// TestWarningsOfAdministrators may hold addresses of theirs.
func TestWarningsOfAdministrators(t *testing.T) {
	b := newBench(t)
	for _, help := range []string{"http://198.51.100.9/help", "http://help@desk.test/", "http://pаypal.com/", "www.bank.com", "help@desk.test"} {
		b.editor.LinkWarning, b.editor.LinkRemoved = "Caution, "+help+": {place}", "Gone, "+help+": {place}"
		for _, page := range []string{
			`<a href="javascript:x()">text</a>`, link("http://evil.test", "www.bank.com"), `<a href="ms-word:ofe|u|http://198.51.100.7/">text</a>`,
			`<a href="http://www.example.com/"><v:oval href="javascript:x()">there</v:oval></a>`,
		} {
			if _, err := b.apply(b.judged(b.open(htmlMail(page)))); err != nil {
				t.Errorf("%s, for %s: %v", help, page, err)
			}
		}
	}
}

// pageAt reads the page of a part.
func (e *Editor) pageAt(m *scan.Message, part int) (*markup.Page, error) {
	c := m.Parts[part].Content
	return markup.ReadHTML(markup.NewSource(c, c.Size(), "utf-8"), e.Markup)
}
