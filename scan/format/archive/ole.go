package archive

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
)

// oleFormat reads compound files: Office documents up to 2003 and objects in
// later ones, mails saved by Outlook, installer packages. Every stream is a
// member; files that a user sees in them – attachments, packages – are so under
// their own names.
type oleFormat struct{}

func (oleFormat) Name() string { return "ole" }

func (oleFormat) Match(head []byte, _ Content) bool { return hasAny(head, cfbMagic) }

func (oleFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := &oleWalk{walk: begin(ctx, c, b, visit)}
	w.apart = true
	var err error
	if w.file, err = openCompound(c); err != nil {
		w.note(damagedContainer, "%v", err)
	}
	w.index()
	if err := w.unlockAll(); err != nil {
		return w.end(err)
	}
	if what := w.encryption(); what != "" {
		w.note(encryptedDocument, "%s", what)
	}
	for i := range w.file.entries {
		if err := w.one(i); err != nil {
			return w.end(err)
		}
	}
	return w.end(nil)
}

type oleWalk struct {
	*walk
	file  *compound
	inner map[inStorage][]int
	open  map[int]func() io.Reader // by entry, the streams that a known password opens
	by    map[int]string           // by entry, the code of that password
}

// inStorage is a name within a storage. Nothing keeps a file from having several
// entries for one.
type inStorage struct {
	storage int
	name    string
}

// index notes which storage holds which entries.
func (w *oleWalk) index() {
	w.inner = map[inStorage][]int{}
	for i, e := range w.file.entries {
		if e.parent >= 0 {
			at := inStorage{e.parent, e.name}
			w.inner[at] = append(w.inner[at], i)
		}
	}
}

// heads returns the beginnings of all streams of a storage that have that name.
func (w *oleWalk) heads(storage int, name string, n int64) [][]byte {
	var heads [][]byte
	for _, i := range w.inner[inStorage{storage, name}] {
		if e := w.file.entries[i]; e.kind == cfbStream {
			heads = append(heads, piece(w.file.stream(e), 0, n))
		}
	}
	return heads
}

// one hands over the stream of an entry.
func (w *oleWalk) one(i int) error {
	e := w.file.entries[i]
	switch {
	case e.kind == cfbStorage:
		return w.enter()
	case e.kind != cfbStream:
		return nil
	case e.parent < 0:
		m := Member{Names: distinct(msiName(e.name)), Size: e.size, Hidden: true}
		w.noteNext(hiddenMember, "%s is in no storage", m.name())
		return w.member(m, w.read(e))
	case w.isMAPI(e.parent):
		return w.property(e)
	}
	return w.object(i)
}

// read returns the reader of a stream.
func (w *oleWalk) read(e cfbEntry) *exactly {
	s := w.file.stream(e)
	return &exactly{stretch(s, 0, e.size), e.size}
}

// object hands over a stream that is not of a mail.
func (w *oleWalk) object(i int) error {
	e := w.file.entries[i]
	m := Member{Names: distinct(msiName(w.file.path(i))), Size: e.size}
	switch {
	case w.open[i] != nil && e.name != slideStream:
		w.noteNext(w.by[i], "%s", m.name())
		m.Size, m.Own = -1, e.name != packageStream
		return w.member(m, w.open[i]())
	case e.name == packageStream:
		m.Encrypted = true
		return w.member(m, nil)
	case slices.Contains(ownStreams[:], e.name):
		m.Own = true
		return w.records(m, i)
	case !strings.HasSuffix(e.name, "Ole10Native"):
		return w.member(m, w.read(e))
	}
	s := w.file.stream(e)
	if p, ok := readPackage(s, 4); ok {
		return w.unwrap(s, p)
	}
	return w.native(m, w.read(e))
}

// slideStream is the stream of the slides.
const slideStream = "PowerPoint Document"

// ownStreams are those with the text, the tables and the pictures of documents.
var ownStreams = [...]string{"WordDocument", "0Table", "1Table", "Data", "Workbook", "Book", slideStream, "Pictures"}

