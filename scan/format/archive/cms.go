package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/milterscan/milterscan/scan/scratch"
)

// cmsFormat opens content that is signed or compressed and not encrypted: messages of
// S/MIME and signed files (CMS, RFC 5652; PKCS #7 before it; CAdES), compressed
// data (RFC 3274), data with a time stamp (RFC 5544). They are BER, as it is, in
// PEM (RFC 7468), or in base64 without anything around it.
type cmsFormat struct{}

// The content types that are known, as their object identifiers are encoded.
const (
	pkcs7         = "\x2a\x86\x48\x86\xf7\x0d\x01\x07"
	smimeTypes    = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"
	cmsData       = pkcs7 + "\x01"
	cmsSigned     = pkcs7 + "\x02"
	cmsEnveloped  = pkcs7 + "\x03"
	cmsSignedEnv  = pkcs7 + "\x04"
	cmsDigested   = pkcs7 + "\x05"
	cmsEncrypted  = pkcs7 + "\x06"
	cmsMACed      = smimeTypes + "\x02"
	cmsCompressed = smimeTypes + "\x09"
	cmsCollection = smimeTypes + "\x13"
	cmsAttributed = smimeTypes + "\x14"
	cmsAuthEnv    = smimeTypes + "\x17"
	cmsStamped    = smimeTypes + "\x1f"

	cmsDepth = 16 // contents in contents that are read at once
)

// cmsSealed reports whether content of a type needs a key.
func cmsSealed(kind string) bool {
	switch kind {
	case cmsEnveloped, cmsSignedEnv, cmsEncrypted, cmsAuthEnv:
		return true
	}
	return false
}

// Sealed reports whether c is a cryptographic message that needs a key.
func Sealed(c Content) bool {
	buf := scratch.Lend()
	defer buf.Return()
	kind, _ := cmsKind(buf.Head(c, HeadSize))
	return cmsSealed(kind)
}

func (cmsFormat) Name() string { return "cms" }

func (cmsFormat) Match(head []byte, _ Content) bool {
	kind, ok := cmsKind(head)
	return ok && !cmsSealed(kind)
}

// cmsKind returns the content type of a message that begins with head.
func cmsKind(head []byte) (kind string, ok bool) {
	if !hasAny(head, "\x30") {
		if head = unarmored(head); !hasAny(head, "\x30") {
			return "", false
		}
	}
	b := newBER(bytes.NewReader(head))
	info, _, err := b.next(berWhole)
	if err != nil || info.tag != berSequence {
		return "", false
	}
	id, found, err := b.next(info)
	if err != nil || !found || id.tag != berOID {
		return "", false
	}
	kind, err = b.value(id)
	return kind, err == nil && cmsKnown(kind) && (kind != cmsSigned || b.startsSigned(info))
}

// startsSigned reports whether signed-data begin as no program does without: with a
// version and a set of algorithms. A file that is called a signature and is none is
// no container.
func (b *ber) startsSigned(info berElement) bool {
	content, ok, err := b.find(info, berFirst, 1)
	if err == nil && ok {
		content, ok, err = b.next(content)
	}
	for _, tag := range [...]byte{berInteger, berSet} {
		if err != nil || !ok {
			break
		}
		var e berElement
		if e, ok, err = b.next(content); err == nil && (!ok || e.tag != tag) {
			return false
		}
		if err == nil {
			err = b.leave(e)
		}
	}
	return ok || errors.Is(err, io.ErrUnexpectedEOF) // which more than the head may have
}

func cmsKnown(kind string) bool {
	switch kind {
	case cmsData, cmsSigned, cmsDigested, cmsMACed, cmsCompressed, cmsCollection, cmsAttributed, cmsStamped:
		return true
	}
	return cmsSealed(kind)
}

// armored returns where in a text the digits of a message begin, -1 if it is none: after
// the line that begins a message in PEM, whatever it calls it, or with the first.
func armored(head []byte) int {
	const begin, end = "-----BEGIN ", "-----"
	if at := bytes.Index(head, []byte(begin)); at >= 0 {
		at += len(begin)
		if label := bytes.Index(head[at:], []byte(end)); label >= 0 {
			return at + label + len(end)
		}
	}
	if at := bytes.IndexByte(head, 'M'); at >= 0 && len(bytes.Trim(head[:at], " \t\r\n")) == 0 {
		return at
	}
	return -1
}

