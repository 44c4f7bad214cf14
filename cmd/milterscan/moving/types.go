package moving

import (
	"slices"
	"strings"
)

// sample describes a kind of file as file(1) does.
type sample struct {
	kind, text, mime string
	media            []string // the media types that a rule's "part" has for it
}

// samples has the words of file(1), and the media type of file -i, for the kinds of attachment.deny_contents and
// for other kinds that are often denied.
var samples = []sample{
	{"program", "PE32 executable (GUI) Intel 80386, for MS Windows", "application/x-dosexec", nil},
	{"program", "PE32+ executable (console) x86-64, for MS Windows", "application/x-dosexec", nil},
	{"program", "ELF 64-bit LSB executable, x86-64, version 1 (SYSV), dynamically linked",
		"application/x-executable", nil},
	{"program", "Mach-O 64-bit x86_64 executable", "application/x-mach-binary", nil},
	{"program", "MS-DOS executable", "application/x-dosexec", nil},
	{"script", "POSIX shell script, ASCII text executable", "text/x-shellscript", nil},
	{"script", "Windows Registry text (Win2K or above)", "text/x-ms-regedit", nil},
	{"shortcut", "MS Windows shortcut", "application/x-ms-shortcut", nil},
	{"disk-image", "ISO 9660 CD-ROM filesystem data", "application/x-iso9660-image", nil},
	{"denied-type", "MS Windows HtmlHelp Data", "application/vnd.ms-htmlhelp", nil},
	{"", "MPEG sequence, v2, program multiplex", "video/mpeg", []string{"video/mpeg"}},
	{"", "RIFF (little-endian) data, AVI, 640 x 480", "video/x-msvideo", []string{"video/x-msvideo", "video/avi"}},
	{"", "MNG video data, 640 x 480", "video/x-mng", []string{"video/x-mng"}},
	{"", "ISO Media, Apple QuickTime movie", "video/quicktime", []string{"video/quicktime"}},
	{"", "Microsoft ASF", "video/x-ms-asf", []string{"video/x-ms-asf"}},
	{"", "Windows metafile", "image/wmf", []string{"image/wmf"}},
}

// contentKinds are the kinds in their order.
var contentKinds = []string{"program", "script", "shortcut", "disk-image", "denied-type"}

// judged returns the action of the first rule that matches a file; without one the file passes.
func judged(rules []nameRule, text, mime string) (action string, at int) {
	for i, r := range rules {
		if r.mime && r.re.MatchString(mime) || !r.mime && r.re.MatchString(text) {
			return r.action, i
		}
	}
	return "allow", -1
}

// fileTypes takes over the rules about the contents of files. A kind is denied if the rules deny one of its
// samples.
func (c *conf) fileTypes() {
	rules, some := c.readNames("Filetype Rules", "Allow Filetypes", "Deny Filetypes")
	rules = append(c.mimeTypes("Allow File MIME Types", "allow"),
		append(c.mimeTypes("Deny File MIME Types", "deny"), rules...)...)
	archive, _ := c.readNames("Archives Filetype Rules", "Archives Allow Filetypes", "Archives Deny Filetypes")
	archive = append(c.mimeTypes("Archives Allow File MIME Types", "allow"),
		append(c.mimeTypes("Archives Deny File MIME Types", "deny"), archive...)...)
	if !some {
		return
	}
	used := map[int]bool{}
	var kinds []entry
	for _, kind := range contentKinds {
		for _, s := range samples {
			if s.kind != kind {
				continue
			}
			if action, at := judged(rules, s.text, s.mime); action == "deny" {
				used[at] = true
				if !slices.ContainsFunc(kinds, func(e entry) bool { return e.value == kind }) {
					kinds = append(kinds, entry{kind, rules[at].at.String()})
				}
			}
		}
	}
	for _, s := range samples {
		if action, at := judged(rules, s.text, s.mime); action == "deny" && s.media != nil {
			used[at] = true
			c.blocked("blocked types", nil, s.media, rules[at].at.String())
		}
	}
	c.out.table("attachment").entries("deny_contents", kinds, "Filetype Rules")
	c.typeNotes(rules, used)
	for _, r := range archive {
		if r.action != "allow" {
			c.note(Differs, r.at, r.text, "what a content is refused for is one list, attachment.deny_contents, "+
				"for attachments and for members of archives; the rules for attachments made it")
		}
	}
}

// mimeTypes reads a setting with expressions about media types.
func (c *conf) mimeTypes(key, action string) (rules []nameRule) {
	s := c.get(key, "")
	l := c.single(s)
	for _, expr := range strings.Fields(l.value) {
		rules = c.addName(rules, nameRule{action: action, expr: expr, text: s.key + " " + expr, at: l.at, mime: true})
	}
	if l.value == "" {
		c.done(Needless, s, "it is empty")
	}
	c.done(Taken, s, "with the rules about types")
	return rules
}

// typeNotes says what became of each rule about types.
func (c *conf) typeNotes(rules []nameRule, used map[int]bool) {
	for i, r := range rules {
		switch {
		case r.action == "allow":
			c.note(Taken, r.at, r.text, "what it allows is not among the contents that are refused")
		case r.action == "deny" && used[i]:
			c.note(Differs, r.at, r.text, "attachment.deny_contents, or a rule about the media type: "+
				"milterscan looks at the bytes, not at what file(1) says of them")
		case r.action == "deny" && strings.Contains(strings.ToLower(r.expr), "self-extract"):
			c.note(Needless, r.at, r.text, "a self-extracting archive is a program")
		case r.action == "deny" && slices.ContainsFunc(samples,
			func(s sample) bool { return r.re.MatchString(s.text) }):
			c.note(Needless, r.at, r.text, "a line before it decides about the same contents")
		default:
			c.note(Impossible, r.at, r.text, "what file(1) says is not what milterscan goes by; "+
				"a rule with part = [\"TYPE/SUBTYPE\"] is about a media type")
		}
	}
}
