package selftest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/smtp"
	"net/textproto"
	"time"

	"github.com/milterscan/milterscan/scan/hostile"
)

// sendTime is how long one mail may take to send: servers scan before they
// answer.
const sendTime = 5 * time.Minute

// Send sends every case through an SMTP server and prints what it said. A
// mail that is accepted may still be cleaned or kept after the server, so it is
// for the reader to look into the mailbox: each mail carries its name in a separate
// field.
func Send(ctx context.Context, server, to string, cases iter.Seq[hostile.Case], out io.Writer) error {
	t := newTable(out, "refused", "deferred", "accepted")
	s := sender{server: server, to: to}
	defer s.close()
	for c := range cases {
		column, err := s.send(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		t.count(c, column, false)
		if column == 2 {
			fmt.Fprintln(out, "accepted:", c.Name)
		}
	}
	t.print()
	return nil
}

// sender sends one mail after the other over a connection that it opens again
// when the server has closed it.
type sender struct {
	server, to string
	conn       net.Conn
	client     *smtp.Client
}

// send sends a case and returns the column of its answer. An error means that
// the server cannot be talked to.
func (s *sender) send(ctx context.Context, c hostile.Case) (int, error) {
	if err := s.open(ctx); err != nil {
		return 0, err
	}
	s.conn.SetDeadline(time.Now().Add(sendTime))
	err := s.transfer(c)
	if err == nil {
		return 2, nil
	}
	s.close() // whatever it was, begin again
	var said *textproto.Error
	switch {
	case errors.As(err, &said) && said.Code >= 500:
		return 0, nil
	case errors.As(err, &said), errors.Is(err, io.EOF):
		return 1, nil
	}
	return 0, err
}

func (s *sender) open(ctx context.Context) error {
	if s.client != nil {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.server)
	if err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(s.server)
	conn.SetDeadline(time.Now().Add(sendTime))
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		conn.Close()
		return err
	}
	s.conn, s.client = conn, client
	return nil
}

func (s *sender) close() {
	if s.client != nil {
		s.client.Close()
		s.client = nil
	}
}

// transfer sends one mail in one SMTP transaction.
func (s *sender) transfer(c hostile.Case) error {
	if err := s.client.Mail("selftest@example.org"); err != nil {
		return err
	}
	if err := s.client.Rcpt(s.to); err != nil {
		return err
	}
	text := s.client.Text
	id, err := text.Cmd("DATA")
	if err != nil {
		return err
	}
	text.StartResponse(id)
	_, _, err = text.ReadResponse(354)
	text.EndResponse(id)
	if err != nil {
		return err
	}
	if err := writeData(text.W, c); err != nil {
		return err
	}
	_, _, err = text.ReadResponse(250)
	return err
}

// writeData writes a case as SMTP data. Line ends stay as they are, which
// net/smtp would not allow.
func writeData(w *bufio.Writer, c hostile.Case) error {
	fmt.Fprintf(w, "X-Milterscan-Selftest: %s\r\n", c.Name)
	d := &dots{w: w, last: '\n', before: '\r'}
	if err := c.Write(d); err != nil {
		return err
	}
	if d.before != '\r' || d.last != '\n' {
		w.WriteString("\r\n")
	}
	w.WriteString(".\r\n")
	return w.Flush()
}

// dots doubles the dot at the beginning of a line (RFC 5321, section 4.5.2).
// After a lone CR or LF as well: no server may take one for the end of the
// data, however it counts lines.
type dots struct {
	w            *bufio.Writer
	before, last byte // the two bytes written last
}

// Write fails only if the writer it writes to fails.
func (d *dots) Write(b []byte) (int, error) {
	for i, c := range b {
		if c == '.' && (d.last == '\n' || d.last == '\r') {
			d.w.WriteByte('.')
		}
		if err := d.w.WriteByte(c); err != nil {
			return i, err
		}
		d.before, d.last = d.last, c
	}
	return len(b), nil
}
