package markup

import "testing"

func TestUnlinked(t *testing.T) {
	for _, row := range []struct{ text, unlinked, unclaimed string }{
		{"", "", ""},
		{"evil.test", "evil.test", "evil.test"},
		{"evil.com:8080", "evil.com:8080", "evil[.]com:8080"},
		{"192.0.2.1", "192.0.2.1", "192.0.2.1"},
		{"mailto:eve@evil.com", "mailto:eve@evil.com", "mailto:eve[@]evil[.]com"},
		{"javascript:location='http://192.0.2.1/'", "javascript:location='http[:]//192[.]0[.]2[.]1/'", "javascript:location='http[:]//192[.]0[.]2[.]1/'"},
		{`javascript:location='http:\\192.0.2.1'`, `javascript:location='http:\\192.0.2.1'`, `javascript:location='http:\\192.0.2.1'`},
		{"ms-word:ofe|u|https://evil.com/a.doc", "ms-word:ofe|u|https[:]//evil[.]com/a[.]doc", "ms-word:ofe|u|https[:]//evil[.]com/a[.]doc"},
		{"see www.evil.com, or evil.com/x.", "see www[.]evil[.]com, or evil[.]com/x[.]", "see www[.]evil[.]com, or evil[.]com/x[.]"},
		{"javascript:x() y", "javascript:x() y", "javascript:x() y"},
	} {
		if got := Unlinked(row.text); got != row.unlinked {
			t.Errorf("Unlinked(%q) is %q, want %q", row.text, got, row.unlinked)
		}
		if got := Unclaimed(row.text); got != row.unclaimed {
			t.Errorf("Unclaimed(%q) is %q, want %q", row.text, got, row.unclaimed)
		}
	}
}
