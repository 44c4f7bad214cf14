package content

import (
	"regexp"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// longestFrom bounds how much of a From field is read.
const longestFrom = 16 << 10

// judgeAuthors compares the names that clients show for the authors of a message
// with their addresses: many show the name alone.
func judgeAuthors(b *book, m *scan.Message) {
	if m.Root == nil {
		return
	}
	for _, field := range m.Root.Header.Values("From") {
		for _, a := range entity.Mailboxes(field[:min(len(field), longestFrom)]) {
			if shown := otherAddress(a); shown != "" {
				b.page(scan.WholeMessage).addf(ruleDisplay, "the author is called %s and writes from %s", printable(shown), printable(a.Address))
			}
		}
	}
}

// otherAddress returns the mail address that the name shows, if its domain belongs to
// others than that of the address does.
func otherAddress(m entity.Mailbox) string {
	host := markup.ParseURL("mailto:" + m.Address).Host
	if host == "" {
		return ""
	}
	name := spacedSigns.ReplaceAllString(atSigns.Replace(entity.DecodeWords(m.Name)), "@")
	for _, shown := range markup.Addresses(name) {
		if _, domain, _ := strings.Cut(shown, "@"); markup.Registrable(domain) != markup.Registrable(host) {
			return shown
		}
	}
	return ""
}

// atSigns makes "@" of the signs that look like it.
var atSigns = strings.NewReplacer("\uff20", "@", "\ufe6b", "@")

// spacedSigns are signs that people read as part of an address, though there are blanks
// around them or a word is in their place.
var spacedSigns = regexp.MustCompile(`(?i)[\s\pZ]*(?:@|\(\s*at\s*\)|\[\s*at\s*\]|\{\s*at\s*\})[\s\pZ]*`)
