package archive

import (
	"path"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/scratch"
)

// HeadSize is how much of the content Match is given.
const HeadSize = 1024

// Formats lists every format, in the order in which they are tried: those with
// the weakest marks come last.
func Formats() []Format {
	formats := []Format{
		zipFormat{},
		rarFormat{},
		sevenZipFormat{},
		gzipFormat{},
		bzip2Format{},
		xzFormat{},
		zstdFormat{},
		lz4Format{},
		lzipFormat{},
		compressFormat{},
		arFormat{},
		cabFormat{},
		arjFormat{},
		lhaFormat{},
		szddFormat{},
		oleFormat{},
		tnefFormat{},
		rtfFormat{},
		oneNoteFormat{},
		rpmFormat{},
		pdfFormat{},
		cmsFormat{},
		calendarFormat{},
		carriedFormat{},
		mimeFormat{},
		isoFormat{},
		cpioFormat{},
		tarFormat{},
		lzmaFormat{},
	}
	for i := range exotics {
		formats = append(formats, &exotics[i])
	}
	return formats
}

// Risky reports whether a format's decoder may be made to allocate or compute at
// will, so that the caller is to run it in a separate process.
func Risky(f Format) bool {
	switch f.(type) {
	case rarFormat, sevenZipFormat, xzFormat, lzmaFormat, lzipFormat, zstdFormat:
		return true
	}
	return false
}

// Carries reports whether a format finds files that a text carries in addition to
// what it shows itself: the text stays one.
func Carries(f Format) bool {
	switch unwrap(f).(type) {
	case calendarFormat, carriedFormat:
		return true
	}
	return false
}

// Locks reports whether the format of a name has passwords.
func Locks(name string) bool {
	switch Named(name).(type) {
	case sevenZipFormat, rarFormat, zipFormat, arjFormat, pdfFormat, oleFormat:
		return true
	}
	return false
}

// Strays reports whether a format finds messages after the beginning of something
// else, as those do who look into texts of messages anyway.
func Strays(f Format) bool {
	_, ok := unwrap(f).(mimeFormat)
	return ok
}

// Wraps reports whether a format wraps one file, which programs show under the name
// of the container, whatever name it brings along.
func Wraps(f Format) bool {
	_, ok := unwrap(f).(cmsFormat)
	return ok
}

// InnerName returns what programs call the one file in a container of that name: "a.tar"
// in "a.tar.gz". From a signed file they take the suffix of signatures, no other.
func InnerName(f Format, name string) string {
	if !Wraps(f) {
		return strings.TrimSuffix(name, path.Ext(name))
	}
	bare := strings.TrimRight(name, ". ")
	if ends := extensions([]string{bare}); len(ends) > 0 && slices.Contains(signatures[:], ends[0]) {
		return strings.TrimSuffix(bare, path.Ext(bare))
	}
	return name
}

// signatures are the suffixes of signed, stamped and compressed files.
var signatures = [...]string{".p7m", ".p7s", ".p7z", ".p7c", ".p7b", ".tsd", ".tst", ".cms", ".p7"}

// Named returns the format of that name, or nil.
func Named(name string) Format {
	for _, f := range Formats() {
		if f.Name() == name {
			return f
		}
	}
	return nil
}

// suffixed is a Format whose files may carry no mark: where no content matches,
// the name decides.
type suffixed interface{ suffixes() []string }

// embedded is a Format that may begin anywhere, as in self-extracting programs:
// programs that know the format look further than the first bytes. Bytes in a
// place that is taken are no beginning.
type embedded interface {
	sight() sights // the signs of it in whatever it is inside
	inside(c Content, taken Places) bool
}

// Detector tells which of its formats contents have. It may be used by any number of
// goroutines at once.
type Detector struct {
	formats []Format
	further []Format // those that may begin anywhere
	named   []named  // those that names may decide about
}

// named is a format with the suffixes of its files.
type named struct {
	Format
	suffixes []string
}

// has reports whether one of the extensions is the format's.
func (n named) has(ends []string) bool {
	return slices.ContainsFunc(ends, func(end string) bool { return slices.Contains(n.suffixes, end) })
}

// NewDetector returns a detector of formats, which are tried in their order.
func NewDetector(formats []Format) *Detector {
	d := &Detector{formats: formats}
	for _, f := range formats {
		if _, ok := unwrap(f).(embedded); ok {
			d.further = append(d.further, f)
		}
		if s, ok := unwrap(f).(suffixed); ok {
			d.named = append(d.named, named{f, s.suffixes()})
		}
	}
	return d
}

