package dmarc

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"time"

	"github.com/milterscan/milterscan/policy/tell/submission"
)

// compose writes the mail with a report (RFC 9990, section 3.5.2).
func (p Post) compose(r Report, d document, to string, now time.Time) ([]byte, error) {
	packed, err := d.compressed()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	if err := m.SetBoundary("report-" + d.id); err != nil {
		return nil, err
	}
	field := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	field("From", p.Terms.Email)
	field("To", "<"+to+">")
	field("Subject", fmt.Sprintf("Report Domain: %s\r\n Submitter: %s\r\n Report-ID: <%s>", r.Domain, p.Terms.Submitter(), d.id))
	field("Date", now.Format(time.RFC1123Z))
	field("Message-ID", "<"+d.id+"@"+p.Terms.Submitter()+">")
	field("Auto-Submitted", "auto-generated")
	field("MIME-Version", "1.0")
	field("Content-Type", "multipart/mixed; boundary="+m.Boundary())
	b.WriteString("\r\n")
	text := fmt.Sprintf("This is a DMARC aggregate report of %s\r\nabout mail from %s on %s (UTC).\r\n",
		submission.OneLine(p.Terms.Organization, 200), r.Domain, r.Day)
	err = errors.Join(
		part(m, textproto.MIMEHeader{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Transfer-Encoding": {"8bit"}}, []byte(text)),
		part(m, textproto.MIMEHeader{"Content-Type": {"application/gzip"}, "Content-Transfer-Encoding": {"base64"},
			"Content-Disposition": {`attachment; filename="` + d.fileName + `"`}}, inLines(packed)),
		m.Close())
	return b.Bytes(), err
}

func part(m *multipart.Writer, h textproto.MIMEHeader, content []byte) error {
	w, err := m.CreatePart(h)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// inLines returns bytes in Base64, in lines of 76 (RFC 2045, section 6.8).
func inLines(data []byte) []byte {
	var b bytes.Buffer
	e := base64.NewEncoder(base64.StdEncoding, &lines{w: &b})
	e.Write(data)
	e.Close()
	b.WriteString("\r\n")
	return b.Bytes()
}

// lines ends lines after 76 bytes.
type lines struct {
	w  io.Writer
	at int
}

func (l *lines) Write(p []byte) (int, error) {
	for i, c := range p {
		if l.at == 76 {
			if _, err := io.WriteString(l.w, "\r\n"); err != nil {
				return i, err
			}
			l.at = 0
		}
		if _, err := l.w.Write([]byte{c}); err != nil {
			return i, err
		}
		l.at++
	}
	return len(p), nil
}