// unarmored returns the beginning of a message that is written as a text.
func unarmored(head []byte) []byte {
	head = narrowed(head)
	at := armored(head)
	if at < 0 {
		return nil
	}
	digits, _, _ := bytes.Cut(head[at:], []byte("-----"))
	if first := unbase64Text(digits[:min(len(digits), 8)]); len(first) > 0 && first[0] != '\x30' { // as for most texts that begin with an M
		return nil
	}
	return unbase64Text(digits)
}

func (cmsFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := &cmsWalk{walk: begin(ctx, c, b, visit)}
	w.apart = true
	src, err := w.source()
	if err != nil {
		return w.end(err)
	}
	err = w.info(newBER(src), berWhole, 0)
	if stop, ok := err.(walkError); ok {
		return w.end(stop.error)
	}
	if err != nil {
		w.troubled(err)
	}
	return w.end(ctx.Err())
}

type cmsWalk struct {
	*walk
}

// source reads the message without what it is written in.
func (w *cmsWalk) source() (io.Reader, error) {
	if hasAny(piece(w.c, 0, 1), "\x30") {
		return scratch.Reader(w.c), nil
	}
	text, err := w.plain()
	if err != nil {
		return nil, err
	}
	head := piece(text, 0, HeadSize)
	plain := narrowed(head)
	at := int64(len(head) - len(plain) + armored(plain))
	return newUnbase64(&digitLines{in: bufio.NewReader(io.NewSectionReader(text, at, text.Size()-at))}), nil
}

// digitLines ends at the line after a message in PEM.
type digitLines struct {
	in     *bufio.Reader
	dashes int
}

// ReadByte reads as io.ByteReader says.
func (d *digitLines) ReadByte() (byte, error) {
	c, err := d.in.ReadByte()
	if c != '-' {
		d.dashes = 0
	} else if d.dashes++; d.dashes > 1 {
		return 0, io.EOF
	}
	return c, err
}

// troubled notes why not all could be read.
func (w *cmsWalk) troubled(err error) {
	if errors.Is(err, errBERComplex) {
		w.note(tooComplex, "%v", err)
		return
	}
	w.note(damagedContainer, "%v", err)
}

// info reads a ContentInfo (RFC 5652, section 3).
func (w *cmsWalk) info(b *ber, in berElement, depth int) error {
	e, ok, err := b.next(in)
	if err != nil || !ok {
		return err
	}
	return w.typed(b, e, depth, asIs)
}

// typed reads the type and the content of a ContentInfo that was entered, or of the
// signed content, which is in a string; through undoes the compression of that
// string.
func (w *cmsWalk) typed(b *ber, info berElement, depth int, through func(io.Reader) io.Reader) error {
	if depth >= cmsDepth {
		return errBERComplex
	}
	id, ok, err := b.next(info)
	if err != nil || !ok || id.tag != berOID {
		return errors.Join(err, errIf(id.tag != berOID))
	}
	kind, err := b.value(id)
	if err != nil {
		return err
	}
	content, ok, err := b.find(info, berFirst, 1)
	if err != nil || !ok {
		return err
	}
	explicit := content
	if explicit.constructed {
		if content, ok, err = b.next(explicit); err != nil || !ok {
			return err
		}
	}
	if content.tag == berOctets || !explicit.constructed {
		err = w.octets(kind, through(b.octets(content)), depth)
	} else {
		err = w.content(b, kind, content, depth)
	}
	if err != nil {
		return err
	}
	return b.leave(explicit)
}

// asIs returns r: the through of a string that is not compressed.
func asIs(r io.Reader) io.Reader { return r }

func errIf(wrong bool) error {
	if wrong {
		return errBER
	}
	return nil
}

// content reads the content of a type.
func (w *cmsWalk) content(b *ber, kind string, content berElement, depth int) error {
	switch {
	case depth == cmsDepth:
		return errBERComplex
	case cmsSealed(kind):
		w.noteNext(encryptedMember, "a content in another one")
		return stop(w.member(Member{Encrypted: true, Size: -1}, nil))
	case content.tag != berSequence:
		return stop(w.unknown(b, content))
	case b.isInfo():
		return w.typed(b, content, depth+1, asIs)
	}
	switch kind {
	case cmsSigned, cmsAttributed:
		return w.nth(b, content, 1, depth, asIs)
	case cmsDigested, cmsMACed:
		return w.nth(b, content, 2, depth, asIs)
	case cmsCompressed:
		return w.nth(b, content, 2, depth, w.inflated)
	case cmsCollection:
		return w.collection(b, content, depth)
	case cmsStamped:
		return w.stamped(b, content)
	}
	return stop(w.unknown(b, content))
}

