package document

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// isXML reports whether the part begins like XML, in any charset that is read.
func (e *examination) isXML() bool {
	h := bytes.TrimPrefix(e.head, []byte("\xef\xbb\xbf"))
	h = bytes.TrimLeft(h, " \t\r\n")
	return bytes.HasPrefix(h, []byte("<")) || wideXML(e.head) != ""
}

// silentRoots are roots of pieces that hold nothing that acts, and may be very large.
var silentRoots = map[string]bool{"html": true, "HTML": true, "worksheet": true, "sst": true, "styleSheet": true, "theme": true,
	"fonts": true}

// isPage are roots of web pages, which are for those who judge pages.
var isPage = map[string]bool{"html": true, "HTML": true}

// xml looks into an XML document by what its root is.
func (e *examination) xml() error {
	x := newXMLReader(e.priced(e.part.Content, priceText), e.head)
	x.work = e.ledger.work
	defer x.close()
	err := x.next()
	switch root := x.tag.name; {
	case err != nil, silentRoots[root] && (e.part.Archived || isPage[root]):
	case root == "svg":
		err = e.svg(x)
	case root == "libraryDescription", root == "searchConnectorDescription", root == "persistedQuery":
		err = e.library(x)
	default:
		err = e.office(x)
	}
	if x.cut {
		e.tooComplex("an XML tag has more attributes than are looked at")
	}
	if isEnd(err) {
		return nil
	}
	return err
}

// officeXML is what has been met of one piece of an office document.
type officeXML struct {
	*examination
	*xmlReader
	fields   fields
	menus    bool   // it is a change to the menus
	property string // the name of the property being read
	err      error  // of what was nested
	web      web
}

// office looks into a piece of an office document: OOXML (ISO/IEC 29500), Word's
// older XML, ODF (ISO/IEC 26300).
func (e *examination) office(x *xmlReader) error {
	o := &officeXML{examination: e, xmlReader: x, fields: fields{judge: e.field}}
	defer o.fields.close()
	e.flat = x.tag.name == "document" && x.tag.get("mimetype") != ""
	o.menus = x.tag.name == "customUI"
	o.webEntity()
	for {
		o.webElement()
		if o.menus {
			o.callback()
		}
		if len(x.tag.name) >= shortestElement { // most are shorter: p, r, t
			if look := elements[x.tag.name]; look != nil {
				look(o)
			}
		}
		if err := x.next(); err != nil || o.err != nil {
			return errors.Join(o.err, err)
		}
	}
}

// shortestElement is the length of the shortest name of elements.
const shortestElement = len("ocx")

// elements are the elements that matter, by their names without prefix.
var elements = map[string]func(*officeXML){
	"Relationship":        (*officeXML).relationship,
	"fldSimple":           (*officeXML).simpleField,
	"fldChar":             (*officeXML).fieldMark,
	"instrText":           (*officeXML).instruction,
	"delInstrText":        (*officeXML).instruction,
	"ddeLink":             (*officeXML).ddeLink,
	"macrosheet":          (*officeXML).macroSheet,
	"definedName":         (*officeXML).definedName,
	"ocx":                 (*officeXML).control,
	"customUI":            (*officeXML).ribbon,
	"property":            (*officeXML).customProperty,
	"lpwstr":              (*officeXML).customText,
	"lpstr":               (*officeXML).customText,
	"bstr":                (*officeXML).customText,
	"binaryData":          (*officeXML).binary,
	"binData":             (*officeXML).binary,
	"dde-source":          (*officeXML).ddeSource,
	"dde-connection-decl": (*officeXML).ddeSource,
	"event-listener":      (*officeXML).listener,
	"module":              (*officeXML).module,
	"source-code":         (*officeXML).module,
	"template":            (*officeXML).odfTemplate,
	"section-source":      (*officeXML).odfSection,
	"floating-frame":      (*officeXML).odfSection,
}

// relationship judges what a piece refers to (ECMA-376 part 2, section 9.3).
func (o *officeXML) relationship() {
	if o.tag.end {
		return
	}
	kind, target := o.tag.get("Type"), o.tag.get("Target")
	kind = kind[strings.LastIndexByte(kind, '/')+1:]
	switch kind {
	case "xlMacrosheet", "xlIntlMacrosheet":
		o.report.add(ruleMacroXLM, "macro sheet "+quote(target))
	case "hyperlink":
		if where, _ := targetOf(target); where == handler && !strings.HasPrefix(strings.ToLower(target), "about:") {
			o.report.add(ruleRemoteTemplate, "a link to "+quote(target))
		}
	case "image", "media", "video", "audio", "externalLink", "externalLinkPath",
		"xlExternalLinkPath", "xlPathMissing", "xlStartup", "xlAlternateStartup", "xlLibrary":
		o.refers(quote(kind)+" at", target)
	default:
		o.loads(quote(kind)+" at", target)
	}
}

