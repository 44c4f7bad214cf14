package markup

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestSheets: what a style sheet hides is hidden, and nothing else.
func TestSheets(t *testing.T) {
	const text = "<p class='a b' id=i title='x y' data-n=note-1><span>secret</span></p>"
	for _, s := range []struct {
		name, css, page string
		hidden          bool
	}{
		{"type", "p{display:none}", text, true},
		{"type in capitals", "P{DISPLAY:NONE}", text, true},
		{"class", ".a{display:none}", text, true},
		{"two classes", ".a.b{display:none}", text, true},
		{"two classes, one of another", ".a.c{display:none}", text, false},
		{"class with another spelling", ".A{display:none}", text, false},
		{"identifier", "#i{display:none}", text, true},
		{"type and class", "p.a{display:none}", text, true},
		{"another type and class", "div.a{display:none}", text, false},
		{"attribute", "[title]{display:none}", text, true},
		{"value of an attribute", "p[id=i]{display:none}", text, true},
		{"value in quotes", "p[id='i']{display:none}", text, true},
		{"another value", "[id=j]{display:none}", text, false},
		{"word of a value", "[title~=y]{display:none}", text, true},
		{"beginning of a value", "[data-n^=note]{display:none}", text, true},
		{"end of a value", "[data-n$='-1']{display:none}", text, true},
		{"part of a value", "[class*='b']{display:none}", text, true},
		{"before a dash", "[data-n|=note]{display:none}", text, true},
		{"any", "*{display:none}", text, true},
		{"inside", "p span{display:none}", text, true},
		{"deep inside", "body span{display:none}", "<body><div><div>" + text, true},
		{"inside another", "td span{display:none}", text, false},
		{"child", "p>span{display:none}", text, true},
		{"child, which it is not", "body > span{display:none}", "<body>" + text, false},
		{"list", "h1, .x ,p.a span{display:none}", text, true},
		{"root", ":root{display:none}", "<html><body>" + text, true},
		{"visibility", ".a{visibility:hidden}", text, true},
		{"visible again", ".a{visibility:hidden} span{visibility:visible}", text, false},
		{"size", ".a{font-size:0}", text, true},
		{"size of a pixel", ".a{font-size:1px}", text, true},
		{"size in the short form", ".a{font:0/0 sans-serif}", text, true},
		{"a size of its own", ".a{font-size:0} span{font-size:14px}", text, false},
		{"a part of nothing", ".a{font-size:0} span{font-size:120%}", text, true},
		{"opacity", ".a{opacity:0}", text, true},
		{"hardly any opacity", ".a{opacity:.01}", text, true},
		{"colour of the page", ".a{color:#fff}", text, true},
		{"colour by numbers", ".a{color:rgb(255,255,255)}", text, true},
		{"colour by name on another", ".a{color:navy;background:#000080}", text, true},
		{"colour of what is around", "body{background:#000} .a{color:black}", "<body>" + text, true},
		{"a colour that is seen", ".a{color:#fff;background:#000}", text, false},
		{"no colour", ".a{color:transparent}", text, true},
		{"no colour by numbers", ".a{color:rgba(0,0,0,0)}", text, true},
		{"off the screen", ".a{position:absolute;left:-9999px}", text, true},
		{"above the screen", ".a{position:fixed;top:-1000em}", text, true},
		{"indented", ".a{text-indent:-9999px}", text, true},
		{"moved", ".a{margin-left:-2000px}", text, true},
		{"clip", ".a{position:absolute;clip:rect(0,0,0,0)}", text, true},
		{"clip-path", ".a{clip-path:inset(100%)}", text, true},
		{"no height", ".a{height:0;overflow:hidden}", text, true},
		{"no height that matters", ".a{height:0}", text, false},
		{"most height", ".a{max-height:0;overflow:hidden}", text, true},
		{"a point", ".a{transform:scale(0)}", text, true},
		{"for Outlook", ".a{mso-hide:all}", text, true},
		{"order", ".a{display:none} .b{display:block}", text, false},
		{"order, the other way", ".b{display:block} .a{display:none}", text, true},
		{"weight of identifiers", "#i{display:none} p.a.b{display:block}", text, true},
		{"weight of classes", ".a{display:none} p{display:block}", text, true},
		{"important", ".a{display:none!important} #i{display:block}", text, true},
		{"important with a blank", ".a{display:none ! important} #i{display:block}", text, true},
		{"the element itself", ".a{display:none}", "<p class=a style='display:block'>secret", false},
		{"important, over the element itself", ".a{display:none !important}", "<p class=a style='display:block'>secret", true},
		{"the last of an element", "", "<p style='display:none;display:block'>secret", false},
		{"for screens", "@media screen{.a{display:none}}", text, true},
		{"for all", "@media all{.a{display:none}}", text, true},
		{"for print", "@media print{.a{display:none}}", text, false},
		{"for print and screens", "@media print, screen{.a{display:none}}", text, true},
		{"for small screens", "@media only screen and (max-width:600px){.a{display:none}}", text, false},
		{"after a block that is not read", "@font-face{font-family:x;src:url(x)} @media print{b{x:y}} .a{display:none}", text, true},
		{"after an import", "@import url(x.css); .a{display:none}", text, true},
		{"supported", "@supports (display:none){.a{display:none}}", text, true},
		{"comments", "/* x { */ .a/* y */{dis/**/play:none; display/**/:/**/none}", text, true},
		{"escapes", `.\61 {disp\6c ay:no\6e e}`, text, true},
		{"an escaped sign", `.sm\:x{display:none}`, "<p class='sm:x'>secret", true},
		{"after nonsense", "}}; ]] .x{ {{}} } .a{display:none}", text, true},
		{"after a rule without end", ".x{color:red; .a{display:none}", text, false},
		{"in a comment of HTML", "<!-- .a{display:none} -->", text, true},
		{"what is unknown", ".a:hover{display:none} .a::before{display:none}", text, false},
		{"no rule", ".a{}", text, false},
	} {
		p := page(t, "<html><head><style>"+s.css+"</style></head>"+s.page)
		if s.css == "" {
			p = page(t, s.page)
		}
		if got := p.Hidden == len("secret"); got != s.hidden || p.Hidden+p.Letters != len("secret") {
			t.Errorf("%s: %s: hidden %d, shown %d", s.name, s.css, p.Hidden, p.Letters)
		}
		if after := page(t, "<html><body>"+s.page+"<style>"+s.css+"</style>"); s.name != "root" && (after.Hidden == len("secret")) != s.hidden {
			t.Errorf("%s, the sheet after the text: hidden %d, shown %d", s.name, after.Hidden, after.Letters)
		}
	}
}