// records hands over a stream of the document's own, and the files that are in
// it: objects on slides, and the zips in which programs from 2007 on keep the
// document's theme, in addition to the records that older programs know.
func (w *oleWalk) records(m Member, i int) error {
	e := w.file.entries[i]
	s := Content(w.file.stream(e))
	if open := w.open[i]; open != nil {
		b, err := w.hold(open())
		if err != nil {
			return err
		}
		s = bytes.NewReader(b)
	}
	if e.name == slideStream {
		if err := w.slideObjects(s); err != nil {
			return err
		}
	}
	for _, z := range zipsIn(s) {
		if err := w.member(Member{Names: m.Names, Size: z.end - z.start}, stretch(s, z.start, z.end-z.start)); err != nil {
			return err
		}
	}
	if w.open[i] != nil {
		w.noteNext(w.by[i], "%s", m.name())
	}
	return w.member(m, &exactly{stretch(s, 0, s.Size()), s.Size()})
}

// zipsIn returns the zips that are whole in a stream.
func zipsIn(c Content) []span {
	var zips []span
	z := &zipFile{c: c, size: c.Size(), limit: 1}
	for _, e := range z.endsIn(0, z.size) {
		for _, d := range z.places(e) {
			if z.local(d.base) != nil {
				zips = append(zips, span{d.base, min(e.end, z.size)})
			}
		}
	}
	return zips
}

// packageStream is the stream of a document of 2007 on that is encrypted.
const packageStream = "EncryptedPackage"

// locks are the streams by which documents show that they are encrypted.
var locks = [...]struct {
	name   string
	locked func(head []byte) bool
}{
	{packageStream, func([]byte) bool { return true }},
	{"\tDRMContent", func([]byte) bool { return true }},
	{"WordDocument", wordEncrypted},
	{"Workbook", excelEncrypted},
	{"Book", excelEncrypted},
	{"Current User", powerPointEncrypted},
}

// encryption says what of a document is encrypted and stays so, "" if nothing is.
func (w *oleWalk) encryption() string {
	for _, l := range locks {
		for _, i := range w.inner[inStorage{0, l.name}] {
			if e := w.file.entries[i]; w.open[i] == nil && e.kind == cfbStream && l.locked(piece(w.file.stream(e), 0, oleHead)) {
				return strings.TrimSpace(l.name)
			}
		}
	}
	return ""
}

// oleHead is how much of a stream is looked at to see whether it is encrypted.
const oleHead = 4 << 10

// wordEncrypted reads the flags of the file information block, MS-DOC section
// 2.5.2.
func wordEncrypted(b []byte) bool {
	const encrypted = 1 << 8
	return len(b) >= 12 && b[1] == 0xa5 && le16(b[10:])&encrypted != 0
}

// excelEncrypted looks for the record FilePass, which comes right after the
// beginning, MS-XLS section 2.4.117.
func excelEncrypted(b []byte) bool {
	const filePass = 0x2f
	for len(b) >= 4 {
		if le16(b) == filePass {
			return true
		}
		b = b[min(len(b), 4+int(le16(b[2:]))):]
	}
	return false
}

// powerPointEncrypted reads the token of the CurrentUserAtom, MS-PPT section
// 2.3.2.
func powerPointEncrypted(b []byte) bool {
	const encrypted = 0xf3d1c4df
	return len(b) >= 16 && le32(b[12:]) == encrypted
}

// msiName makes a name readable that Windows Installer has packed: two of 64
// characters in one beyond U+3800.
func msiName(name string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
	units := utf16.Encode([]rune(name))
	var b []uint16
	for _, u := range units {
		switch {
		case u >= 0x3800 && u < 0x4800:
			b = append(b, uint16(digits[(u-0x3800)&0x3f]), uint16(digits[(u-0x3800)>>6&0x3f]))
		case u >= 0x4800 && u < 0x4840:
			b = append(b, uint16(digits[u-0x4800]))
		case u == 0x4840:
			b = append(b, '!')
		default:
			b = append(b, u)
		}
	}
	return string(utf16.Decode(b))
}
