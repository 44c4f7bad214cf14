package document

import (
	"fmt"
	"regexp"
	"strings"
)

// dictionary judges one dictionary.
func (f *pdfFile) dictionary(d pdfDict) {
	for _, kind := range f.namesOf(d["S"]) {
		f.action(kind, d)
	}
	if d.has("JS") || d.has("JavaScript") {
		f.script(d["JS"])
	}
	f.automatic("when it is opened", d["OpenAction"])
	for _, event := range f.dictionaryOf(d["AA"]).keys() {
		f.automatic("on "+quote(event), f.dictionaryOf(d["AA"])[event])
	}
	switch {
	case d.has("EF"):
		f.report.add(rulePDFEmbedded, "the file "+quote(f.file(pdfValue{dict: d})))
	case d.has("EmbeddedFiles"), d["Type"].name == "EmbeddedFile":
		f.report.add(rulePDFEmbedded, "embedded files")
	case d["Subtype"].name == "RichMedia":
		f.report.add(rulePDFEmbedded, "rich media")
	}
}

// namesOf are the names a value is, or may be, if it is there several times or
// elsewhere.
func (f *pdfFile) namesOf(v pdfValue) []string {
	var names []string
	for _, v := range append(v.list, v) {
		switch {
		case v.name != "":
			names = append(names, v.name)
		case v.ref > 0 && f.names[v.ref] != "":
			names = append(names, f.names[v.ref])
		}
	}
	return names
}

// action judges an action of some kind, whoever starts it.
func (f *pdfFile) action(kind string, d pdfDict) {
	switch kind {
	case "Launch":
		f.report.add(rulePDFLaunch, "launches "+quote(f.launched(d)))
	case "JavaScript":
		f.script(d["JS"])
	case "SubmitForm":
		f.report.add(rulePDFAction, "sends a form to "+quote(f.file(d["F"])))
	case "GoToR", "GoToE", "ImportData":
		if where, _ := targetOf(f.file(d["F"])); where != here {
			f.report.add(rulePDFAction, fmt.Sprintf("%s opens %s", kind, quote(f.file(d["F"]))))
		}
	case "URI":
		target := f.text(d["URI"])
		where, _ := targetOf(target)
		if where == handler || where == remote && !strings.Contains(target, "//") || where == remote && strings.HasPrefix(strings.ToLower(target), "file:") {
			f.report.add(rulePDFAction, "a link to "+quote(target))
		}
	}
}

// launched is what a launch action starts: a file, or a command for Windows.
func (f *pdfFile) launched(d pdfDict) string {
	if win := d["Win"].dict; win != nil {
		return strings.TrimSpace(f.text(win["F"]) + " " + f.text(win["P"]))
	}
	return f.file(d["F"])
}

// formScript is a script that does nothing but format and check a field, by the
// functions that Acrobat has for it and that form designers write.
var formScript = regexp.MustCompile(`^(?:\s*AF(?:Date|Time|Number|Percent|Special|Range|Simple|Make)[A-Za-z_]*\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*;?)+\s*$`)

// script judges a script, wherever it is.
func (f *pdfFile) script(v pdfValue) {
	switch t := f.text(v); {
	case t == "":
		f.report.add(rulePDFJavaScript, "JavaScript")
	case !formScript.MatchString(t):
		f.report.add(rulePDFJavaScript, "JavaScript: "+quote(t))
	}
}

// dictionaryOf is a dictionary, wherever it is.
func (f *pdfFile) dictionaryOf(v pdfValue) pdfDict {
	if v.ref > 0 {
		return f.actions[v.ref]
	}
	return v.dict
}

// automatic judges an action that happens without a click.
func (f *pdfFile) automatic(when string, v pdfValue) {
	for _, one := range v.list { // of a key that stands several times
		f.automatic(when, one)
	}
	d := f.dictionaryOf(v)
	for _, kind := range f.namesOf(d["S"]) {
		switch kind {
		case "URI":
			f.report.add(rulePDFAction, fmt.Sprintf("opens %s %s", quote(f.text(d["URI"])), when))
		case "GoToR", "GoToE", "SubmitForm", "ImportData":
			f.report.add(rulePDFAction, kind+" "+when)
		case "Launch":
			f.report.add(rulePDFLaunch, when)
		}
	}
}

// text is a string, wherever it is.
func (f *pdfFile) text(v pdfValue) string {
	if v.ref > 0 {
		return f.names[v.ref]
	}
	return pdfText(v.text)
}

// file is the file or address a file specification names (section 7.11).
func (f *pdfFile) file(v pdfValue) string {
	d := f.dictionaryOf(v)
	for _, key := range [...]string{"UF", "F", "Unix", "DOS", "Mac"} {
		if t := f.text(d[key]); t != "" {
			return t
		}
	}
	return f.text(v)
}

// pdfText is a text string, which is in UTF-16 behind a byte order mark (section
// 7.9.2.2).
func pdfText(s string) string {
	rest, ok := strings.CutPrefix(s, "\xfe\xff")
	if !ok {
		return strings.TrimPrefix(s, "\xef\xbb\xbf")
	}
	b := []byte(rest)
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return wide(b)
}
