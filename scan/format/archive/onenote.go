package archive

import (
	"context"
	"slices"
	"strings"
)

// oneNoteFormat finds the files embedded in sections of OneNote (MS-ONESTORE): they
// are in one piece, each between two marks (section 2.6.13). Their names are
// elsewhere, in the properties of the page; what of these looks like the name of
// a file is taken for one of each file, unless there are as many as files.
type oneNoteFormat struct{}

const (
	oneNoteSection = "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"
	oneNoteFile    = "\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac"
	oneNoteHeader  = 36 // bytes of the mark, the size, and the reserved fields
	oneNoteNames   = 64
	oneNoteWindow  = 256 << 10 // bytes that are searched at once
)

func (oneNoteFormat) Name() string { return "onenote" }

func (oneNoteFormat) Match(head []byte, _ Content) bool { return hasAny(head, oneNoteSection) }

func (oneNoteFormat) suffixes() []string { return []string{".one"} }

func (oneNoteFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.apart = true
	files := oneNoteFiles(c, b.Left().Entries+1)
	names := oneNoteNamesIn(c, files)
	for i, f := range files {
		m := Member{Names: names, Size: f.end - f.start}
		if len(names) == len(files) {
			m.Names = names[i : i+1 : i+1]
		}
		if err := w.member(m, stretch(c, f.start, m.Size)); err != nil {
			return w.end(err)
		}
	}
	return w.end(nil)
}

// oneNoteFiles returns the places of up to most files.
func oneNoteFiles(c Content, most int64) []span {
	var files []span
	for from := int64(0); int64(len(files)) < most; {
		at := find(c, oneNoteFile, from, c.Size())
		if at < 0 {
			break
		}
		from = at + oneNoteHeader
		if b := fixed(c, at, oneNoteHeader); b != nil {
			size := int64(min(le64(b[16:]), largest))
			files = append(files, span{from, from + size})
			from = min(from+size, c.Size())
		}
	}
	return files
}

// oneNoteNamesIn returns the texts outside the files that look like names of files,
// each once, in their order.
func oneNoteNamesIn(c Content, files []span) []string {
	var names []string
	at := int64(0)
	for _, gap := range append(slices.Clone(files), span{c.Size(), c.Size()}) {
		for ; at < gap.start && len(names) < oneNoteNames; at += oneNoteWindow - maxWideName {
			b := piece(c, at, min(oneNoteWindow, gap.start-at))
			names = distinct(append(names, wideFileNames(b)...)...)
		}
		at = max(at, gap.end)
	}
	return names[:min(len(names), oneNoteNames)]
}

// maxWideName is the longest name that is looked for, in bytes of UTF-16.
const maxWideName = 512

// wideFileNames returns the texts in b that have a length of 4 bytes before them, are
// UTF-16, and have the form of a file name.
func wideFileNames(b []byte) []string {
	var names []string
	for i := 0; i+4 < len(b); i++ {
		n := int(le32(b[i:]))
		if n < 6 || n > maxWideName || n%2 != 0 || i+4+n > len(b) {
			continue
		}
		if name := strings.TrimRight(wideText(b[i+4:i+4+n]), "\x00"); isFileName(name) {
			names = append(names, name)
		}
	}
	return names
}

// isFileName reports whether a text is likely to be the name of a file.
func isFileName(s string) bool {
	dot := strings.LastIndexByte(s, '.')
	if dot < 1 || len(s)-dot < 2 || len(s)-dot > 12 || strings.ContainsAny(s, `/\:*?"<>|`) {
		return false
	}
	for _, r := range s[dot+1:] {
		if r > 'z' || !isLetter(byte(r)) && !isDigit(byte(r)) {
			return false
		}
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0xfffd })
}
