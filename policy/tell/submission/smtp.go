package submission

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"strings"
	"time"
)

// Patience is for one whole transaction. The server is on this host or near it,
// and scans what it gets: that is us again.
const Patience = 6 * time.Minute

// client is one SMTP session (RFC 5321). It is our own since net/smtp would
// rewrite the ends of lines, and a released message goes as it came.
type client struct {
	*textproto.Conn
	offers map[string]bool // keywords of EHLO
}

// bySMTP sends one mail over a separate connection.
func bySMTP(ctx context.Context, server string, m Mail) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", server)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })()
	c := &client{Conn: textproto.NewConn(raw)}
	defer c.Close()
	if err := c.transaction(m); err != nil {
		return fmt.Errorf("SMTP server %s: %w", server, err)
	}
	c.PrintfLine("QUIT")
	return nil
}

func (c *client) transaction(m Mail) error {
	if _, _, err := c.ReadResponse(220); err != nil {
		return err
	}
	if err := c.hello(); err != nil {
		return err
	}
	if _, err := c.cmd(250, "MAIL FROM:<%s>%s", m.From, c.parameters(m)); err != nil {
		return err
	}
	for _, to := range m.To { // one refusal, and nothing is sent to anybody
		if _, err := c.cmd(25, "RCPT TO:<%s>", to); err != nil {
			return fmt.Errorf("recipient %s: %w", to, err)
		}
	}
	if _, err := c.cmd(354, "DATA"); err != nil {
		return err
	}
	answer, err := c.data(m.Message)
	if err == nil && m.Answered != nil {
		m.Answered(answer)
	}
	return err
}

// cmd says a line and wants a reply that begins with the digits of code.
func (c *client) cmd(code int, format string, args ...any) (string, error) {
	if err := c.PrintfLine(format, args...); err != nil {
		return "", err
	}
	_, text, err := c.ReadResponse(code)
	return text, err
}

func (c *client) hello() error {
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	text, err := c.cmd(250, "EHLO %s", name)
	if err != nil {
		return err
	}
	c.offers = map[string]bool{}
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 0 {
			c.offers[strings.ToUpper(words[0])] = true
		}
	}
	return nil
}

// parameters of MAIL: 8BITMIME (RFC 6152), since the body was not looked at; SMTPUTF8
// (RFC 6531) where an address needs it.
func (c *client) parameters(m Mail) string {
	var p string
	if c.offers["8BITMIME"] {
		p += " BODY=8BITMIME"
	}
	beyond := func(r rune) bool { return r > '~' }
	if strings.ContainsFunc(m.From+strings.Join(m.To, ""), beyond) && c.offers["SMTPUTF8"] {
		p += " SMTPUTF8"
	}
	return p
}

// data sends the message. Only what happens after its end leaves open whether
// the server has it; a message that breaks off in the middle it has not.
func (c *client) data(message io.Reader) (answer string, err error) {
	d := &dots{w: c.W, last: '\n'}
	if _, err := io.Copy(d, message); err != nil {
		return "", err
	}
	if err := d.end(); err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	_, answer, err = c.ReadResponse(250)
	var said *textproto.Error
	if err != nil && !errors.As(err, &said) {
		return "", fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	return answer, err
}

// dots writes SMTP data: a dot at the beginning of a line is doubled (RFC 5321,
// section 4.5.2), and a line that ends in LF alone ends in CRLF, which is what
// the MTA made of it when it first came.
type dots struct {
	w    *bufio.Writer
	last byte
}

// Write fails only if the writer it writes to fails.
func (d *dots) Write(p []byte) (int, error) {
	for i, c := range p {
		if d.last == '\n' && c == '.' {
			d.w.WriteByte('.')
		}
		if c == '\n' && d.last != '\r' {
			d.w.WriteByte('\r')
		}
		d.last = c
		if err := d.w.WriteByte(c); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// end ends the last line and the data.
func (d *dots) end() error {
	if d.last != '\n' {
		d.w.WriteString("\r\n")
	}
	d.w.WriteString(".\r\n")
	return d.w.Flush()
}
