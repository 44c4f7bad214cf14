package entity

import "strings"

// weighLeaf notes what the first look at a leaf's body calls for.
func (k *books) weighLeaf(e *Entity, seen suspicion) {
	if seen == 0 {
		return
	}
	if seen&fieldsInBody != 0 && !quotesFields(e.Type) {
		k.suspect(e, fieldsInBody, "header-in-body", Span{e.Body.Start, e.Body.Start}, "")
	}
	if e.Encoding != Identity {
		return
	}
	if seen&bareBase64 != 0 && !strings.HasPrefix(e.Type, "text/") {
		k.suspect(e, bareBase64, "undeclared-base64", Span{e.Body.Start, e.Body.Start}, e.Type)
	}
	if seen&bareQP != 0 && !strings.HasPrefix(e.Type, "text/") {
		k.suspect(e, bareQP, "undeclared-quoted-printable", Span{e.Body.Start, e.Body.Start}, e.Type)
	}
	if s := seen & (carvable &^ holdsText); s != 0 {
		e.seen |= s
		k.dubious = true
	}
}

// quotesFields reports whether bodies of a type begin with header fields by
// rights: reports, and messages that are not taken apart.
func quotesFields(mediaType string) bool {
	return strings.HasPrefix(mediaType, "message/") || mediaType == "text/rfc822-headers"
}

// longestNotice is as long as what mailers put before the first part for
// clients that do not know MIME.
const longestNotice = 250

// weighText notes the suspicious contents of a text outside the parts of e.
func (k *books) weighText(e *Entity, at Span, seen suspicion) {
	if at.Len() > longestNotice {
		seen |= holdsText
	}
	if seen&holdsFields != 0 {
		k.suspect(e, 0, "header-outside", at, "")
	}
	if s := seen & carvable; s != 0 {
		e.seen |= s
		k.dubious = true
	}
}

// noteEncodedMessage notes an attached message that has to be decoded first.
// RFC 6532, section 3.7, allows it for message/global.
func (k *books) noteEncodedMessage(e *Entity) {
	e.seen |= encodedComposite
	k.dubious = true
	if e.Type != "message/global" {
		k.note(e, "encoded-message", e.Head, string(e.Encoding))
	}
}

// noteMessage notes what only the header of a message can have.
func (k *books) noteMessage(e *Entity) {
	version := ""
	var once [len(onceFields)]bool
	for i := range e.Header.Fields {
		f := &e.Header.Fields[i]
		if strings.EqualFold(f.Name, "MIME-Version") {
			version = f.Value
			continue
		}
		if j := onceField(f.Name); j >= 0 {
			if once[j] {
				k.note(e, "duplicate-field", f.Span, f.Name)
			}
			once[j] = true
		}
	}
	switch version = strings.TrimSpace(stripComments(version)); {
	case version == "" && isMultipart(e.Type):
		k.note(e, "mime-version-missing", e.Head, "")
	case version != "" && version != "1.0":
		k.note(e, "mime-version-odd", e.Head, version)
	}
}

// onceFields are the fields a message may have once and clients show (RFC
// 5322, section 3.6).
var onceFields = [...]string{"From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID"}

func onceField(name string) int {
	for i, f := range onceFields {
		if len(f) == len(name) && strings.EqualFold(f, name) {
			return i
		}
	}
	return -1
}
