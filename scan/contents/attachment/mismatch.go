package attachment

import (
	"fmt"
	"strings"
)

// family is a sort of file whose members are mistaken for each other in good
// faith: a JPEG named .png, a page named .txt.
type family string

const (
	noFamily family = ""
	media    family = "a picture, sound or film"
	portable family = "a PDF"
	plain    family = "plain text"
	page     family = "a web page"
	archived family = "an archive"
	office   family = "an office document"
)

// familyOfName says what a name promises. Names that promise nothing certain
// have no family: an .xls is a web page or a table as often as not.
func familyOfName(name string) family {
	switch extension(bareName(name)) {
	case "jpg", "jpeg", "jpe", "png", "gif", "bmp", "tif", "tiff", "webp", "heic",
		"mp3", "m4a", "wav", "ogg", "mp4", "avi", "mov", "mpg", "mpeg":
		return media
	case "pdf":
		return portable
	case "txt", "csv", "ics", "vcf":
		return plain
	}
	return noFamily
}

// familyOfType says what a media type, declared or recognised, represents.
func familyOfType(t string) family {
	switch t {
	case "application/pdf":
		return portable
	case "text/html", "application/xhtml+xml":
		return page
	case "application/zip", "application/x-rar-compressed", "application/x-7z-compressed",
		"application/vnd.ms-cab-compressed", "application/x-tar", "application/gzip",
		"application/jar", "application/java-archive", "application/vnd.android.package-archive":
		return archived
	case "application/x-ole-storage", "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
		"text/rtf", "application/rtf":
		return office
	case "text/plain", "text/csv", "text/calendar", "text/vcard":
		return plain
	case "image/svg+xml":
		return noFamily // it is text
	}
	switch kind, _, _ := strings.Cut(t, "/"); {
	case kind == "image", kind == "audio", kind == "video":
		return media
	case strings.HasPrefix(t, "application/vnd.openxmlformats-"):
		return office
	}
	return noFamily
}

// surprising lists what each promise must not turn out to be. Content that is
// not recognised, or is plain text, proves nothing.
var surprising = map[family][]family{
	media:    {page, archived, office, portable},
	portable: {page, archived, office},
	plain:    {archived, office},
}

// judgeMismatch holds what the content is against what the name and the
// declared type say. Programs and the like have been found before this.
func (s *Scanner) judgeMismatch(r *report) {
	if r.place != attached || !r.isFile() || r.Sniffed == "" {
		return
	}
	is := familyOfType(r.Sniffed)
	for _, name := range r.Names {
		if says := familyOfName(name); says.surprisedBy(is) {
			r.add(ruleTypeMismatch, fmt.Sprintf("%s promises %s and is %s (%s)", printable(name), says, is, r.Sniffed))
		}
	}
	if says := familyOfType(r.Type); says.surprisedBy(is) && says != plain {
		r.add(ruleTypeMismatch, fmt.Sprintf("%s is declared %s and is %s (%s)", r.label(), r.Type, is, r.Sniffed))
	}
}

func (f family) surprisedBy(is family) bool {
	for _, bad := range surprising[f] {
		if bad == is {
			return true
		}
	}
	return false
}
