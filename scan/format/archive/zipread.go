package archive

import (
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// zipReader hands over the members of a zip, each in every way it can be read.
type zipReader struct {
	*walk
	zip       *zipFile
	*inflater          // reused from member to member
	windows   *windows // of the other methods
	right     *secret  // the password that was right before
	vain      int      // members that no password opened
}

// packedData opens a member's packed bytes at their beginning.
type packedData func() io.Reader

// zipReading is one way to read a member.
type zipReading struct {
	entry  *zipEntry
	m      Member
	method uint16
	open   packedData
	length int64 // of the data, if the method does not know its own end
}

func (r *zipReader) entry(e *zipEntry) error {
	if e.directory() || e.known() {
		return r.enter()
	}
	m := e.member()
	r.describe(e, m)
	if e.local == nil || e.first != nil {
		return r.member(m, nil)
	}
	if _, locked := e.flagged(zipEncrypted); locked {
		return r.locked(e, m)
	}
	return r.all(e, m, r.clear(e))
}

// known reports whether another directory has led to the same member under the
// same name before.
func (e *zipEntry) known() bool {
	return e.first != nil && e.first.dir != e.dir && slices.Equal(e.first.member().Names, e.member().Names)
}

// describe notes what the headers of the entry that comes next show.
func (r *zipReader) describe(e *zipEntry, m Member) {
	if m.Hidden && len(r.zip.dirs) > 0 {
		r.noteNext(hiddenMember, "%s is not in the last directory", m.name())
	}
	if e.local == nil {
		r.noteNext(missingMember, "%s", m.name())
		return
	}
	if e.overlaps {
		r.noteNext(overlapping, "%s", m.name())
	}
	if e.disagree() {
		r.noteNext(nameMismatch, "%q", m.Names)
	}
	if all, some := e.flagged(zipEncrypted); all != some {
		r.noteNext(encryptionLie, "%s: the headers disagree", m.name())
	}
}

// disagree reports whether the names of the headers lead programs to different
// files. A Unicode path may differ from a name in another character set: that is
// its purpose.
func (e *zipEntry) disagree() bool {
	if e.central != nil && e.central.name != e.local.name {
		return true
	}
	return slices.ContainsFunc(e.headers(), func(h *zipHeader) bool {
		return h.unicode != "" && h.unicode != h.name && isASCII(h.name)
	})
}

func isASCII(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(c byte) bool { return c >= 0x80 })
}

// clear opens the data as they are stored, as far as they can reach.
func (r *zipReader) clear(e *zipEntry) packedData {
	start, end := e.local.data, r.zip.bound(e)
	return func() io.Reader { return io.NewSectionReader(r.zip.c, start, max(0, end-start)) }
}

// all hands over every reading of the member: by the methods of both headers and,
// where it is stored, by the longest of the stated lengths.
func (r *zipReader) all(e *zipEntry, m Member, open packedData) error {
	for i, method := range e.methods() {
		if i > 0 {
			m.Hidden = true
			r.noteNext(methodLie, "%s: the headers disagree", m.name())
		}
		if err := r.read(zipReading{e, m, method, open, r.stated(e)}); err != nil {
			return err
		}
	}
	if longest := r.longest(e); longest > r.stated(e) && slices.Contains(e.methods(), 0) {
		m.Hidden = true
		r.noteNext(sizeMismatch, "%s: stored, %d or %d bytes", m.name(), r.stated(e), longest)
		return r.read(zipReading{e, m, 0, open, longest})
	}
	return nil
}

// room returns how many bytes there are for the member.
func (r *zipReader) room(e *zipEntry) int64 { return max(0, r.zip.bound(e)-e.local.data) }

// stated returns the packed length by the header that most programs go by. There may
// be less room than that.
func (r *zipReader) stated(e *zipEntry) int64 {
	if h := e.headers()[0]; h.sizeKnown() {
		return h.packed
	}
	return r.room(e)
}

