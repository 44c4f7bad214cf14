package edit

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"io"
	"path"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// contentTypes is the part of a package that says what its parts are (ECMA-376,
// part 2, section 10.1.2.2).
const contentTypes = "[Content_Types].xml"

// withoutMacros are the types of documents with macros and what they are without
// them, in packages and in mail.
var withoutMacros = map[string]string{
	"application/vnd.ms-word.document.macroEnabled.main+xml":         "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
	"application/vnd.ms-word.template.macroEnabledTemplate.main+xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",

	"application/vnd.ms-excel.sheet.macroEnabled.main+xml":    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
	"application/vnd.ms-excel.template.macroEnabled.main+xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml",

	"application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
	"application/vnd.ms-powerpoint.template.macroEnabled.main+xml":     "application/vnd.openxmlformats-officedocument.presentationml.template.main+xml",
	"application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml":    "application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml",

	"application/vnd.ms-word.document.macroenabled.12":           "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"application/vnd.ms-word.template.macroenabled.12":           "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
	"application/vnd.ms-excel.sheet.macroenabled.12":             "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"application/vnd.ms-excel.template.macroenabled.12":          "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
	"application/vnd.ms-powerpoint.presentation.macroenabled.12": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"application/vnd.ms-powerpoint.template.macroenabled.12":     "application/vnd.openxmlformats-officedocument.presentationml.template",
	"application/vnd.ms-powerpoint.slideshow.macroenabled.12":    "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
}

// plainSuffix are the suffixes of documents with macros and without: programs
// open no document under the wrong one.
var plainSuffix = map[string]string{
	".docm": ".docx", ".dotm": ".dotx", ".xlsm": ".xlsx", ".xltm": ".xltx", ".pptm": ".pptx", ".potm": ".potx", ".ppsm": ".ppsx",
}

// isMacroPart reports whether a part of a package belongs to its macros by name.
func isMacroPart(name string) bool {
	switch base := strings.ToLower(path.Base(name)); {
	case base == "vbaproject.bin", base == "vbadata.xml":
		return true
	default:
		return strings.HasPrefix(base, "vbaprojectsignature") || strings.HasPrefix(base, "vbaproject.bin.") ||
			strings.HasPrefix(base, "vbadata.xml.")
	}
}

// longestPart bounds a part of a package that is read as a whole.
const longestPart = 1 << 20

// withoutMacros writes a document without its macros: the parts that hold them,
// what refers to these, and what says that there are any.
func (r *rebuilder) withoutMacros(part int) (scan.Content, error) {
	p := &r.Message.Parts[part]
	old, err := zip.NewReader(p.Content, p.Content.Size())
	if err != nil {
		return nil, errWhole
	}
	list := &members{by: map[string]*member{}}
	for _, f := range old.File {
		m, err := macroMember(f)
		if err != nil {
			return nil, err
		}
		if m != nil {
			list.add(m)
		}
	}
	if err := dropTargets(old, list); err != nil {
		return nil, err
	}
	out, err := r.keep(func(to io.Writer) error {
		z := zip.NewWriter(to)
		for _, f := range old.File {
			if _, err := r.zipMember(z, f, list.of(f.Name)); err != nil {
				return err
			}
		}
		return z.Close()
	})
	if err != nil {
		return nil, err
	}
	if name := p.Name(); plainSuffix[strings.ToLower(path.Ext(name))] != "" {
		r.nodes[part].renamed = strings.TrimSuffix(name, path.Ext(name)) + plainSuffix[strings.ToLower(path.Ext(name))]
	}
	return out, proveZip(old, out, list)
}

// macroMember returns the change of a part when a document loses its macros; nil if
// the part stays.
func macroMember(f *zip.File) (*member, error) {
	switch {
	case isMacroPart(f.Name):
		return &member{names: []string{f.Name}, gone: true}, nil
	case f.Name != contentTypes && path.Ext(f.Name) != ".rels":
		return nil, nil
	}
	text, err := readMember(f)
	if err != nil {
		return nil, err
	}
	edited, err := withoutMacroElements(text)
	if err != nil {
		return nil, errWhole
	}
	if bytes.Equal(edited, text) {
		return nil, nil
	}
	return &member{names: []string{f.Name}, content: bytes.NewReader(edited)}, nil
}

func readMember(f *zip.File) ([]byte, error) {
	in, err := f.Open()
	if err != nil {
		return nil, errWhole
	}
	defer in.Close()
	return all(in, longestPart)
}

// dropTargets adds to the parts that go those that hold macros under another name,
// as a relationship says.
func dropTargets(old *zip.Reader, list *members) error {
	for _, f := range old.File {
		if path.Ext(f.Name) != ".rels" {
			continue
		}
		text, err := readMember(f)
		if err != nil {
			return err
		}
		base := path.Dir(path.Dir(f.Name))
		err = elements(text, func(e xml.StartElement, _ entity.Span) {
			target := attribute(e, "Target")
			if !isMacroElement(e) || target == "" {
				return
			}
			if !strings.HasPrefix(target, "/") {
				target = path.Join(base, target)
			}
			list.add(&member{names: []string{strings.TrimPrefix(path.Clean(target), "/")}, gone: true})
		})
		if err != nil {
			return errWhole
		}
	}
	return nil
}

// withoutMacroElements takes the elements about macros out of a list of types or
// relationships, and changes the type of the document.
func withoutMacroElements(text []byte) ([]byte, error) {
	var out []byte
	at := int64(0)
	err := elements(text, func(e xml.StartElement, s entity.Span) {
		out = append(out, text[at:s.Start]...)
		at = s.End
		if isMacroElement(e) {
			return
		}
		element := text[s.Start:s.End]
		if plain, ok := withoutMacros[attribute(e, "ContentType")]; ok {
			element = bytes.Replace(element, []byte(attribute(e, "ContentType")), []byte(plain), 1)
		}
		out = append(out, element...)
	})
	return append(out, text[at:]...), err
}

// isMacroElement reports whether an element gives the type of a part with macros,
// or refers to one.
func isMacroElement(e xml.StartElement) bool {
	switch e.Name.Local {
	case "Relationship":
		kind := strings.ToLower(path.Base(attribute(e, "Type")))
		return strings.HasPrefix(kind, "vbaproject") || kind == "wordvbadata" || isMacroPart(attribute(e, "Target"))
	case "Override":
		return isMacroPart(attribute(e, "PartName")) || isMacroType(attribute(e, "ContentType"))
	case "Default":
		return isMacroType(attribute(e, "ContentType"))
	}
	return false
}

func isMacroType(t string) bool {
	t = strings.ToLower(t)
	return strings.HasPrefix(t, "application/vnd.ms-office.vbaproject") || t == "application/vnd.ms-word.vbadata+xml"
}

// elements calls visit for each element without children, with the bytes it
// takes.
func elements(text []byte, visit func(xml.StartElement, entity.Span)) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	var open *xml.StartElement
	var from int64
	for {
		before := d.InputOffset()
		t, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			e := t.Copy()
			open, from = &e, before
		case xml.EndElement:
			if open != nil {
				visit(*open, entity.Span{Start: from, End: d.InputOffset()})
			}
			open = nil
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
