package console

import (
	"strings"
	"testing"
)

// TestForeignTexts shows texts of messages: nothing in them is markup or unseen, and long
// ones are cut at whole characters.
func TestForeignTexts(t *testing.T) {
	pages, err := parsePages()
	if err != nil {
		t.Fatal(err)
	}
	v := pages["en"]
	long := strings.Repeat("ä", 100)
	for _, c := range []struct{ name, got, want string }{
		{"plain", string(v.foreign("Hello & goodbye")), "<bdi>Hello &amp; goodbye</bdi>"},
		{"markup", string(v.foreign(`<b title="x">`)), "<bdi>&lt;b title=&#34;x&#34;&gt;</bdi>"},
		{"direction", string(v.foreign("a\u202eb")), `<bdi>a\u202eb</bdi>`},
		{"lines", string(lines("a\tb\r\n<c>\x1b")), "<bdi>a\tb\n&lt;c&gt;\\u001b</bdi>"},
		{"brief", string(v.brief(long)), `<bdi title="` + long + `">` + strings.Repeat("ä", shortText/2) + "…</bdi>"},
		{"long", string(v.foreign(long)), `<details class="long"><summary><bdi>` + strings.Repeat("ä", shortText/2) + `</bdi>… <span class="more">show all</span></summary>` +
			`<div class="whole"><bdi>` + long + "</bdi></div></details>"},
		{"arguments", v.texts.Of("by-rule") + v.texts.Of("handled-by", "\u202ex\u00a0y"), "by ruleby \\u202ex\u00a0y"},
		{"unknown word", v.texts.Or("action-nothing", "a\nb"), `a\u000ab`},
		{"cut", clip("aä", 2), "a"}, {"cut broken", clip("a\xff\xff\xff\xff\xff", 3), "a"}, {"link", linkTo("/x", "a", "&b", "c", ""), "/x?a=%26b"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, not %q", c.name, c.got, c.want)
		}
	}
	if huge := string(v.foreign(strings.Repeat("x", 100<<10))); len(huge) > 18<<10 || !strings.Contains(huge, "The first 16.4\u00a0kB of 102\u00a0kB.") {
		t.Errorf("%d bytes, %s", len(huge), huge[len(huge)-100:])
	}
}
