package attachment

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
)

// nested returns a message of archives in each other, with names of so many bytes, and members in the innermost.
func nested(depth, length, members int, last string) *scan.Message {
	var parts []scan.Part
	for i := range depth {
		p := attach("PK", fmt.Sprint(i, strings.Repeat("a", length), ".zip"))
		p.Parent, p.Archived, p.Sniffed = i-1, i > 0, "application/zip"
		parts = append(parts, p)
	}
	for i := range members {
		p := attach("x", fmt.Sprint(i, last))
		p.Parent, p.Archived = depth-1, true
		parts = append(parts, p)
	}
	m := scantest.Message("Subject: x\r\n\r\n", parts...)
	m.Work = 250 * time.Millisecond
	return m
}

// TestPathsArePaid holds many and long paths against many patterns: what people send is judged, and of the rest the
// scanner says that not all was held against them, after no more work than there is.
func TestPathsArePaid(t *testing.T) {
	var many []Pattern
	for i := range 200 {
		many = append(many, Pattern(fmt.Sprintf("path:**/*.zip/*.x%d", i)))
	}
	for name, c := range map[string]struct {
		patterns []Pattern
		m        *scan.Message
		rule     string
	}{
		"a source tree, one pattern":      {[]Pattern{"path:*.eml/**/*.exe"}, nested(1, 20, 9000, ".txt"), ""},
		"a source tree, 200 patterns":     {many, nested(1, 20, 9000, ".c"), ""},
		"some files, 200 patterns":        {many, nested(2, 20, 500, ".x7"), "attachment/member-name"},
		"long paths that end otherwise":   {many[:10], nested(8, 4000, 9000, ".txt"), ""},
		"long paths":                      {many[:10], nested(8, 4000, 9000, ".x11"), ""},
		"long paths that end as one does": {[]Pattern{"path:b/**/*.txt"}, nested(8, 4000, 9000, ".TXT"), "attachment/many-paths"},
		"long paths, an expression":       {[]Pattern{"path:/^b.*exe$/"}, nested(8, 4000, 9000, ".txt"), "attachment/many-paths"},
		"short paths, an expression":      {[]Pattern{"path:/^b.*exe$/"}, nested(2, 10, 1000, ".txt"), ""},
	} {
		config := DefaultConfig()
		config.DenyMembers, config.Allow = c.patterns, nil
		found, err := newScanner(t, config).Scan(t.Context(), c.m)
		if err != nil {
			t.Fatal(err)
		}
		rules := map[string]bool{}
		for _, f := range found {
			rules[f.Rule] = true
		}
		if c.rule != "" && !rules[c.rule] || rules["attachment/many-paths"] != (c.rule == "attachment/many-paths") {
			t.Errorf("%s: %v, want %q", name, rules, c.rule)
		}
	}
}

// TestEndsOfPatterns: a pattern matches no path that its end rules out.
func TestEndsOfPatterns(t *testing.T) {
	for _, p := range []Pattern{"path:*.eml/**/*.exe", "path:**/\u212a.zip/?ſ", "path:a/**", "path:**", "path:a.zip/b*", "path:/exe$/", "path:a/"} {
		re, err := p.compile()
		if err != nil {
			t.Fatal(err)
		}
		for _, around := range []string{"", "a/", "x.EML/", "x.eml/y.zip/", "k.ZIP/", "a.zip/"} {
			for _, name := range []string{"", "b", "a.exe", "a.EXE", "exe", ".exe", "xS", "xs", "xſ", "a\xff", "a\ufffd", "bc"} {
				if re.MatchString(around+name) && !endsFolded(name, p.end()) {
					t.Errorf("%s matches %q in %q, but does not end so", p, name, around)
				}
			}
		}
	}
	if end := Pattern("path:*.eml/**/*.exe").end(); end != ".exe" {
		t.Errorf("the end is %q", end)
	}
}
