package unpack

import (
	"bytes"
	"path"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/scratch"
)

// sealedHead is how much of a part is searched for the mark of an encryption.
const sealedHead = 16 << 10

// sealed notes content that is not in the message, or not to be read: trying
// again never helps.
func (w *work) sealed(part int) {
	p := &w.m.Parts[part]
	switch {
	case p.Type == "message/partial":
		w.note(scan.Unscannable, "mime", "partial", part, "a piece of a message that was sent in several")
	case p.Type == "message/external-body":
		w.note(scan.Unscannable, "mime", "external-body", part, "the content is elsewhere")
	case encrypted(p):
		w.note(scan.Unscannable, "mime", "encrypted", part, p.Type)
	}
}

// locked notes a member of an archive that is an encrypted message of S/MIME.
func (w *work) locked(part int) {
	if c := w.m.Parts[part].Content; c != nil && archive.Sealed(c) {
		w.note(scan.Unscannable, "mime", "encrypted", part, w.m.Parts[part].Name())
	}
}

// encrypted reports whether a part is a message encrypted with OpenPGP
// (RFC 4880, section 6.2; RFC 3156) or S/MIME (RFC 8551, section 3.3), whatever it is
// called.
func encrypted(p *scan.Part) bool {
	if p.Content == nil {
		return false
	}
	buf := scratch.Lend()
	defer buf.Return()
	head := buf.Head(p.Content, sealedHead)
	if isCMS(p) {
		begin := head[:min(len(head), 64)]
		return archive.Sealed(p.Content) || bytes.Contains(begin, oidEnvelopedData) || bytes.Contains(begin, oidAuthEnveloped)
	}
	return archive.Sealed(p.Content) || holdsArmor(head)
}

// holdsArmor reports whether a text has a line that begins a message in OpenPGP, quoted or
// not, or a page what shows such a line. A text that speaks of the line has none.
func holdsArmor(head []byte) bool {
	const mark = "-----BEGIN PGP MESSAGE-----"
	for at := 0; ; at += len(mark) {
		next := bytes.Index(head[at:], []byte(mark))
		if next < 0 {
			return false
		}
		at += next
		before, after := bytes.TrimRight(head[:at], " \t|"), bytes.TrimLeft(head[at+len(mark):], " \t")
		begins := len(before) == 0 || bytes.IndexByte([]byte("\r\n>\xbf"), before[len(before)-1]) >= 0
		if begins && (len(after) == 0 || bytes.IndexByte([]byte("\r\n<&"), after[0]) >= 0) {
			return true
		}
	}
}

// The DER object identifiers of encrypted CMS content: id-envelopedData
// (RFC 5652, section 6.1) and id-ct-authEnvelopedData (RFC 5083, section 2.1). In
// a part labelled as S/MIME they count even where its structure is damaged.
var (
	oidEnvelopedData = []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03")
	oidAuthEnveloped = []byte("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17")
)

// isCMS reports whether a part is called a cryptographic message of S/MIME.
func isCMS(p *scan.Part) bool {
	if strings.HasSuffix(p.Type, "pkcs7-mime") || strings.HasSuffix(p.Type, "pkcs7-signature") {
		return true
	}
	for _, n := range p.Names {
		switch strings.ToLower(path.Ext(n)) {
		case ".p7m", ".p7s", ".p7z", ".p7c":
			return true
		}
	}
	return false
}