// simpleField judges a field that is written in one piece (ECMA-376 part 1,
// section 17.16.19).
func (o *officeXML) simpleField() { o.field(o.tag.get("instr")) }

// fieldMark follows a field written in pieces (section 17.16.18).
func (o *officeXML) fieldMark() {
	switch o.tag.get("fldCharType") {
	case "begin":
		o.fields.begin()
	case "separate":
		o.fields.separate()
	case "end":
		o.fields.end()
	}
}

// instruction adds to the code of a field (section 17.16.23).
func (o *officeXML) instruction() {
	if o.tag.end {
		o.fields.text(o.content())
	}
}

// ddeLink judges a link of a workbook to a program (section 18.14.2).
func (o *officeXML) ddeLink() {
	if !o.tag.end {
		o.report.add(ruleDDE, fmt.Sprintf("link to program %s, topic %s", quote(o.tag.get("ddeService")), quote(o.tag.get("ddeTopic"))))
	}
}

// ddeSource judges the same in ODF (part 3, section 14.6).
func (o *officeXML) ddeSource() {
	if !o.tag.end {
		o.report.add(ruleDDE, fmt.Sprintf("link to program %s, topic %s", quote(o.tag.get("dde-application")), quote(o.tag.get("dde-topic"))))
	}
}

// macroSheet takes the root of a sheet of Excel 4 macros (MS-OFFMACRO2, section
// 2.2.1).
func (o *officeXML) macroSheet() {
	if !o.tag.end {
		o.report.add(ruleMacroXLM, "macro sheet "+quote(o.part.Name()))
	}
}

// definedName judges a name of a workbook; those of macros that run by themselves
// are reserved.
func (o *officeXML) definedName() {
	n := strings.ToLower(strings.TrimPrefix(o.tag.get("name"), "_xlnm."))
	if !o.tag.end && strings.HasPrefix(n, "auto_") {
		o.report.add(ruleMacroXLM, "macro that runs by itself: "+quote(o.tag.get("name")))
	}
}

// control judges an ActiveX control (MS-OI29500).
func (o *officeXML) control() {
	if !o.tag.end {
		o.report.add(ruleActiveX, "control "+quote(o.tag.get("classid")))
	}
}

// binary takes a piece of a document in one file that is no XML, as base64
// (ECMA-376 part 2, annex on flat OPC; Word's older XML).
func (o *officeXML) binary() {
	if !o.tag.end {
		o.keep = int(o.left())
		return
	}
	text := bytes.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, o.text)
	o.keep = longestText
	b := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(b, text)
	if err != nil {
		o.report.add(ruleDamaged, "a piece in base64: "+err.Error())
	}
	if o.spend(n) {
		o.err = errors.Join(o.err, o.nested(b[:n]))
	}
}

// ribbon judges a change to the menus, which may name a macro to run when it is
// loaded.
func (o *officeXML) ribbon() {
	if load := o.tag.get("onLoad"); load != "" {
		o.ribbons = append(o.ribbons, load)
	}
}

// callback looks at the procedures that an element of the menus names, which may be
// those of another file: that is opened then, wherever it is.
func (o *officeXML) callback() {
	for _, a := range o.tag.attributes {
		file, _, ok := strings.Cut(a.value, "!")
		if ok && (strings.HasPrefix(a.name, "on") || strings.HasPrefix(a.name, "get") || strings.HasPrefix(a.name, "load")) {
			o.loads("a procedure of the menus in", strings.Trim(file, "'"))
		}
	}
}

// assembly is the property that names the add-in a document belongs to, which
// Office installs (Visual Studio Tools for Office).
const assembly = "_AssemblyLocation"

// customProperty takes a property that the author gave the document (ECMA-376 part 1,
// section 22.3).
func (o *officeXML) customProperty() {
	o.property = ""
	if !o.tag.end {
		o.property = o.tag.get("name")
	}
}

// customText takes the value of one.
func (o *officeXML) customText() {
	if o.tag.end && strings.HasPrefix(strings.ToLower(o.property), strings.ToLower(assembly)) {
		target, _, _ := strings.Cut(strings.TrimSpace(o.content()), "|")
		o.loads("an add-in at", target)
	}
}

// odfTemplate takes the template a text was made from, which is only asked for.
func (o *officeXML) odfTemplate() { o.refers("a template at", o.tag.get("href")) }

// odfSection takes a section or a frame whose content is in another file.
func (o *officeXML) odfSection() { o.loads(quote(o.tag.name)+" at", o.tag.get("href")) }
