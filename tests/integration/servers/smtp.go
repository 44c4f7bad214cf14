package servers

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"time"
)

// Reply is what an SMTP server answered. Code 0 means that it did not: the
// connection broke, and Text says how.
type Reply struct {
	Code int
	Text string
}

// String returns the reply as it came, lines joined by " / ".
func (r Reply) String() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.Code, strings.ReplaceAll(r.Text, "\n", " / ")))
}

// Accepted reports a 2xx or 3xx reply.
func (r Reply) Accepted() bool { return r.Code >= 200 && r.Code < 400 }

// Deferred reports a 4xx reply.
func (r Reply) Deferred() bool { return r.Code >= 400 && r.Code < 500 }

// Refused reports a 5xx reply.
func (r Reply) Refused() bool { return r.Code >= 500 && r.Code < 600 }

// Mail is an envelope and the message sent after DATA.
type Mail struct {
	From string   // without angle brackets
	To   []string // likewise
	Data []byte   // as it is to arrive, except that a missing last CRLF is added
}

// Client is an SMTP client that reports every reply and hides none.
type Client struct{ conn *textproto.Conn }

// smtpTimeout ends a dialogue that hangs; a scan may take a while.
const smtpTimeout = 5 * time.Minute

// DialSMTP connects and says EHLO.
func DialSMTP(t TB, addr string) *Client {
	t.Helper()
	c, r := TryDialSMTP(addr)
	if !r.Accepted() {
		t.Fatalf("no SMTP session at %s: %v", addr, r)
	}
	return c
}

// TryDialSMTP connects like DialSMTP to a server that may refuse. The client is nil
// unless the reply is an acceptance.
func TryDialSMTP(addr string) (*Client, Reply) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, Reply{Text: err.Error()}
	}
	conn.SetDeadline(time.Now().Add(smtpTimeout))
	c := &Client{conn: textproto.NewConn(conn)}
	r := c.read()
	if r.Accepted() {
		r = c.Cmd("EHLO client.test.local")
	}
	if !r.Accepted() {
		c.Close()
		return nil, r
	}
	return c, r
}

// Cmd sends a command and returns the reply.
func (c *Client) Cmd(format string, args ...any) Reply {
	if err := c.conn.PrintfLine(format, args...); err != nil {
		return Reply{Text: err.Error()}
	}
	return c.read()
}

// Pretend has the server take us for another client, by XCLIENT: attributes
// such as "ADDR=192.0.2.1", "NAME=mail.example.org", "LOGIN=joe". The server
// starts the session again, so EHLO is said again.
func (c *Client) Pretend(attributes ...string) Reply {
	if r := c.Cmd("XCLIENT %s", strings.Join(attributes, " ")); !r.Accepted() {
		return r
	}
	return c.Cmd("EHLO client.test.local")
}

// Send sends one mail and returns the first reply that is not an acceptance, or
// the one after the final dot.
func (c *Client) Send(m Mail) Reply {
	if r := c.Envelope(m); !r.Accepted() {
		return r
	}
	return c.Data(m.Data)
}

// Envelope says MAIL and RCPT, up to the first that is refused.
func (c *Client) Envelope(m Mail) Reply {
	r := c.Cmd("MAIL FROM:<%s>", m.From)
	for _, to := range m.To {
		if !r.Accepted() {
			return r
		}
		r = c.Cmd("RCPT TO:<%s>", to)
	}
	return r
}

// Data says DATA, sends the message and returns the reply after the final dot.
func (c *Client) Data(message []byte) Reply {
	if r := c.Cmd("DATA"); !r.Accepted() {
		return r
	}
	if err := c.Write(stuffed(message)); err != nil {
		return Reply{Text: err.Error()}
	}
	return c.Cmd(".")
}

// Write sends bytes as they are.
func (c *Client) Write(p []byte) error {
	if _, err := c.conn.W.Write(p); err != nil {
		return err
	}
	return c.conn.W.Flush()
}

// Quit ends the session as one should.
func (c *Client) Quit() {
	c.Cmd("QUIT")
	c.Close()
}

// Close breaks the connection off.
func (c *Client) Close() { c.conn.Close() }

func (c *Client) read() Reply {
	code, text, err := c.conn.ReadResponse(0)
	if err != nil && code == 0 {
		if err == io.EOF {
			text = "connection closed"
		} else {
			text = err.Error()
		}
	}
	return Reply{Code: code, Text: text}
}

// stuffed doubles a dot at the start of a line (RFC 5321, section 4.5.2) and
// ends the last line. Lines end with CRLF; anything else passes as it is.
func stuffed(message []byte) []byte {
	message = bytes.ReplaceAll(message, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(message, []byte(".")) {
		message = append([]byte("."), message...)
	}
	if len(message) > 0 && !bytes.HasSuffix(message, []byte("\r\n")) {
		message = append(message, "\r\n"...)
	}
	return message
}

// Send delivers one mail over a separate connection.
func Send(addr string, m Mail) Reply {
	c, r := TryDialSMTP(addr)
	if c == nil {
		return r
	}
	defer c.Quit()
	return c.Send(m)
}
