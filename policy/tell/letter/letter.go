package letter

import (
	"bytes"
	"errors"
	"fmt"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/policy/token"
)

// Letter is where a letter goes, and whence.
type Letter struct {
	From string // of the header; the envelope has the null sender
	To   string
	Host string // that sends it
	Kind string // begins the MIME boundary: "notice"
	ID   string // for its Message-ID and the MIME boundary: unique, letters and digits
	Date time.Time
}

// MessageID returns the text between the angle brackets of the Message-ID.
func (l Letter) MessageID() string { return l.ID + "@" + l.Host }

// Write writes the letter, without the pass that lets it through.
func (l Letter) Write(f Filled) ([]byte, error) {
	var b bytes.Buffer
	l.header(&b, f.Subject)
	err := l.body(&b, f)
	return b.Bytes(), err
}

// header says that no person wrote this, and that no program is to answer it
// (RFC 3834, section 5).
func (l Letter) header(b *bytes.Buffer, subject string) {
	field := func(name, value string) { fmt.Fprintf(b, "%s: %s\r\n", name, value) }
	field("From", l.From)
	field("To", "<"+submission.OneLine(l.To, 300)+">")
	field("Subject", submission.Encoded(subject))
	field("Date", l.Date.Format(time.RFC1123Z))
	field("Message-ID", "<"+l.MessageID()+">")
	field("Auto-Submitted", "auto-generated")
	field("MIME-Version", "1.0")
	field("Content-Type", "multipart/alternative; boundary="+l.boundary())
	b.WriteString("\r\n")
}

func (l Letter) boundary() string { return l.Kind + "-" + l.ID }

func (l Letter) body(b *bytes.Buffer, f Filled) error {
	m := multipart.NewWriter(b)
	if err := m.SetBoundary(l.boundary()); err != nil {
		return err
	}
	for _, part := range [][2]string{{"text/plain; charset=utf-8", f.Text}, {"text/html; charset=utf-8", f.HTML}} {
		w, err := m.CreatePart(textproto.MIMEHeader{"Content-Type": {part[0]}, "Content-Transfer-Encoding": {"quoted-printable"}})
		if err != nil {
			return err
		}
		q := quotedprintable.NewWriter(w)
		_, err = q.Write([]byte(strings.ReplaceAll(part[1], "\n", "\r\n")))
		if err := errors.Join(err, q.Close()); err != nil {
			return err
		}
	}
	return m.Close()
}

// Sign puts the pass of a notice on top of a letter, so that it is known when it comes
// by.
func Sign(key, letter []byte, id string, now time.Time) ([]byte, error) {
	sum, err := token.Sum(bytes.NewReader(letter))
	if err != nil {
		return nil, err
	}
	g := token.Grant{For: token.Notice, ID: id, Issued: now, Body: sum}
	return append([]byte(token.Field+": "+token.Write(key, g)+"\r\n"), letter...), nil
}
