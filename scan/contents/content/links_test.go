package content

import (
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/scantest"
)

// body is a message of one page.
func body(html string) *scan.Message {
	return &scan.Message{Parts: []scan.Part{part("text/html", "", html)}}
}

func part(mediaType, name, content string) scan.Part {
	p := scan.Part{Parent: -1, Path: "1", Type: mediaType, Entity: &entity.Entity{Type: mediaType}, Content: scantest.Bytes([]byte(content))}
	if name != "" {
		p.Names = []string{name}
	}
	return p
}

// found are the findings a configuration has in a message: "link-mismatch", by
// rule, and their details.
func found(t testing.TB, c Config, m *scan.Message) (rules []string, details string) {
	t.Helper()
	s, err := New(c, With{Texts: texts.New(c.Limits, texts.Everything)})
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Scan(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	scantest.Check(t, s, m, all, Catalogue()...)
	for _, f := range all {
		rules = append(rules, strings.TrimPrefix(f.Rule, "content/"))
		details += f.Rule + ": " + f.Detail + "\n"
	}
	slices.Sort(rules)
	return rules, details
}

func link(href, text string) string {
	return fmt.Sprintf("<p>Hello <a href=\"%s\">%s</a></p>", href, text)
}

const (
	fraud   = "link-mismatch"
	numeric = "link-numeric"
)

// linkRows are the ways to deceive with links, and those not to. Rules are those
// found when hosts are compared by who registered them; strict is what is found
// beside them when they are compared as they are.
var linkRows = []struct {
	name   string
	html   string
	rules  string
	strict string
	detail string // part of what is told
}{
	{"P1 elsewhere", link("http://evil.test/x", "http://www.bank.com/"), fraud, "", "claims www.bank.com and leads to evil.test"},
	{"P2 without www", link("http://bank.com", "www.bank.com"), "", "", ""},
	{"P2 the reverse", link("http://www.bank.com", "bank.com"), "", "", ""},
	{"P2 without a scheme", link("www.bank.com", "http://bank.com/"), "", "", ""},
	{"P3 another host of the domain", link("http://login.bank.com", "www.bank.com"), "", fraud, ""},
	{"P4 the domain as a host", link("http://bank.com.evil.test", "www.bank.com"), fraud, "", "leads to bank.com.evil.test"},
	{"P5 below co.jp", link("www.nasty.co.jp", "www.nice.co.jp"), fraud, "", ""},
	{"P6 below co.uk", link("http://www.nasty.company.co.uk", "www.nice.company.co.uk"), "", fraud, ""},
	{"P7 no claim", link("http://click.esp.test", "Click here"), "", "", ""},
	{"P8 a claim in words", link("http://click.esp.test", "Visit Bank.com"), fraud, "", ""},
	{"P9 bad", link("http://www.bad.test/", "Click here"), "link-bad", "", "leads to www.bad.test"},
	{"P9 bad and honest", link("http://www.bad.test/", "http://www.bad.test/"), "link-bad", "", ""},
	{"P10 bad and safe", link("http://both.test/", "www.bank.com"), "", "", ""},
	{"P11 numeric", link("http://192.0.2.1/x", "Click here"), numeric, "", "192.0.2.1"},
	{"P12 numeric and honest", link("http://192.0.2.1/x", "http://192.0.2.1/x"), numeric, "", ""},
	{"P12 numeric and not", link("http://192.0.2.1/x", "www.bank.com"), fraud + " " + numeric, "", ""},
	{"P13 hexadecimal", link("http://0xC0000201", "Click here"), numeric, "", `192.0.2.1, written "0xC0000201"`},
	{"P13 one number", link("http://3221225985", "Click here"), numeric, "", ""},
	{"P13 octal", link("http://0300.0.02.1", "Click here"), numeric, "", ""},
	{"P13 IPv6", link("http://[2001:db8::1]/", "Click here"), numeric, "", ""},
	{"P13 in the own network", link("http://192.168.1.1/", "Click here"), "", "", ""},
	{"P13 in the own network, hidden", link("http://0xC0A80101/", "Click here"), numeric, "", ""},
	{"P15 a host as user", link("http://bank.com@evil.test", "www.bank.com"), fraud + " link-userinfo", "", `with "bank.com" before it`},
	{"P15 user and password", link("http://user:pw@www.bank.com", "www.bank.com"), "link-userinfo", "", ""},
	{"P16 the usual port", link("https://www.bank.com:443", "https://www.bank.com"), "", "", ""},
	{"P17 another port", link("https://www.bank.com:8080", "https://www.bank.com"), "", "", ""},
	{"P17 another port elsewhere", link("https://evil.test:8080", "https://www.bank.com"), fraud, "", "evil.test:8080"},
	{"P19 script", link("javascript:alert(1)", "www.bank.com"), "link-script", "", "javascript:alert(1)"},
	{"P19 script in disguise", link(" java\tscript&#58alert(1)", "www.bank.com"), "link-script", "", ""},
	{"P20 data", link("data:text/html;base64,PGI+", "www.bank.com"), "link-script", "", ""},
	{"P21 any suffix", link("http://evil.test", "bank.de"), fraud, "", ""},
	{"P21 another one", link("http://evil.test", "bank.io"), fraud, "", ""},
	{"P21 with a path", link("http://evil.test", "bank.de/login"), fraud, "", ""},
	{"P23 spaced", link("http://evil.test", "w w w . b a n k . c o m"), fraud, "", ""},
	{"P24 in pieces", link("http://evil.test", "<b>www.</b>bank<i>.com</i>"), fraud, "", ""},
	{"P24 no end tag", "<a href=http://evil.test>www.bank.com", fraud, "", ""},
	{"P24 no end of the tag", `<a href="http://evil.test>www.bank.com</a>`, fraud, "", ""},
	{"P25 a picture", link("http://evil.test", `<img src=cid:1 alt="www.bank.com">`), fraud, "", ""},
	{"P26 base", "<base href=http://evil.test/>" + link("page.html", "www.bank.com"), fraud, "", "leads to evil.test"},
	{"P26 base behind", link("/page.html", "www.bank.com") + "<base href=//evil.test>", "", "", ""},
	{"P27 another address", link("mailto:eve@example.com", "bob@example.com"), "link-mailto", "", "claims bob@example.com and writes to eve@example.com"},
	{"P28 the same address", link("mailto:bob@example.com", "Bob@Example.com"), "", "", ""},
	{"P28 in brackets", link("mailto:a@example.com", "&lt;a@example.com&gt;"), "", "", ""},
	{"P28 with references", `<a href="mailto:a&#64;example.com">a&#64example.com</a>`, "", "", ""},
	{"P28 with a subject", link("mailto:a@example.com?subject=b@example.com", "a@example.com"), "", "", ""},
	{"P28 a name", link("mailto:a@example.com", "Alice"), "", "", ""},
	{"P28 escaped", link("mailto:a%40example.com", "a@example.com"), "", "", ""},
	{"P29 telephone", link("tel:+1.800.555.1234", "1.800.555.1234"), "", "", ""},
	{"P29 fax", link("fax:+49.30.1234", "+49.30.1234"), "", "", ""},
	{"P31 look-alike", link("http://pаypal.com/", "pаypal.com"), "link-lookalike", "", "looks like paypal.com and is xn--pypal-4ve.com"},
	{"P32 look-alike behind the name", link("http://xn--pypal-4ve.com/", "www.paypal.com"), "link-lookalike " + fraud, "", ""},
	{"P33 checked by Microsoft", link("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.bank.com%2Fa&data=05", "https://www.bank.com"), "", "", ""},
	{"P33 checked, and elsewhere", link("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.test%2Fa&data=05", "https://www.bank.com"), fraud, "", "leads to evil.test"},
	{"P33 through a search engine", link("https://www.google.com/url?q=http://evil.test/&sa=D", "https://www.google.com"), fraud, "", "leads to evil.test"},
	{"P33 to a script", link("https://www.google.com/url?q=javascript:alert(1)", "Click here"), "link-script", "", ""},
	{"P34 counted at home", link("https://r.example.com/track", "https://www.example.com/page"), "", fraud, ""},
	{"P35 quoted", link("http://www.bank.com", "&ldquo;http://www.bank.com&rdquo;"), "", "", ""},
	{"P35 with a dot", link("http://www.bank.com", "www.bank.com."), "", "", ""},
	{"P35 with a comma", link("http://www.bank.com", "http://www.bank.com,"), "", "", ""},
	{"P35 upper case", link("http://EXAMPLE.COM", "Example.com"), "", "", ""},
	{"P35 escaped", link("http://ex%61mple.com", "example.com"), "", "", ""},
	{"P35 in a sentence", link("http://www.bank.com", "See www.bank.com, our site"), "", "", ""},
	{"P36 a claim behind words", link("http://evil.test", "Node.js at nodejs.org"), fraud, "", ""},
	{"P38 a product", link("http://evil.test", "asp.net"), "", "", ""},
	{"P37 two addresses, the false one first", `<a href="http://evil.test/" href="http://www.bank.com/">www.bank.com</a>`, fraud, "", "leads to evil.test"},
	{"P37 two addresses, the honest one first", `<a href="http://www.bank.com/" href="http://evil.test/">www.bank.com</a>`, "", "", ""},
	{"P22 full-width dots", link("http://evil.test/", "www．bank．com"), fraud, "", "claims www.bank.com"},
	{"P22 ideographic dots", link("http://evil.test/", "bank。com"), fraud, "", "claims bank.com"},
	{"P22 ideographic dots, honest", link("http://www.bank.com/", "www。bank。com"), "", "", ""},
	{"P38 a degree", link("http://click.esp.test", "B.Sc."), "", "", ""},
	{"P38 the seam of two sentences", link("http://click.esp.test", "Order now.It is cheap"), "", "", ""},
	{"P38 a file", link("https://share.example.com/d/1?dl=1", "holiday.zip"), "", "", ""},
	{"P38 what the file is called", link("https://code.example.com/blob/main/tools.io", "tools.io"), "", "", ""},
	{"P38 what the file is called, escaped", link("https://code.example.com/b%C3%BCcher.de?raw=1#L1", "bücher.de"), "", "", ""},
	{"P38 a file's name as the host", link("http://evil.test/www.bank.com", "www.bank.com"), fraud, "", ""},
	{"P38 a file's name in the middle", link("http://evil.test/bank.com/login", "bank.com"), fraud, "", ""},
	{"P38 a host that reads like a file", link("http://evil.test/", "www.bank.zip"), fraud, "", ""},
	{"P38 capital letters", link("http://evil.test/", "PayPal.com"), fraud, "", ""},
	{"P38 more capital letters", link("http://evil.test/", "PayPal.Com"), fraud, "", ""},
	{"P38 Colombia", link("http://evil.test/", "bank.co"), fraud, "", ""},
	{"P33 its own address", link("https://secure-web.cisco.com/1aB/https%3A%2F%2Fwww.bank.com%2Fx", "https://secure-web.cisco.com/1aB/https%3A%2F%2Fwww.bank.com%2Fx"), "", "", ""},
	{"P33 its own address, cut off", link("https://secure-web.cisco.com/1aB/https%3A%2F%2Fwww.bank.com%2Fx", "https://secure-web.cisco.com/1aB/https%3A%2F%2Fwww.ba…"), "", "", ""},
	{"P33 the search engine's, cut off", link("https://www.google.com/url?q=http://evil.test/", "https://www.google.com/url"), fraud, "", ""},
	{"P38 a product's site", link("http://evil.test", "www.asp.net"), fraud, "", ""},
	{"an address in a newsletter", link("http://click.esp.test/leave", "sent to bob@example.com"), "", "", ""},
	{"no web", link("http://click.esp.test", "version 2.1 of report.pdf"), "", "", ""},
	{"no scheme", link("//evil.test/x", "www.bank.com"), fraud, "", ""},
	{"backslashes", link(`http:\\evil.test\x`, "www.bank.com"), fraud, "", ""},
	{"in Outlook only", `<!--[if mso]><v:rect href="http://evil.test">www.bank.com</v:rect><![endif]-->`, fraud, "", ""},
	{"a map", `<map><area href="http://evil.test" alt="www.bank.com"></map>`, fraud, "", ""},
	{"a share", link(`file://evil.test/share`, "the report"), "link-program", "", ""},
	{"a share by its path", link(`\\evil.test\share\a.lnk`, "the report"), "link-program", "", ""},
	{"a share at a number", link(` \\198.51.100.7\share`, "www.bank.com"), "link-program", "", ""},
	{"a place without a scheme", link(`//www.example.org/x`, "the report"), "", "", ""},
	{"two addresses of SVG", `<a href="http://evil.test/" xlink:href="http://bank.com/">www.bank.com</a>`, fraud, "", "leads to evil.test"},
	{"two addresses of SVG, the reverse", `<a xlink:href="http://evil.test/" href="http://bank.com/">www.bank.com</a>`, "", "", ""},
	{"a search", link(`search-ms:query=x&crumb=location:\\evil.test`, "the report"), "link-program", "", ""},
	{"a button that sends", `<button formaction="http://example.com/">`, "form", "", "formaction"},
	{"a picture that sends", `<input type=image formaction="http://192.0.2.1/">`, "form " + numeric, "", ""},
	{"a button that sends nothing", `<button formaction="">Go</button>`, "", "", ""},
	{"compiled help", link(`mk:@MSITStore:\\evil.test\s\a.chm::/x.htm`, "the report"), "link-program", "", ""},
	{"compiled help by another name", link(`ms-its:http://evil.test/a.chm::/x.htm`, "the report"), "link-program", "", ""},
	{"a form", `<form action="http://192.0.2.1/">`, "form " + numeric, "", ""},
	{"in text", "go to http://3221225985/login", numeric, "", ""},
}

// testConfig has the lists that the rows speak of.
func testConfig() Config {
	c := DefaultConfig()
	c.Bad = []string{"bad.test", "both.test"}
	c.Safe = append(c.Safe, "both.test")
	return c
}

func TestLinks(t *testing.T) {
	strict := testConfig()
	strict.Phishing = PhishingStrict
	for _, row := range linkRows {
		rules, details := found(t, testConfig(), body(row.html))
		if got := strings.Join(rules, " "); got != row.rules {
			t.Errorf("%s: %s\n\tfinds %q, want %q\n%s", row.name, row.html, got, row.rules, details)
		}
		if !strings.Contains(details, row.detail) {
			t.Errorf("%s: details\n%swithout %q", row.name, details, row.detail)
		}
		rules, details = found(t, strict, body(row.html))
		want := strings.TrimSpace(row.rules + " " + row.strict)
		if got := strings.Join(rules, " "); got != want {
			t.Errorf("%s, strict: %s\n\tfinds %q, want %q\n%s", row.name, row.html, got, want, details)
		}
	}
}

// TestHiddenLinks has the option to show where every link leads.
func TestHiddenLinks(t *testing.T) {
	c := testConfig()
	c.HiddenLinks = true
	for html, want := range map[string]string{
		link("http://click.esp.test", "Click here"): "link-hidden", link("http://bank.com", "bank.com"): "", link("mailto:a@example.com", "Alice"): "", link("#top", "Top"): "",
	} {
		if rules, _ := found(t, c, body(html)); strings.Join(rules, " ") != want {
			t.Errorf("%s: %q, want %q", html, rules, want)
		}
	}
}

func TestComparisonCanBeOff(t *testing.T) {
	c := testConfig()
	c.Phishing = PhishingOff
	if rules, _ := found(t, c, body(link("http://evil.test", "www.bank.com")+link("http://192.0.2.1", "x"))); strings.Join(rules, " ") != numeric {
		t.Errorf("found %q", rules)
	}
}

func TestOneFindingForManyLinks(t *testing.T) {
	_, details := found(t, testConfig(), body(strings.Repeat(link("http://evil.test", "www.bank.com"), 5)))
	if want := "content/link-mismatch: \"www.bank.com\" claims www.bank.com and leads to evil.test, and 4 more\n"; details != want {
		t.Errorf("details %q, want %q", details, want)
	}
}

func TestSafeListHasItsReasons(t *testing.T) {
	if len(safe) > 50 {
		t.Errorf("%d domains", len(safe))
	}
	seen := map[string]bool{}
	for _, s := range safe {
		if s.why == "" || seen[s.domain] {
			t.Errorf("%+v", s)
		}
		seen[s.domain] = true
	}
}

// gatewayLinks are links as gateways and mailboxes rewrite them, with PLACE where
// the place is that they lead to; the functions write it as they do.
var gatewayLinks = []struct {
	link  string
	write func(string) string
}{
	{"https://eur01.safelinks.protection.outlook.com/?url=PLACE&data=05%7C02&reserved=0", url.QueryEscape},
	{"https://gcc02.safelinks.protection.outlook.com/GetUrlReputation?url=PLACE", url.QueryEscape},
	{"https://statics.teams.cdn.office.net/evergreen-assets/safelinks/1/atp-safelinks.html?url=PLACE&locale=en-us", url.QueryEscape},
	{"https://nam.safelink.emails.azure.net/redirect/?destination=PLACE&p=bT0", url.QueryEscape},
	{"https://urldefense.proofpoint.com/v1/url?u=PLACE&k=x", url.QueryEscape},
	{"https://urldefense.proofpoint.com/v2/url?u=PLACE&d=DwMF&c=x", proofpoint},
	{"https://urldefense.com/v3/__PLACE__;!!Abc!xyz$", asWritten},
	{"https://urldefense.us/v3/__PLACE__;!!Abc!xyz$", asWritten},
	{"https://linkprotect.cudasvc.com/url?a=PLACE&c=E,1,x&typo=1", url.QueryEscape},
	{"https://eu-central-1.protection.sophos.com/?d=HOST&u=PLACE&i=x&t=y", inBase64},
	{"https://eu-central-1.protection.sophos.com/?d=HOST", asWritten},
	{"https://secure-web.cisco.com/1xVfPp2/PLACE", url.QueryEscape},
	{"http://secure-web.cisco.com/1xVfPp2/PLACE?x=1", asWritten},
	{"https://clicktime.symantec.com/3abc/6H2?u=PLACE", url.QueryEscape},
	{"https://clicktime.symantec.com/a/1/abc=?d=xyz&u=PLACE", url.QueryEscape},
	{"https://imsva91-ctp.trendmicro.com:443/wis/clicktime/v1/query?url=PLACE&umid=1&auth=2", url.QueryEscape},
	{"https://ca-1910.ctp.trendmicro.com/wis/clicktime/v1/query?url=PLACE", strings.ToLower},
	{"https://protect2.fireeye.com/v1/url?k=1&q=1&e=2&u=PLACE", url.QueryEscape},
	{"https://protect2.fireeye.com/url?k=1&u=PLACE", asWritten},
	{"https://protect-us.mimecast.com/s/abc?domain=HOST", asWritten},
	{"https://url.uk.m.mimecastprotect.com/s/abc?domain=HOST", asWritten},
	{"https://atpscan.global.hornetsecurity.com/?d=1&f=2&u=PLACE", url.QueryEscape},
	{"https://protect.checkpoint.com/v2/___PLACE___.YXAxOm", asWritten},
	{"https://url.avanan.click/v2/___PLACE___.YXAxOm", asWritten},
	{"https://url.us.m.avanan.click/v2/r01/___PLACE___.YXAxOm", asWritten},
	{"https://r.search.yahoo.com/_ylt=AwrA/RV=2/RE=1770000000/RO=10/RU=PLACE/RK=2/RS=x-", url.QueryEscape},
	{"https://link.edgepilot.com/s/1/2?u=PLACE", url.QueryEscape},
	{"https://urlsand.esvalabs.com/?u=PLACE&e=1", url.QueryEscape},
	{"https://linklock.titanhq.com/analyse?url=PLACE&data=x", url.QueryEscape},
	{"https://scanmail.trustwave.com/?c=1&d=2&s=3&u=PLACE", url.QueryEscape},
	{"https://linkscan.io/scan/ux/PLACE/ABCDEF?c=1", inBase64},
	{"https://isolate.menlosecurity.com/1/3735928009/PLACE", asWritten},
	{"https://deref-gmx.net/mail/client/x/dereferrer/?redirectUrl=PLACE", url.QueryEscape},
	{"https://www.google.com/url?sa=t&q=PLACE&ust=1", url.QueryEscape},
	{"https://www.google.co.uk/url?url=PLACE", url.QueryEscape},
	{"https://www.bing.com/ck/a?!&&p=1&u=a1PLACE&ntb=1", inBase64},
	{"https://l.facebook.com/l.php?u=PLACE&h=AT0", url.QueryEscape},
	{"https://www.linkedin.com/safety/go?url=PLACE", url.QueryEscape},
	{"https://www.youtube.com/redirect?event=x&q=PLACE", url.QueryEscape},
	{"https://steamcommunity.com/linkfilter/?url=PLACE", url.QueryEscape},
	{"https://steamcommunity.com/linkfilter/?u=PLACE", url.QueryEscape},
	{"https://web.archive.org/web/20260101000000/PLACE", asWritten},
	{"https://secure-web.cisco.com/1/https%3A%2F%2Furldefense.com%2Fv3%2F__PLACE__%3B%21", url.QueryEscape},
}

func asWritten(s string) string { return s }

func inBase64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// proofpoint is how the second version of its links writes addresses.
func proofpoint(s string) string {
	return strings.NewReplacer("/", "_", "%", "-").Replace(strings.NewReplacer("-", "%2D", ":", "%3A", "_", "%5F").Replace(s))
}

// TestGateways follows the links of every gateway: honest ones are no fraud, and
// those that lead elsewhere are.
func TestGateways(t *testing.T) {
	c := testConfig()
	for _, row := range gatewayLinks {
		for place, want := range map[string]string{"https://www.bank.com/a-b?c=d": "", "http://bank.com": "", "https://evil.test/www.bank.com/": fraud} {
			host := strings.TrimPrefix(strings.TrimPrefix(place, "https://"), "http://")
			host, _, _ = strings.Cut(host, "/")
			href := strings.NewReplacer("PLACE", row.write(place), "HOST", host).Replace(row.link)
			rules, details := found(t, c, body(link(html.EscapeString(href), "www.bank.com")))
			if got := strings.Join(rules, " "); got != want {
				t.Errorf("%s: %q, want %q\n%s", href, got, want, details)
			}
		}
	}
}

// TestGatewaysThatNameNothing are no fraud all the same.
func TestGatewaysThatNameNothing(t *testing.T) {
	for _, href := range []string{
		"https://protect-us.mimecast.com/s/abc", "https://url.us.m.mimecastprotect.com/s/abc", "https://atpscan.global.hornetsecurity.com/index.php?atp_str=abc",
		"https://seclinks.cloud-security.net/abc", "https://url.emailprotection.link/?babc~", "https://www.mailcontrol.com/sr/abc", "https://protect.checkpoint.com/v2/r02/___mzzux:/bbb.gfsp.htr___.abc",
		"https://urldefense.com/abc", "https://eur01.safelinks.protection.outlook.com/abc",
	} {
		if rules, details := found(t, testConfig(), body(link(href, "www.bank.com"))); len(rules) > 0 {
			t.Errorf("%s: %s", href, details)
		}
	}
}

// TestSafeFiles adds the domains of files to those that are shipped.
func TestSafeFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "safe")
	if err := os.WriteFile(file, []byte("\ufeff# ours\r\nNews.test # newsletters\r\n\n.other.test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := testConfig()
	c.SafeFiles = []string{file}
	for host, want := range map[string]string{
		"news.test": "", "a.b.news.test": "", "other.test": "", "x.other.test": "", "both.test": "", "click.cmail19.com": "",
		"badnews.test": fraud, "test": fraud, "news.test.evil.example": fraud,
	} {
		if rules, details := found(t, c, body(link("http://"+host+"/", "www.bank.com"))); strings.Join(rules, " ") != want {
			t.Errorf("%s: %q, want %q\n%s", host, rules, want, details)
		}
	}
	for text, want := range map[string]string{"a.test\n*.b.test\n": `safe:2: "*.b.test" is no domain`, "http://x.test/\n": "safe:1:"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(c, With{Texts: texts.New(c.Limits, texts.Everything)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	c.SafeFiles = []string{file + ".none"}
	if _, err := New(c, With{Texts: texts.New(c.Limits, texts.Everything)}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
