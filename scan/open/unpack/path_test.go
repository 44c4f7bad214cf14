package unpack

import "testing"

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
