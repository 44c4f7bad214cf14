package content

import (
	"regexp"
	"slices"
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
	addresses := shownAddresses(m.Name)
	if len(addresses) == 0 {
		return ""
	}
	host := markup.ParseURL("mailto:" + m.Address).Host
	if host == "" {
		return ""
	}
	for _, shown := range addresses {
		if _, domain, _ := strings.Cut(shown, "@"); markup.Registrable(domain) != markup.Registrable(host) {
			return shown
		}
	}
	return ""
}

// shownAddresses returns the addresses that people read in a name: of any domain, or, where the sign is a word or has
// blanks around it, of one that can be registered, as "Ann @ The.Attic" is no address.
func shownAddresses(name string) (list []string) {
	name = atSigns.Replace(entity.DecodeWords(name))
	if !strings.ContainsAny(name, "@([{") { // with one of them any sign begins
		return nil
	}
	for _, shown := range markup.AnyAddresses(name) {
		if !slices.Contains(machines, shown[strings.LastIndexByte(shown, '.')+1:]) {
			list = append(list, shown)
		}
	}
	return append(list, markup.Addresses(spacedSigns.ReplaceAllString(name, "@"))...)
}

// machines are the last labels of names that hosts give themselves inside a network. Their mail shows them as its
// author, "root@web1.lan", and has an address of the outside.
var machines = []string{"local", "localdomain", "lan", "internal", "intranet", "home", "arpa"}

// atSigns makes "@" of the signs that look like it.
var atSigns = strings.NewReplacer("\uff20", "@", "\ufe6b", "@")

// spacedSigns are signs that people read as part of an address, though there are blanks
// around them or a word is in their place.
var spacedSigns = regexp.MustCompile(`(?i)[\s\pZ]*(?:@|\(\s*at\s*\)|\[\s*at\s*\]|\{\s*at\s*\})[\s\pZ]*`)
