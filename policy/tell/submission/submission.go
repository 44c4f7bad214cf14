// Package submission hands our own mail – released messages and notices – to the
// MTA, by SMTP or by its sendmail program.
package submission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
)

// Mail is a message on its way to the MTA.
type Mail struct {
	From    string    // "" for the null sender
	To      []string  // at least one
	Message io.Reader // with CRLF or LF at the ends of lines
	// Answered, if not nil, is told what the MTA said when it had taken the mail.
	Answered func(answer string)
}

// ErrUnsure is wrapped by errors after which the MTA may have the message.
var ErrUnsure = errors.New("the MTA did not say whether it has the message")

// Way is how mail gets to the MTA: "smtp:host:port" or
// "sendmail:/usr/sbin/sendmail".
type Way string

// UnmarshalText reads a way.
func (w *Way) UnmarshalText(text []byte) error {
	how, where, _ := strings.Cut(string(text), ":")
	switch how {
	case "smtp":
		if _, port, err := net.SplitHostPort(where); err != nil || port == "" {
			return fmt.Errorf("%q has no host and port; write \"smtp:127.0.0.1:25\"", text)
		}
	case "sendmail":
		if !filepath.IsAbs(where) {
			return fmt.Errorf("%q has no absolute path; write \"sendmail:/usr/sbin/sendmail\"", text)
		}
	default:
		return fmt.Errorf("%q is no way to send mail; write \"smtp:127.0.0.1:25\" or \"sendmail:/usr/sbin/sendmail\"", text)
	}
	*w = Way(text)
	return nil
}

// Send sends one mail to all its recipients, or to none.
func (w Way) Send(ctx context.Context, m Mail) error {
	if err := m.Check(); err != nil {
		return err
	}
	how, where, _ := strings.Cut(string(w), ":")
	if how == "sendmail" {
		return bySendmail(ctx, where, m)
	}
	return bySMTP(ctx, where, m)
}

// Check refuses a mail without recipients, and addresses that would be commands or
// options.
func (m Mail) Check() error {
	if len(m.To) == 0 {
		return errors.New("no recipient")
	}
	for i, a := range append([]string{m.From}, m.To...) {
		if i > 0 && a == "" || strings.ContainsAny(a, "\r\n\x00<> ") || strings.HasPrefix(a, "-") {
			return fmt.Errorf("%q is no address that mail can be sent to", a)
		}
	}
	return nil
}
