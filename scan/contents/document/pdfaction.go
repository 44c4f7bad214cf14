package document

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/format/pdf"
)

// dictionary judges one dictionary.
func (f *pdfFile) dictionary(d pdf.Dict) {
	for _, kind := range f.namesOf(d.All("S")) {
		f.action(kind, d)
	}
	if d.Has("JS") || d.Has("JavaScript") {
		f.scripts(d)
	}
	for _, action := range d.All("OpenAction") {
		f.automatic("when it is opened", action)
	}
	for _, actions := range d.All("AA") {
		for _, event := range f.dictionaryOf(actions) {
			f.automatic("on "+quote(string(event.Key)), event.Value)
		}
	}
	switch {
	case d.Has("EF"):
		f.report.add(rulePDFEmbedded, "the file "+quote(f.file(d)))
	case d.Has("EmbeddedFiles"), slices.Contains(f.namesOf(d.All("Type")), "EmbeddedFile"):
		f.report.add(rulePDFEmbedded, "embedded files")
	case slices.Contains(f.namesOf(d.All("Subtype")), "RichMedia"):
		f.report.add(rulePDFEmbedded, "rich media")
	}
}

// namesOf returns the names that values are, or may be, if they are lists or
// elsewhere.
func (f *pdfFile) namesOf(values []any) []string {
	var names []string
	for _, v := range values {
		switch v := v.(type) {
		case pdf.Name:
			names = append(names, string(v))
		case pdf.Ref:
			names = append(names, f.named(v))
		case pdf.Array:
			names = append(names, f.namesOf(v)...)
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}

// action judges an action of some kind, whatever starts it.
func (f *pdfFile) action(kind string, d pdf.Dict) {
	switch kind {
	case "Launch":
		f.report.add(rulePDFLaunch, "launches "+quote(f.launched(d)))
	case "JavaScript":
		f.scripts(d)
	case "SubmitForm":
		f.report.add(rulePDFAction, "sends a form to "+quote(f.file(d.Get("F"))))
	case "GoToR", "GoToE", "ImportData":
		for _, v := range d.All("F") {
			if where, _ := targetOf(f.file(v)); where != here {
				f.report.add(rulePDFAction, fmt.Sprintf("%s opens %s", kind, quote(f.file(v))))
			}
		}
	case "URI":
		for _, v := range d.All("URI") {
			f.link(f.text(v))
		}
	}
}

// link judges an address that is opened by a click.
func (f *pdfFile) link(target string) {
	where, _ := targetOf(target)
	if where == handler || where == remote && !strings.Contains(target, "//") ||
		where == remote && strings.HasPrefix(strings.ToLower(target), "file:") {
		f.report.add(rulePDFAction, "a link to "+quote(target))
	}
}

// launched returns what a launch action starts: a file, or a command for Windows.
func (f *pdfFile) launched(d pdf.Dict) string {
	if win, ok := d.Get("Win").(pdf.Dict); ok {
		return strings.TrimSpace(f.text(win.Get("F")) + " " + f.text(win.Get("P")))
	}
	return f.file(d.Get("F"))
}

// formScript is a script that does nothing but format and check a field, by the
// functions that Acrobat has for it and that form designers write.
var formScript = regexp.MustCompile(`^(?:\s*AF(?:Date|Time|Number|Percent|Special|Range|Simple|Make)[A-Za-z_]*` +
	`\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*;?)+\s*$`)

// scripts judges the scripts of an action, wherever they are.
func (f *pdfFile) scripts(d pdf.Dict) {
	values := d.All("JS")
	if len(values) == 0 {
		values = []any{nil}
	}
	for _, v := range values {
		switch t := f.text(v); {
		case t == "":
			f.report.add(rulePDFJavaScript, "JavaScript")
		case !formScript.MatchString(t):
			f.report.add(rulePDFJavaScript, "JavaScript: "+quote(t))
		}
	}
}

// dictionaryOf returns a dictionary, wherever it is.
func (f *pdfFile) dictionaryOf(v any) pdf.Dict {
	switch v := v.(type) {
	case pdf.Dict:
		return v
	case pdf.Ref:
		return f.actions[int64(v)].what
	}
	return nil
}

// automatic judges an action that happens without a click.
func (f *pdfFile) automatic(when string, v any) {
	if several, ok := v.(pdf.Array); ok {
		for _, one := range several {
			f.automatic(when, one)
		}
	}
	d := f.dictionaryOf(v)
	for _, kind := range f.namesOf(d.All("S")) {
		switch kind {
		case "URI":
			f.report.add(rulePDFAction, fmt.Sprintf("opens %s %s", quote(f.text(d.Get("URI"))), when))
		case "GoToR", "GoToE", "SubmitForm", "ImportData":
			f.report.add(rulePDFAction, kind+" "+when)
		case "Launch":
			f.report.add(rulePDFLaunch, when)
		}
	}
}

// text returns a string, wherever it is.
func (f *pdfFile) text(v any) string {
	switch v := v.(type) {
	case pdf.String:
		return v.Text()
	case pdf.Ref:
		return f.named(v)
	}
	return ""
}

// file returns the file or address a file specification names (section 7.11).
func (f *pdfFile) file(v any) string {
	d := f.dictionaryOf(v)
	for _, key := range [...]pdf.Name{"UF", "F", "Unix", "DOS", "Mac"} {
		if t := f.text(d.Get(key)); t != "" {
			return t
		}
	}
	return f.text(v)
}
