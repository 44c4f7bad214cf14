package document

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan"
)

// word is the scanner of all findings of this package: they are about
// attachments, like those of names and types.
const word = "attachment"

// name is that of the scanner; only its failures bear it.
const name = word + "/document"

// rule is the name of a finding without the scanner's word.
type rule string

// Findings about documents.
const (
	ruleActiveX        rule = "activex"
	ruleDamaged        rule = "damaged-document"
	ruleDDE            rule = "dde"
	ruleEmbedded       rule = "embedded-object"
	ruleEquation       rule = "equation-exploit"
	ruleExternal       rule = "external-link"
	ruleMacro          rule = "macro"
	ruleMacroAutorun   rule = "macro-autorun"
	ruleMacroAutostart rule = "macro-autostart"
	ruleMacroStomped   rule = "macro-stomped"
	ruleMacroXLM       rule = "macro-xlm"
	rulePackage        rule = "ole-package"
	ruleOneNote        rule = "onenote-embedded"
	rulePDFAction      rule = "pdf-action"
	rulePDFEmbedded    rule = "pdf-embedded"
	rulePDFEncrypted   rule = "pdf-encrypted"
	rulePDFForm        rule = "pdf-form"
	rulePDFJavaScript  rule = "pdf-javascript"
	rulePDFLaunch      rule = "pdf-launch"
	ruleRemoteShortcut rule = "remote-shortcut"
	ruleRemoteTemplate rule = "remote-template"
	ruleRTFObject      rule = "rtf-object"
	ruleShortcut       rule = "shortcut-command"
	ruleSVG            rule = "svg-script"
	ruleTooComplex     rule = "too-complex"
)

var catalogue = scan.NewCatalogue(name, word, "Documents could not be examined, because a part could not be read or the time ran out.",
	scan.Entry(ruleActiveX, scan.Note, "An office document holds an ActiveX control."),
	scan.Entry(ruleDamaged, scan.Unscannable, "A piece of a document that may hold macros or actions is damaged, and was not examined."),
	scan.Entry(ruleDDE, scan.Suspicious, "A document or a table has a DDE field or formula, which starts a program once its reader agrees."),
	scan.Entry(ruleEmbedded, scan.Note, "An office document holds another object or file that is no program."),
	scan.Entry(ruleEquation, scan.Suspicious, "An equation overruns the font name of the old equation editor, as in CVE-2017-11882."),
	scan.Entry(ruleExternal, scan.Note,
		"An office document refers to pictures, tables or templates elsewhere, at places that documents usually do."),
	scan.Entry(ruleMacro, scan.Suspicious, "An office document has macros, none of which runs by itself."),
	scan.Entry(ruleMacroAutorun, scan.Suspicious,
		"An office document has a macro that runs by itself, and calls in its macros that start programs, fetch files or hide what they do."),
	scan.Entry(ruleMacroAutostart, scan.Suspicious, "An office document has a macro that runs by itself; nothing suspicious is called."),
	scan.Entry(ruleMacroStomped, scan.Suspicious,
		"An office document has compiled macros without the source they were made of, as when the source was removed to hide them."),
	scan.Entry(ruleMacroXLM, scan.Suspicious, "A workbook has a sheet of Excel 4 macros."),
	scan.Entry(rulePackage, scan.Suspicious, "An office document has a program, a script or a shortcut embedded as an object to click on."),
	scan.Entry(ruleOneNote, scan.Suspicious, "A OneNote section has a file embedded that is no picture."),
	scan.Entry(rulePDFAction, scan.Suspicious, "A PDF opens something remote, sends a form or fetches data by itself or behind a button."),
	scan.Entry(rulePDFEmbedded, scan.Note, "A PDF has files embedded; each is a part of its own."),
	scan.Entry(rulePDFEncrypted, scan.Unscannable, "A PDF is encrypted, so that not all of it could be examined."),
	scan.Entry(rulePDFForm, scan.Note, "A PDF holds a form in XFA."),
	scan.Entry(rulePDFJavaScript, scan.Suspicious, "A PDF holds JavaScript."),
	scan.Entry(rulePDFLaunch, scan.Suspicious, "A PDF has an action that starts a program or opens a file beside it."),
	scan.Entry(ruleRemoteShortcut, scan.Suspicious, "A shortcut, a library or a search points to a share or a site elsewhere."),
	scan.Entry(ruleRemoteTemplate, scan.Suspicious,
		"An office document loads a template, an object or a frame from elsewhere when it is opened."),
	scan.Entry(ruleRTFObject, scan.Suspicious,
		"An RTF document has an object that loads by itself, is written so that scanners miss it, or belongs to the old equation editor."),
	scan.Entry(ruleShortcut, scan.Suspicious, "A Windows shortcut starts an interpreter, fetches something or hides its arguments."),
	scan.Entry(ruleSVG, scan.Suspicious, "An SVG picture, or another XML document, has a script, an event handler or a page in it."),
	scan.Entry(ruleTooComplex, scan.Unscannable,
		"A document takes more to examine than the configuration allows; the rest of it was not examined."),
)

// Catalogue lists every finding of this package.
func Catalogue() []scan.Rule { return catalogue.Rules() }

// longestDetail bounds a finding's detail in bytes, each thing quoted in it by
// longestQuote.
const (
	longestDetail = 500
	longestQuote  = 120
)

// report collects the findings about one part: one for each rule, with what was
// seen in the order it was met.
type report struct {
	part  int
	found []scan.Finding
	seen  map[rule][]string
}

// add enters something seen. What was seen before is not said twice.
func (r *report) add(as rule, detail string) {
	if slices.Contains(r.seen[as], detail) || len(r.seen[as]) > 100 {
		return
	}
	if r.seen == nil {
		r.seen = map[rule][]string{}
	}
	r.seen[as] = append(r.seen[as], detail)
	name := word + "/" + string(as)
	i := slices.IndexFunc(r.found, func(f scan.Finding) bool { return f.Rule == name })
	if i < 0 {
		r.found = append(r.found, catalogue.Finding(name, r.part, clip(detail, longestDetail)))
		return
	}
	r.found[i].Detail = clip(r.found[i].Detail+"; "+detail, longestDetail)
}

// clip cuts text to at most n bytes, between characters, and shows that it did.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	const mark = "…"
	n = max(n-len(mark), 0)
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return strings.TrimSuffix(text[:n], mark) + mark
}

// quote returns text from a document, made fit for a log line and cut short.
func quote(text string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '·'
		}
		return r
	}, clip(text, longestQuote))
	return clean
}
