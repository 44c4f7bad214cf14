package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

func isAddress(a string) bool {
	at := strings.LastIndexByte(a, '@')
	return at >= 1 && at < len(a)-1 && !strings.ContainsAny(a, " \t\r\n<>,")
}

// told checks the recipients of notices: addresses, and words for those that the message concerns.
func (b *binder) told(path string, list []string) []string {
	for i, a := range list {
		if !isAddress(a) && a != policy.Recipients && a != policy.InternalSender {
			b.wrong(fmt.Sprintf("%s[%d]", path, i), "%q is no address; write \"user@example.com\", %q or %q",
				a, policy.Recipients, policy.InternalSender)
		}
	}
	return list
}

// withoutDomains returns an error for each rule that tells recipients or senders of ours
// while nothing says which these are: anyone else must not get a notice.
func (c *Config) withoutDomains(rules []Rule) (found Problems) {
	if len(c.Local.Domains) > 0 {
		return nil
	}
	for _, r := range rules {
		if word := r.Outcome.tells(); word != "" {
			found = append(found, note(r.origin, "rule.notify",
				"%q is for addresses of your own domains only, and none are named; write them into [local] domains", word))
		}
	}
	return found
}

// tells returns the word in notify, or in that of else, for those that the message
// concerns; "" if there is none.
func (o *Outcome) tells() string {
	for _, word := range []string{policy.Recipients, policy.InternalSender} {
		if slices.Contains(o.Notify, word) {
			return word
		}
	}
	if o.Else != nil {
		return o.Else.tells()
	}
	return ""
}
