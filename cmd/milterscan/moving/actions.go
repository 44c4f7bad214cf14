package moving

import (
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

// outcome is what MailScanner's list of actions comes to.
type outcome struct {
	deliver, store, bounce, notify bool
	forward                        []string
	headers                        [][2]string
	left                           []string // actions that cannot be taken over
}

// actions reads a list such as store deliver header "X-Spam-Status: Yes".
func actions(text string) (o outcome) {
	words := actionWords(text)
	for i := 0; i < len(words); i++ {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		switch word := strings.ToLower(words[i]); {
		case word == "deliver":
			o.deliver = true
		case word == "delete":
		case word == "store" || word == "store-spam" || word == "store-nonspam" || word == "store-nonmcp" ||
			word == "store-mcp":
			o.store = true
		case word == "bounce":
			o.bounce = true
		case word == "notify":
			o.notify = true
		case word == "forward" && mailbox(next):
			o.forward = append(o.forward, next)
			i++
		case word == "header":
			i++
			name, value, ok := strings.Cut(next, ":")
			if !ok || !headerName(name) {
				o.left = append(o.left, "header "+next)
				continue
			}
			o.headers = append(o.headers, [2]string{name, strings.TrimSpace(value)})
		default:
			o.left = append(o.left, words[i])
		}
	}
	return o
}

// actionWords splits a list of actions at blanks and commas; a text in quotes is one word.
func actionWords(text string) (words []string) {
	var b strings.Builder
	quote, some := rune(0), false
	flush := func() {
		if some {
			words = append(words, b.String())
		}
		b.Reset()
		some = false
	}
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, some = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == ','):
			flush()
		default:
			b.WriteRune(r)
			some = true
		}
	}
	flush()
	return words
}

// mailbox reports whether a text is the address of one mailbox.
func mailbox(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || strings.ContainsAny(s, "*<>\" \t,") {
		return false
	}
	_, err := policy.ParseAddressPattern(s)
	return err == nil && s[at+1:] != ""
}

// headerName reports whether a text is the name of a header field.
func headerName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' })
}

// delivers reports whether the mail goes to its recipient, or is forwarded to other addresses.
func (o outcome) delivers() bool { return o.deliver || len(o.forward) > 0 }

// write adds the outcome to a rule, with a mark for the subject of mail that is delivered.
func (o outcome) write(rule *section, tag, origin string) {
	switch {
	case o.delivers():
		rule.set("action", "deliver", origin)
	case o.bounce:
		rule.set("action", "reject", origin)
	case o.store:
		rule.set("action", "quarantine", origin)
	default:
		rule.set("action", "discard", origin)
	}
	if o.store && (o.delivers() || o.bounce) {
		rule.raw("keep", "true", origin)
	}
	if !o.delivers() {
		if o.notify {
			rule.words("notify", []string{policy.Recipients}, origin)
		}
		return
	}
	if tag != "" {
		rule.set("tag", tag, origin)
	}
	if len(o.headers) > 0 {
		rule.raw("headers", inline(unique(o.headers)), origin)
	}
	switch {
	case len(o.forward) > 0 && o.deliver:
		rule.words("copy", o.forward, origin)
	case len(o.forward) > 0:
		rule.words("redirect", o.forward, origin)
	}
}

// unique keeps the first of several fields with one name.
func unique(pairs [][2]string) (out [][2]string) {
	for _, p := range pairs {
		if !slices.ContainsFunc(out, func(q [2]string) bool { return strings.EqualFold(q[0], p[0]) }) {
			out = append(out, p)
		}
	}
	return out
}

// report notes what became of a setting with actions.
func (c *conf) report(s setting, list []clause) {
	var differs []string
	add := func(text string) {
		if !slices.Contains(differs, text) {
			differs = append(differs, text)
		}
	}
	for _, l := range list {
		o := actions(l.value)
		for _, word := range o.left {
			add("\"" + word + "\" was left out: rules have nothing that does it to mail of a score " +
				"(docs/edits.md has what they do to parts)")
		}
		if o.bounce && !o.delivers() {
			add("mail is refused while its client waits, which hears why, instead of being bounced later")
		}
		if o.notify && o.delivers() {
			add("recipients are told of what they do not get; of what is delivered they are not")
		} else if o.notify {
			add("recipients are told if their domain is in local.domains, which is for you to set")
		}
		if o.store && !o.delivers() {
			add("the copy is in the quarantine of milterscan: \"milterscan quarantine list\"")
		}
	}
	if len(differs) > 0 {
		c.done(Differs, s, "%s", strings.Join(differs, "; "))
		return
	}
	c.done(Taken, s, "the action of rules")
}