// isInfo reports whether the sequence that was entered is a ContentInfo, where its
// content alone would be right.
func (b *ber) isInfo() bool {
	next, _ := b.in.Peek(1)
	return hasAny(next, string([]byte{berOID}))
}

// unknown hands over a content of a type that is not known, which is no string:
// what tools for signing programs write.
func (w *cmsWalk) unknown(b *ber, content berElement) error {
	if content.end < 0 {
		w.noteNext(tooComplex, "a content of an unknown type")
		return w.member(Member{Size: -1}, nil)
	}
	return w.member(Member{Size: content.end - b.at}, b.octets(berElement{end: content.end}))
}

// nth reads the protected content: the n-th sequence in a content, after those of
// the algorithms.
func (w *cmsWalk) nth(b *ber, content berElement, n, depth int, through func(io.Reader) io.Reader) error {
	inner, ok, err := b.find(content, berSequence, n)
	if err != nil || !ok {
		return errors.Join(err, errIf(!ok))
	}
	return w.typed(b, inner, depth+1, through)
}

// collection reads several contents (RFC 4073).
func (w *cmsWalk) collection(b *ber, content berElement, depth int) error {
	for {
		e, ok, err := b.next(content)
		if err != nil || !ok {
			return err
		}
		if err := w.typed(b, e, depth+1, asIs); err != nil {
			return err
		}
		if err := b.leave(e); err != nil {
			return err
		}
	}
}

// stamped reads data with a time stamp, and what they say of the file's name
// (RFC 5544, section 2).
func (w *cmsWalk) stamped(b *ber, content berElement) error {
	m := Member{Size: -1}
	for {
		e, ok, err := b.next(content)
		switch {
		case err != nil || !ok:
			return err
		case e.tag == berOctets:
			return stop(w.deliver(m, b.octets(e)))
		case e.tag == berSequence:
			err = w.metadata(b, e, &m)
		default:
			err = b.leave(e)
		}
		if err != nil {
			return err
		}
	}
}

// metadata reads the name and the type of the file.
func (w *cmsWalk) metadata(b *ber, in berElement, m *Member) error {
	for {
		e, ok, err := b.next(in)
		if err != nil || !ok {
			return err
		}
		switch e.tag {
		case berUTF8, berIA5:
			text, err := b.value(e)
			if err != nil {
				return err
			}
			if e.tag == berUTF8 {
				m.Names = distinct(text)
			} else {
				m.Type = strings.ToLower(text)
			}
		default:
			if err := b.leave(e); err != nil {
				return err
			}
		}
	}
}

// octets hands over what a string holds, or reads on where it is a content again.
func (w *cmsWalk) octets(kind string, src io.Reader, depth int) error {
	if kind != cmsData && cmsKnown(kind) {
		b := newBER(src)
		e, ok, err := b.next(berWhole)
		if err != nil || !ok {
			return err
		}
		return w.content(b, kind, e, depth+1)
	}
	return stop(w.deliver(Member{Size: -1}, src))
}

// entityHead is how much of a content is looked at to see whether it is a part of
// a message.
const entityHead = 4 << 10

// deliver hands over a file, or a part of a message with its header (RFC 8551,
// section 3.1).
func (w *cmsWalk) deliver(m Member, src io.Reader) error {
	in := bufio.NewReaderSize(src, entityHead)
	head, _ := in.Peek(entityHead)
	if isEntity(head) {
		m.Type = "message/rfc822"
	}
	return w.member(m, in)
}

// isEntity reports whether a content begins with the header of a part of a message.
func isEntity(head []byte) bool {
	head = bytes.TrimLeft(head, "\r\n")
	content := false
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte("\n"))
		line = bytes.TrimRight(line, "\r")
		switch name, _, field := bytes.Cut(line, []byte(":")); {
		case len(line) == 0:
			return content
		case line[0] == ' ' || line[0] == '\t':
		case !field || bytes.ContainsAny(name, " \t\"<(;,/"):
			return content && len(rest) == 0
		default:
			content = content || hasFold(name, "content-") || hasFold(name, "mime-version")
		}
		head = rest
	}
	return content
}
