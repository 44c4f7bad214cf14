package attachment

import (
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scratch"
)

// place is where a part is, which decides by which lists it is judged.
type place int

const (
	attached place = iota // a part of a message: one click opens it
	member                // inside an archive
	internal              // a stream inside a document: no program shows it as a file
)

// part is a part with its place.
type part struct {
	*scan.Part
	index int
	place place
}

// transparent reports whether clients show what a part holds in its stead.
func transparent(p scan.Part) bool {
	for _, t := range [...]string{p.Type, p.Sniffed} {
		switch t {
		case "application/ms-tnef", "application/vnd.ms-tnef", "application/vnd.ms-outlook", "application/mac-binhex40", "application/applefile",
			"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pkcs7-signature",
			"application/x-pkcs7-signature", "application/cms", "application/timestamped-data":
			return true
		}
	}
	return strings.HasPrefix(p.Sniffed, "text/") || slices.ContainsFunc(p.Names, isWinmail) || slices.ContainsFunc(p.Names, isSigned)
}

// isSigned reports whether a name is that of a file in a signature, which programs
// for these show like any other.
func isSigned(name string) bool {
	switch extension(bareName(name)) {
	case "p7m", "p7z", "p7s", "tsd":
		return true
	}
	return false
}

// isShownInText reports whether a part is a picture or the like that a page or a
// calendar carries and shows in its place.
func isShownInText(m *scan.Message, p part) bool {
	if !p.Archived || p.Parent < 0 || !strings.HasPrefix(m.Parts[p.Parent].Sniffed, "text/") {
		return false
	}
	return familyOfType(p.Sniffed) == media || strings.HasPrefix(p.Type, "font/")
}

func isWinmail(name string) bool { return strings.EqualFold(name, "winmail.dat") }

// isCompound reports whether a part was read as a compound file, whatever it is
// called: the members are streams, which no program shows as files. A mail in one
// shows its attachments.
func isCompound(p scan.Part) bool {
	if p.Content == nil {
		return false
	}
	mark, err := scratch.ReadAt(p.Content, 0, len(compoundMark))
	return err == nil && string(mark) == compoundMark
}

// isFile reports whether clients show the part as a file. The text of a message
// is none, unless it has a name or is declared an attachment.
func (p part) isFile() bool {
	switch {
	case p.Archived, slices.ContainsFunc(p.Names, notEmpty), p.Entity != nil && p.Entity.Disposition == "attachment":
		return true
	}
	return p.Type != "" && !strings.HasPrefix(p.Type, "text/") && !isComposite(p.Type)
}

// isComposite reports whether a media type is structure, or a whole message.
func isComposite(mediaType string) bool {
	return strings.HasPrefix(mediaType, "multipart/") || strings.HasPrefix(mediaType, "message/")
}

// label names the part in a finding's detail.
func (p part) label() string {
	if i := slices.IndexFunc(p.Names, notEmpty); i >= 0 {
		return printable(p.Names[i])
	}
	return "an attachment without a name"
}

func notEmpty(name string) bool { return name != "" }