func (r *zipReader) longest(e *zipEntry) int64 {
	var n int64
	for _, h := range e.headers() {
		n = max(n, h.packed, h.size)
	}
	return min(n, r.room(e))
}

// read hands over one reading and judges how it ended.
func (r *zipReader) read(z zipReading) error {
	src, used, err := r.decoder(z)
	if err != nil {
		r.noteNext(codeOf(err), "%s: %v", z.m.name(), err)
		return r.member(z.m, nil)
	}
	sum := &summed{r: src}
	b, err := r.hand(z.m, sum)
	if err != nil || b.limited() || b.err == nil {
		return err
	}
	r.judge(z, b, sum)
	if used != nil && b.whole() {
		r.zip.unused(z.entry.local.data+used(), z.entry.declared)
	}
	if z.entry.overlaps || b.whole() && sum.agrees(z.entry.crc()) {
		return nil
	}
	return r.otherwise(z)
}

// judge notes where the data and the headers differ.
func (r *zipReader) judge(z zipReading, b *body, sum *summed) {
	switch {
	case !b.whole():
		r.noteEnd(z.m, b)
		return
	case z.m.Size >= 0 && z.m.Size != b.n:
		r.noteLast(sizeMismatch, "%s: %d bytes, stated %d", z.m.name(), b.n, z.m.Size)
	}
	if !sum.agrees(z.entry.crc()) {
		r.noteLast(checksumMismatch, "%s", z.m.name())
	}
}

// otherwise hands over the data of a member that did not read well in the way
// that the method does not say: stored data inflated, deflated data as stored.
func (r *zipReader) otherwise(z zipReading) error {
	lie := z
	lie.m.Hidden = true
	switch z.method {
	case 0:
		lie.method = 8
	case 8:
		lie.method = 0
	default:
		return nil
	}
	if slices.Contains(z.entry.methods(), lie.method) || !r.convincing(lie) {
		return nil
	}
	r.noteNext(methodLie, "%s: method %d, but read as %d", z.m.name(), z.method, lie.method)
	src, _, err := r.decoder(lie)
	if err != nil {
		return err
	}
	return r.member(lie.m, src)
}

// convincing reports whether a reading that no header asks for makes sense.
func (r *zipReader) convincing(z zipReading) bool {
	src, _, err := r.decoder(z)
	if err != nil {
		return false
	}
	if z.method == 0 {
		h := z.entry.headers()[0]
		sum := &summed{r: src}
		io.Copy(io.Discard, sum)
		return h.packed == h.size || sum.sum == z.entry.crc()
	}
	probe := make([]byte, 512)
	n, err := io.ReadFull(onlyReader{src}, probe)
	return n > 0 && (err == nil || err == io.ErrUnexpectedEOF)
}

// onlyReader reads safely.
type onlyReader struct{ r io.Reader }

func (o onlyReader) Read(p []byte) (int, error) { return readSafely(o.r, p) }

// summed takes the CRC-32 of what passes.
type summed struct {
	r   io.Reader
	sum uint32
}

func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum = crc32.Update(s.sum, crc32.IEEETable, p[:n])
	return n, err
}

// agrees compares with a stated checksum; 0 is none.
func (s *summed) agrees(crc uint32) bool { return crc == 0 || crc == s.sum }

// errMethod says that there is no reader for a method.
func errMethod(method uint16) error {
	if name := zipMethods[method]; name != "" {
		return fmt.Errorf("method %d (%s) is %w", method, name, errUnsupported)
	}
	return fmt.Errorf("method %d is %w", method, errUnsupported)
}

// zipMethods are the methods of APPNOTE 4.4.5 that are not read.
var zipMethods = map[uint16]string{
	1: "Shrink", 2: "Reduce", 3: "Reduce", 4: "Reduce", 5: "Reduce", 6: "Implode", 7: "Tokenize", 10: "IBM TERSE",
	16: "IBM CMPSC", 18: "IBM TERSE", 19: "IBM LZ77", 94: "MP3", 96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AES",
}
