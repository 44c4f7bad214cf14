package archive

import (
	"bytes"
	"cmp"
	"crypto/rc4"
	"io"
	"maps"
	"slices"
)

// unlockAll finds the streams of a document that are encrypted with a password that
// its program tries by itself, or with one that is known.
func (w *oleWalk) unlockAll() error {
	w.open, w.by = map[int]func() io.Reader{}, map[int]string{}
	if err := w.unlockPackage(); err != nil {
		return err
	}
	for _, name := range [...]string{"Workbook", "Book"} {
		for _, i := range w.inner[inStorage{0, name}] {
			if err := w.unlockWorkbook(i); err != nil {
				return err
			}
		}
	}
	return w.unlockSlides()
}

// unlockPackage does what unlockAll does for documents of 2007 on.
func (w *oleWalk) unlockPackage() error {
	packages := w.inner[inStorage{0, packageStream}]
	if len(packages) == 0 {
		return nil
	}
	for _, info := range w.heads(0, "EncryptionInfo", longestInfo) {
		l := newPackageLock(info)
		if l == nil {
			continue
		}
		code, err := w.unlock(l)
		if err != nil {
			return err
		}
		if code == "" {
			continue
		}
		for _, i := range packages {
			w.by[i] = code
			w.open[i] = func() io.Reader { return clearPackage(l, w.read(w.file.entries[i])) }
		}
		return nil
	}
	return nil
}

// unlockWorkbook does what unlockAll does for a workbook up to 2003.
func (w *oleWalk) unlockWorkbook(i int) error {
	e := w.file.entries[i]
	if e.kind != cfbStream {
		return nil
	}
	pass := filePass(piece(w.file.stream(e), 0, oleHead))
	if pass == nil {
		return nil
	}
	l := newBIFFLock(pass)
	if l == nil {
		return nil
	}
	code, err := w.unlock(l)
	if code != "" {
		w.by[i] = code
		w.open[i] = func() io.Reader { return clearBIFF(l, w.read(e)) }
	}
	return err
}

// unlockSlides does what unlockAll does for a presentation up to 2003.
func (w *oleWalk) unlockSlides() error {
	for _, user := range w.inner[inStorage{0, "Current User"}] {
		head := piece(w.file.stream(w.file.entries[user]), 0, oleHead)
		if w.file.entries[user].kind != cfbStream || !powerPointEncrypted(head) || len(head) < 20 {
			continue
		}
		for _, i := range w.inner[inStorage{0, slideStream}] {
			s := w.file.stream(w.file.entries[i])
			d := readPersist(s, int64(le32(head[16:])))
			l := d.lock(s)
			if l == nil {
				continue
			}
			code, err := w.unlock(l)
			if err != nil {
				return err
			}
			if code != "" {
				w.by[i], w.by[user] = code, code
				w.open[i] = func() io.Reader { return d.clear(l, w.read(w.file.entries[i])) }
				w.open[user] = func() io.Reader { return w.read(w.file.entries[user]) }
			}
		}
	}
	return nil
}

// persisted is where the objects of a presentation are (MS-PPT, section 2.3.5).
type persisted struct {
	at      map[uint32]int64 // by number
	session uint32           // the number of the object that describes the encryption
}

const (
	userEdit         = 0x0ff5
	persistDirectory = 0x1772
	cryptSession     = 0x2f14
	persistObjects   = 1 << 16
	persistEdits     = 1 << 6
)

// slideRecord returns a record of a presentation that begins at an offset, nil if it is not of
// that kind or longer than most.
func slideRecord(c Content, at int64, kind uint16, most int64) []byte {
	head := fixed(c, at, 8)
	if head == nil || le16(head[2:]) != kind || int64(le32(head[4:])) > most {
		return nil
	}
	return fixed(c, at+8, int64(le32(head[4:])))
}

// readPersist reads the directories of all edits, the last one first.
func readPersist(c Content, at int64) persisted {
	d := persisted{at: map[uint32]int64{}}
	for range persistEdits {
		edit := slideRecord(c, at, userEdit, 64)
		if len(edit) < 28 {
			break
		}
		if len(edit) >= 32 && d.session == 0 {
			d.session = le32(edit[28:])
		}
		d.directory(slideRecord(c, int64(le32(edit[12:])), persistDirectory, 4*persistObjects))
		if at = int64(le32(edit[8:])); at == 0 {
			break
		}
	}
	return d
}

// directory takes in one directory: numbers that follow each other, with their
// places.
func (d persisted) directory(b []byte) {
	for len(b) >= 4 {
		first, count := le32(b)&0xfffff, le32(b)>>20
		for b = b[4:]; count > 0 && len(b) >= 4; count-- {
			if _, ok := d.at[first]; !ok && len(d.at) < persistObjects {
				d.at[first] = int64(le32(b))
			}
			first++
			b = b[4:]
		}
	}
}

// lock returns what the presentation is encrypted with, nil if that is not known.
func (d persisted) lock(c Content) *standardLock {
	at, ok := d.at[d.session]
	if !ok {
		return nil
	}
	info := slideRecord(c, at, cryptSession, longestInfo)
	if len(info) < 8 {
		return nil
	}
	if l := newStandardLock(info[4:]); l != nil && !l.isAES() {
		return l
	}
	return nil
}

// clear reads the presentation with its objects decrypted, each with a key of its
// own, its head included.
func (d persisted) clear(l *standardLock, src io.Reader) io.Reader {
	b, err := io.ReadAll(io.LimitReader(src, heldObject))
	numbers := slices.SortedFunc(maps.Keys(d.at), func(x, y uint32) int { return cmp.Or(cmp.Compare(d.at[x], d.at[y]), cmp.Compare(x, y)) })
	free := int64(0) // nothing is decrypted twice
	for _, number := range numbers {
		at := d.at[number]
		if number == d.session || at < free || at > int64(len(b))-8 {
			continue
		}
		c, err := rc4.NewCipher(l.blockKey(number))
		if err != nil {
			continue
		}
		head := b[at : at+8]
		c.XORKeyStream(head, head)
		body := b[at+8:]
		body = body[:min(int64(len(body)), int64(le32(head[4:])))]
		c.XORKeyStream(body, body)
		free = at + 8 + int64(len(body))
	}
	if err == nil || err == io.EOF {
		return bytes.NewReader(b)
	}
	return io.MultiReader(bytes.NewReader(b), failed{err})
}

// failed is a reader that fails.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
