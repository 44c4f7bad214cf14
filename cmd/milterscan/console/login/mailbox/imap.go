package mailbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// imap logs in by LOGIN (RFC 9051, section 6.2.3), and out. Name and password go as literals where they
// are not ASCII, and quoted otherwise.
func (c *conn) imap(name, password string) error {
	greeting, err := c.line()
	switch {
	case err != nil:
		return err
	case !strings.HasPrefix(greeting, "* OK"): // not PREAUTH, which says nothing of this person
		return fmt.Errorf("it does not greet as a server of IMAP: %.100q", greeting)
	}
	if !c.tls {
		if err := c.imapEncrypt(); err != nil {
			return err
		}
	}
	status, text, err := c.command("L", "LOGIN", name, password)
	switch {
	case err != nil:
		return err
	case status == "OK":
		c.say("Q LOGOUT")
		return nil
	case status == "NO" && !busy(text):
		return ErrWrong
	}
	return fmt.Errorf("it answers LOGIN with %s %.200q", status, text)
}

// imapEncrypt encrypts the connection.
func (c *conn) imapEncrypt() error {
	status, text, err := c.command("S", "STARTTLS")
	if err == nil && status != "OK" {
		err = fmt.Errorf("it does not encrypt: %s %.200q", status, text)
	}
	if err != nil {
		return err
	}
	return c.encrypt()
}

// busy reports whether a server says that it cannot tell now (RFC 5530, section 3).
func busy(text string) bool {
	text = strings.ToUpper(text)
	return strings.HasPrefix(text, "[UNAVAILABLE]") || strings.HasPrefix(text, "[INUSE]") || strings.HasPrefix(text, "[SERVERBUG]") ||
		strings.HasPrefix(text, "[LIMIT]")
}

// command gives one command, and returns how it ended.
func (c *conn) command(tag, verb string, args ...string) (status, text string, err error) {
	var b strings.Builder
	b.WriteString(tag + " " + verb)
	for _, a := range args {
		b.WriteByte(' ')
		if ascii(a) {
			b.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a) + `"`)
			continue
		}
		if err := c.say(b.String() + "{" + strconv.Itoa(len(a)) + "}"); err != nil {
			return "", "", err
		}
		b.Reset()
		if status, text, err = c.ended(tag, true); err != nil || status != "+" {
			return status, text, err
		}
		b.WriteString(a)
	}
	if err := c.say(b.String()); err != nil {
		return "", "", err
	}
	return c.ended(tag, false)
}

// ended reads what the server says until a command has ended, or, if it may, until it wants
// more.
func (c *conn) ended(tag string, more bool) (status, text string, err error) {
	for {
		line, err := c.line()
		if err != nil {
			return "", "", err
		}
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case word == "+" && more:
			return "+", "", nil
		case word == tag:
			status, text, _ = strings.Cut(rest, " ")
			return strings.ToUpper(status), text, nil
		case word != "*":
			return "", "", errors.New("it does not speak IMAP")
		}
	}
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
