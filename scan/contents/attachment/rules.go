package attachment

import (
	"slices"
	"strconv"

	"github.com/milterscan/milterscan/scan"
)

// word is the scanner of all findings of this package.
const word = "attachment"

// rule is the name of a finding without the scanner's word.
type rule string

// Findings about attachments.
const (
	ruleAllowed      rule = "allowed"
	ruleBidi         rule = "bidi-name"
	ruleBlanks       rule = "blank-name"
	ruleCLSID        rule = "clsid-name"
	ruleControl      rule = "control-name"
	ruleDeniedType   rule = "denied-type"
	ruleDiskImage    rule = "disk-image"
	ruleDisguised    rule = "disguised-name"
	ruleDouble       rule = "double-extension"
	ruleLong         rule = "long-name"
	ruleMacroName    rule = "macro-name"
	ruleManyPaths    rule = "many-paths"
	ruleName         rule = "name"
	ruleOldName      rule = "old-name"
	ruleProgram      rule = "program"
	ruleScript       rule = "script"
	ruleShortcut     rule = "shortcut"
	ruleTooLarge     rule = "too-large"
	ruleTooMany      rule = "too-many"
	ruleTypeMismatch rule = "type-mismatch"
)

// Findings about members of archives, so that a policy can let them pass.
const (
	ruleMemberName    rule = "member-name"
	ruleMemberProgram rule = "member-program"
	ruleMemberTrick   rule = "member-trick"
)

var catalogue = scan.NewCatalogue(word, word, "Attachments could not be judged, because a part could not be read or the time ran out.",
	scan.Entry(ruleAllowed, scan.Note, "An attachment that would be objected to has an allowed hash."),
	scan.Entry(ruleBidi, scan.Forbidden, "A name holds characters that turn the direction of writing, so that it reads "+
		"otherwise than it ends, or is that of a program or a page."),
	scan.Entry(ruleBlanks, scan.Forbidden, "A name has five or more blanks before its extension, which moves that of a "+
		"program or a page out of sight, or another than is seen."),
	scan.Entry(ruleCLSID, scan.Forbidden, "A name holds a class identifier in braces, which tells Windows what to open the file with."),
	scan.Entry(ruleControl, scan.Forbidden, "A name holds a NUL, or a control character at which some programs cut it to "+
		"the name of a program, a page or another sort of file."),
	scan.Entry(ruleDeniedType, scan.Forbidden, "The content is of a type that runs or hides programs, whatever its name: CHM, ACE, OneNote."),
	scan.Entry(ruleDiskImage, scan.Forbidden,
		"The content is a disk image, which Windows opens as a drive without marking what is in it as foreign."),
	scan.Entry(ruleDisguised, scan.Forbidden,
		"A name ends in a denied one once that is taken off which Windows or a client ignores: dots, blanks, a stream, what "+
			"follows a NUL or a semicolon."),
	scan.Entry(ruleDouble, scan.Forbidden, "A name ends in the extension of a document and then in that of a program or a web page."),
	scan.Entry(ruleLong, scan.Forbidden, "A name is longer than file systems allow, so that programs cut it, each in its own way."),
	scan.Entry(ruleMacroName, scan.Suspicious, "The name is that of an office document that may hold macros."),
	scan.Entry(ruleManyPaths, scan.Unscannable,
		"Not all paths of parts were held against the patterns on paths: there are "+
			"too many, they are too long, or too many patterns."),
	scan.Entry(ruleMemberName, scan.Forbidden, "A member of an archive has a denied name."),
	scan.Entry(ruleMemberProgram, scan.Forbidden, "A member of an archive is a program, a script, a shortcut or a disk image by its content."),
	scan.Entry(ruleMemberTrick, scan.Forbidden,
		"A member of an archive has a name made to deceive: direction marks, control characters, blanks, a class identifier, "+
			"a double extension or one in disguise."),
	scan.Entry(ruleName, scan.Forbidden, "A name is denied."),
	scan.Entry(ruleOldName, scan.Forbidden, "A name is one of the old kinds that nobody sends on purpose: inf, scf, mad, "+
		"its, url, dll and the like."),
	scan.Entry(ruleProgram, scan.Forbidden, "The content is a program, whatever its name: PE, DOS, ELF, Mach-O, MSI."),
	scan.Entry(ruleScript, scan.Forbidden, "The content is a script, whatever its name: a shebang, an encoded Windows "+
		"script, a registry file, an HTML application."),
	scan.Entry(ruleShortcut, scan.Forbidden,
		"The content is a shortcut, whatever its name: a Windows link, a library, a search or a settings file."),
	scan.Entry(ruleTooLarge, scan.Forbidden, "An attachment is larger than the configuration allows."),
	scan.Entry(ruleTooMany, scan.Forbidden, "The message has more attachments than the configuration allows."),
	scan.Entry(ruleTypeMismatch, scan.Suspicious, "The content is of quite another kind than the name or the declared type says."),
)

// Catalogue lists every finding of this package.
func Catalogue() []scan.Rule { return catalogue.Rules() }

// report collects the findings about one part, each rule once.
type report struct {
	part
	found []scan.Finding
}

// add enters a finding. Inside an archive the rules of members represent those
// of attachments.
func (r *report) add(as rule, detail string) {
	if r.place != attached {
		as = asMember(as)
	}
	name := word + "/" + string(as)
	if slices.ContainsFunc(r.found, func(f scan.Finding) bool { return f.Rule == name }) {
		return
	}
	r.found = append(r.found, catalogue.Finding(name, r.index, detail))
}

func asMember(as rule) rule {
	switch as {
	case ruleName, ruleOldName:
		return ruleMemberName
	case ruleProgram, ruleScript, ruleShortcut, ruleDiskImage, ruleDeniedType:
		return ruleMemberProgram
	case ruleBidi, ruleBlanks, ruleCLSID, ruleControl, ruleDisguised, ruleDouble, ruleLong:
		return ruleMemberTrick
	}
	return as
}

// quoted bounds how much of a name a detail shows.
const quoted = 160

// printable returns a name in quotes, with everything that cannot be seen escaped,
// cut to a sensible length.
func printable(name string) string {
	runes := 0
	for i := range name {
		if runes++; runes > quoted {
			return strconv.Quote(name[:i]) + "…"
		}
	}
	return strconv.Quote(name)
}