// Detect returns the one format the content has: the first of those it begins with,
// that begin further in, or, where the content is silent, that any of the names
// points to; nil if there is none.
func (d *Detector) Detect(c Content, names []string) Format {
	begun := d.Beginning(c)
	if all := append(begun, d.Further(begun, c, names, nil)...); len(all) > 0 {
		return all[0]
	}
	return nil
}

// Beginning returns the formats whose mark the content begins with.
func (d *Detector) Beginning(c Content) []Format {
	buf := scratch.Lend()
	defer buf.Return()
	head := buf.Head(c, HeadSize)
	if len(head) == 0 {
		return nil
	}
	return choose(d.formats, func(f Format) bool { return f.Match(head, c) })
}

// Shown adds to the formats that a content begins with that of the files a page carries, if
// there may be any: what a client is told to show as a page it shows as one, whatever other
// format it begins with.
func Shown(begun []Format, c Content) []Format {
	if slices.Contains(begun, Format(carriedFormat{})) || !mayCarryIn(c) {
		return begun
	}
	return append(begun, carriedFormat{})
}

// Further returns the formats that begin further in, in addition to the ones
// that the content begins with: a GIF with a zip after it has one. Taken are the
// places of the members that the others have brought to light: a zip that is
// attached to a saved mail is the attachment's content, not one of the mail –
// unless a name says that the file is to be opened as one. Where nothing is found
// at all, the names decide.
func (d *Detector) Further(begun []Format, c Content, names []string, taken Places) []Format {
	ends := extensions(names)
	seen := survey(c, d.wanted(begun))
	if packs(begun) {
		seen &^= sightStreams
	}
	found := choose(d.further, func(f Format) bool {
		e := unwrap(f).(embedded)
		if slices.Contains(begun, f) || !seen.isSeen(e) {
			return false
		}
		if d.names(f, ends) {
			return e.inside(c, nil)
		}
		return e.inside(c, taken)
	})
	if len(found) > 0 || len(begun) > 0 || c.Size() == 0 {
		return found
	}
	for _, n := range d.named {
		if n.has(ends) {
			found = append(found, n.Format)
		}
	}
	return found
}

// wanted returns the sights of the formats that may begin further in, but for those that
// have begun.
func (d *Detector) wanted(begun []Format) (s sights) {
	for _, f := range d.further {
		if e := unwrap(f).(embedded); e.sight() != allSights && !slices.Contains(begun, f) {
			s |= e.sight()
		}
	}
	return s
}

// names reports whether one of the extensions is the format's.
func (d *Detector) names(f Format, ends []string) bool {
	return slices.ContainsFunc(d.named, func(n named) bool { return n.Format == f && n.has(ends) })
}

// unwrap returns the format of this package inside one that walks elsewhere.
func unwrap(f Format) Format {
	if w, ok := f.(interface{ Unwrap() Format }); ok {
		return w.Unwrap()
	}
	return f
}

// choose returns those of formats that fit; what makes fit panic does not.
func choose(formats []Format, fit func(Format) bool) []Format {
	var found []Format
	for next := 0; next < len(formats); { // again after each panic
		safely(func() error {
			for next < len(formats) {
				f := formats[next]
				next++
				if fit(f) {
					found = append(found, f)
				}
			}
			return nil
		})
	}
	return found
}

// sfxSize is how far in an archive may begin; the programs that unpack rar and
// 7z look no further.
const sfxSize = 1 << 20

// findEarly returns where mark first is, -1 if not within sfxSize.
func findEarly(c Content, mark string) int64 { return findFree(c, mark, nil) }

// findFree returns where mark first is in no place that is taken, -1 if not within
// sfxSize.
func findFree(c Content, mark string, taken Places) int64 {
	for from := int64(0); ; {
		at := find(c, mark, from, min(c.Size(), sfxSize+int64(len(mark))))
		if at < 0 || !taken.hold(at) {
			return at
		}
		from = at + 1
	}
}

// find returns the first place of mark between from and to, or -1.
func find(c Content, mark string, from, to int64) int64 {
	at, _ := scratch.Index(c, mark, from, to)
	return at
}

// extensions returns the extensions of names in lower case, ".zip" for "A.ZIP. ".
func extensions(names []string) []string {
	ends := make([]string, 0, len(names))
	for _, name := range names {
		if end := path.Ext(strings.TrimRight(name, ". ")); end != "" {
			ends = append(ends, strings.ToLower(end))
		}
	}
	return ends
}

// hasAny reports whether head begins with one of the marks.
func hasAny(head []byte, marks ...string) bool {
	for _, m := range marks {
		if len(head) >= len(m) && string(head[:len(m)]) == m {
			return true
		}
	}
	return false
}