// TestSheetsThatAreNotForScreens: those are left out, and what only Outlook reads.
func TestSheetsThatAreNotForScreens(t *testing.T) {
	const css, text = ".a{display:none}", "<p class=a>secret"
	for style, hidden := range map[string]bool{
		"<style media=print>" + css + "</style>":                     false,
		"<style media='screen'>" + css + "</style>":                  true,
		"<style type='text/css'>" + css + "</style>":                 true,
		"<!--[if mso]><style>" + css + "</style><![endif]-->":        false,
		"<style>" + css + "</style><style>.a{display:block}":         false,
		"<style>" + css + "</style><style>p{display:block}":          true,
		"<style>.b{x:y}</style><style>" + css:                        true,
		"<div style='display:none'><style>" + css + "</style></div>": true,
	} {
		if p := page(t, style+"</style>"+text); (p.Hidden > 0) != hidden {
			t.Errorf("%s: hidden %d, shown %d", style, p.Hidden, p.Letters)
		}
	}
}

// TestSheetsAreBounded: sheets without end cost no more than others, and that they were
// not read is said.
func TestSheetsAreBounded(t *testing.T) {
	many := func(n int, each func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(each(i))
		}
		return b.String()
	}
	for name, in := range map[string]string{
		"10 MB":                             "<style>" + strings.Repeat(".a{color:red}", 800_000) + "</style>text",
		"deep":                              "<style>" + strings.Repeat("@media screen{", 300_000) + "</style>text",
		"braces":                            "<style>" + strings.Repeat("{", 1_000_000) + "</style>text",
		"100,000 rules by 100,000 elements": "<style>" + many(100_000, func(i int) string { return fmt.Sprintf(".a%d{color:red}", i) }) + "</style>" + strings.Repeat("<p class=a7>x", 100_000),
		"the same rule":                     "<style>" + strings.Repeat(".a{color:red}", 15_000) + "</style>" + strings.Repeat("<p class=a>x", 100_000),
		"long chains":                       "<style>" + strings.Repeat("p p p p p p p p i{color:red}", 5_000) + "</style>" + strings.Repeat("<p><b>", 90) + strings.Repeat("<i>x</i>", 50_000),
		"many classes":                      "<style>.a{color:red}</style>" + "<p class='" + strings.Repeat("a ", 100_000) + "'>x",
		"one selector":                      "<style>" + strings.Repeat("a ", 500_000) + "{color:red}</style>text",
		"one list":                          "<style>" + strings.Repeat("a,", 500_000) + "a{color:red}</style>text",
	} {
		begun := time.Now()
		p := page(t, in)
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if long := name == "10 MB" || name == "the same rule" || name == "100,000 rules by 100,000 elements"; long && !p.Cut {
			t.Errorf("%s: nothing says that not all was read", name)
		}
	}
}

func FuzzSheets(f *testing.F) {
	f.Add(".a{display:none}", "<p class=a>x")
	f.Add("@media screen{p>b[c='d' i]{font:0/0 x}}", "<p><b c=D>x")
	f.Fuzz(func(t *testing.T, css, in string) { page(t, "<style>"+css+"</style>"+in) })
}
