package quarantine

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/tell/submission"
)

// Forward sends a message to a person who is to look at it. It stays in the
// quarantine, and those it was for do not get it. It travels as the attachment of a
// mail from us, so that no client shows it as mail of its author, and comes from
// the null sender, so that no bounce of it reaches that author.
func (x Releaser) Forward(ctx context.Context, o Order) error {
	e, err := x.Store.Entry(ctx, o.ID)
	if err != nil {
		return err
	}
	if err := errors.Join(e.harmless(o), submission.Mail{To: o.To}.Check()); err != nil {
		return err
	}
	boundary := "kept-" + strings.ToLower(rand.Text())
	answer, sent := x.submit(ctx, e, o, "", func() (io.ReadCloser, error) {
		message, err := x.Store.Open(ctx, o.ID)
		if err != nil {
			return nil, err
		}
		return attached{io.MultiReader(strings.NewReader(x.cover(e, o, boundary)), message, strings.NewReader("\r\n--"+boundary+"--\r\n")),
			message}, nil
	})
	note := ""
	if sent != nil {
		note = sent.Error()
	}
	noted := x.Store.Change(context.WithoutCancel(ctx), o.ID, func(e *Entry) error {
		done := x.event("forward", o.To, note)
		done.Answer = answer
		e.note(done)
		return nil
	})
	return errors.Join(sent, noted)
}

// attached is a mail around a message that is closed with it.
type attached struct {
	io.Reader
	io.Closer
}

// cover returns the part of a mail before the message that it has attached.
func (x Releaser) cover(e Entry, o Order, boundary string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	warning := ""
	if viruses := e.viruses(); len(viruses) > 0 {
		warning = "INFECTED: "
	}
	line("From: %s", x.From)
	line("To: %s", strings.Join(bracketed(o.To), ",\r\n "))
	line("Subject: %s", submission.Encoded(warning+"quarantined message "+o.ID+": "+submission.OneLine(e.Record.Subject, 200)))
	line("Date: %s", x.Now().Format(time.RFC1123Z))
	line("Message-ID: <%s@%s>", boundary, x.Host)
	line("Auto-Submitted: auto-generated") // RFC 3834, section 5
	line("MIME-Version: 1.0")
	line("Content-Type: multipart/mixed; boundary=%s\r\n", boundary)
	line("--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n", boundary)
	line("%s", e.summary(o.ID))
	line("--%s\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit", boundary)
	line("Content-Disposition: attachment; filename=%s.eml\r\n", o.ID)
	return b.String()
}

// summary describes the attached message, and why it was kept.
func (e Entry) summary(id string) string {
	r := e.Record
	lines := []string{
		"The attached message is in the quarantine of milterscan. It is as it was received.", "",
		"Id:         " + id,
		"Received:   " + r.Time.Format(time.RFC3339),
		"Client:     " + submission.OneLine(r.Client, 200),
		"Sender:     <" + submission.OneLine(r.Sender, 300) + ">",
		"Recipients: " + submission.OneLine(strings.Join(r.Addresses(), ", "), 600),
		"Subject:    " + submission.OneLine(r.Subject, 300),
		"Kept for:   " + submission.OneLine(cmp.Or(reason(r), e.Class), 200),
	}
	if viruses := e.viruses(); len(viruses) > 0 {
		lines = append(lines, "", "A virus was found in it: "+strings.Join(viruses, ", ")+". Do not open what is in it.")
	}
	return strings.Join(lines, "\r\n")
}

func bracketed(addresses []string) []string {
	var list []string
	for _, a := range addresses {
		list = append(list, "<"+a+">")
	}
	return list
}
