package texts

import (
	"path"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Form is how a part is to be read.
type Form string

// The forms of text.
const (
	None      Form = ""
	HTML      Form = "HTML"
	XHTML     Form = "XHTML"
	SVG       Form = "SVG"
	Plain     Form = "text"
	Calendar  Form = "calendar"
	Relations Form = "relations" // of an Office document: where its links lead
	Document  Form = "document"  // the part of an Office or OpenDocument file with its text
	RTF       Form = "RTF"
	PDF       Form = "PDF"
	QR        Form = "QR" // a code in a picture
)

// inFile reports whether the form is one of files that clients do not show.
func (f Form) inFile() bool {
	switch f {
	case Calendar, Relations, Document, RTF, PDF:
		return true
	}
	return false
}

// Place is where a reader meets a text.
type Place int

// The places.
const (
	Body     Place = iota // clients show it as the message
	Attached              // a file to be opened
	Member                // a file inside an archive or a document
)

// formOf says how to read a part. It returns None if the part shows no text or is a
// view of another part that is read.
func formOf(m *scan.Message, i int) Form {
	p := &m.Parts[i]
	switch {
	case p.Content == nil, p.Content.Size() == 0, isView(m, i):
		return None
	case p.Opened && byType(p.Type) != HTML:
		return byType(p.Sniffed) // a text with files in it, not an archive by another name
	}
	if f := byType(p.Type); f != None && f != Plain {
		return f
	}
	if f := byType(p.Sniffed); f != None && f != Plain {
		return f
	}
	for _, n := range p.Names {
		if f := byName(n); f != None {
			return f
		}
		if p.Archived && holdsText(n) {
			return Document
		}
	}
	if !p.Archived && strings.HasPrefix(p.Type, "text/") {
		return Plain
	}
	return None
}

func byType(mediaType string) Form {
	switch mediaType {
	case "text/html", "text/x-amp-html", "text/x-server-parsed-html", "text/enriched", "text/richtext":
		return HTML
	case "application/xhtml+xml", "application/vnd.wap.xhtml+xml":
		return XHTML
	case "image/svg+xml", "image/svg":
		return SVG
	case "text/calendar", "text/x-vcalendar", "application/ics":
		return Calendar
	case "application/pdf", "application/x-pdf":
		return PDF
	case "application/rtf", "text/rtf":
		return RTF
	case "text/plain":
		return Plain
	}
	return None
}

func byName(name string) Form {
	switch strings.ToLower(path.Ext(strings.TrimRight(name, ". "))) {
	case ".html", ".htm", ".shtml", ".shtm", ".hta", ".htc", ".jsp", ".aspx", ".php":
		return HTML
	case ".xhtml", ".xht":
		return XHTML
	case ".svg":
		return SVG
	case ".ics", ".vcs":
		return Calendar
	case ".rels":
		return Relations
	case ".rtf":
		return RTF
	}
	return None
}

// holdsText reports whether a member of an Office file (ECMA-376) or of an
// OpenDocument file is one with text.
func holdsText(name string) bool {
	dir, file := path.Split(strings.ToLower(strings.ReplaceAll(name, "\\", "/")))
	if path.Ext(file) != ".xml" {
		return false
	}
	switch path.Base(dir) {
	case "word":
		switch file {
		case "styles.xml", "settings.xml", "fonttable.xml", "numbering.xml", "websettings.xml", "styleswitheffects.xml":
			return false
		}
		return true
	case "xl":
		return strings.HasPrefix(file, "sharedstrings") || strings.HasPrefix(file, "comments")
	case "slides", "notesslides", "comments":
		return true
	}
	return dir == "" && file == "content.xml"
}

// isView reports whether a part is its parent in another charset. The inventory
// undoes charsets by itself, and so knows where in the original things are.
func isView(m *scan.Message, i int) bool {
	p := &m.Parts[i]
	return p.Entity != nil && p.Parent >= 0 && p.Parent < i && m.Parts[p.Parent].Entity == p.Entity
}

// placeOf says where a reader meets a part. A text without a name that is no
// declared attachment is the message, or part of it.
func placeOf(m *scan.Message, i int) Place {
	p := &m.Parts[i]
	switch {
	case p.Archived && p.Type == "text/html" && p.Parent >= 0 && formOf(m, p.Parent) == Calendar:
		return Attached // programs show it as what the calendar says
	case p.Archived:
		return Member
	case p.Entity != nil && p.Entity.Disposition == "attachment", p.Name() != "", !strings.HasPrefix(p.Type, "text/"):
		return Attached
	}
	return Body
}
