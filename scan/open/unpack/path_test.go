package unpack

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for name, want := range map[string]string{
		"":               "unnamed",
		"a.exe":          "a.exe",
		"dir/a.exe":      "dir%2Fa.exe",
		"100%.txt":       "100%25.txt",
		"\xff\x00.txt":   `\xff` + "\x00.txt",
		"Rechnung für …": "Rechnung für …",
	} {
		if got := escape(name); got != want {
			t.Errorf("escape(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestPathsAreUnique(t *testing.T) {
	p := paths{}
	for i, want := range []string{"1/a", "1/a#2", "1/a#3"} {
		if got := p.unique("1/a"); got != want {
			t.Errorf("path %d is %q, want %q", i, got, want)
		}
	}
	if got := p.unique("1/a#2"); got != "1/a#2#2" {
		t.Errorf("a member that is called like a repetition: %q", got)
	}
}

func TestEntityPath(t *testing.T) {
	for _, c := range []struct{ container, separator, number, reading, want string }{
		{"", "", "1", "", "1"},
		{"", "", "2.1", "b", "2.1~b"},
		{"2", ".", "1", "", "2.1"},
		{"1/a.zip/m.eml", "/", "2", "", "1/a.zip/m.eml/2"},
		{"2", ".", "", "", "2"},
	} {
		if got := entityPath(c.container, c.separator, c.number, c.reading); got != c.want {
			t.Errorf("entityPath(%+v) = %q", c, got)
		}
	}
}

// TestPathsStayShort puts containers into each other, whatever they are called: a
// path stays short, differs from others, and ends as the name does.
func TestPathsStayShort(t *testing.T) {
	for _, name := range []string{"a", strings.Repeat("%", 4096), strings.Repeat("a", 4096), strings.Repeat("/", 300), strings.Repeat("\xff", 255), strings.Repeat("…", 1000), strings.Repeat("日本", 42)} {
		path, seen := "2.1", map[string]bool{}
		for range 100 {
			path = shortPath(memberPath(path, name+".zip"))
			if len(path) > 1600 || seen[path] || !strings.HasSuffix(path, ".zip") || !strings.HasPrefix(path, "2.1/") || !utf8.ValidString(path) {
				t.Fatalf("%.20q: the path has %d bytes: %.300q", name, len(path), path)
			}
			seen[path] = true
		}
	}
	if name := strings.Repeat("日本", 41) + ".exe"; memberPath("1", name) != "1/"+name {
		t.Error("the name of a file was cut")
	}
	begin := strings.Repeat("a", 300)
	if memberPath("1", begin+"1"+begin) == memberPath("1", begin+"2"+begin) {
		t.Error("names that differ in their middle have one path")
	}
}
