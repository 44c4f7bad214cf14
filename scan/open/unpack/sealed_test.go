package unpack

import "testing"

// A message in OpenPGP is one where a line begins it, not where a text speaks of that.
func TestArmor(t *testing.T) {
	const mark = "-----BEGIN PGP MESSAGE-----"
	for text, want := range map[string]bool{
		mark + "\n\nhQEMA": true, "\xef\xbb\xbf" + mark + "\r\n": true, "Hello,\r\n" + mark + "  \r\n": true, "> > " + mark + "\n": true,
		"a\n  " + mark + "\n": true, "<pre>" + mark + "<br>": true, "<p>\n" + mark + "&#13;": true, mark: true, "a\r| " + mark + "\r": true,
		"It says " + mark + "\n": false, "x = \"" + mark + "\\r\\n\"\n": false, "+" + mark + "\n": false, "`" + mark + "`": false,
		"-----BEGIN PGP SIGNATURE-----\n": false, "\n" + mark + " is the line\n": false, "": false,
		"no " + mark + " here\n" + mark + "\n": true,
	} {
		if got := holdsArmor([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
