package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"time"
)

// stage is how far an SMTP session came.
type stage int

// The stages, in their order.
const (
	atConnect stage = iota
	atMail
	atRcpt
	atData
	atEnd
)

// reply is what an SMTP server said last: its refusal, or its acceptance.
type reply struct {
	stage stage
	code  int // 0 where the server said nothing
	text  string
}

// String returns the reply as the server gave it.
func (r reply) String() string {
	if r.code == 0 {
		return r.text
	}
	return fmt.Sprint(r.code, " ", r.text)
}

// postmaster is the recipient of a probe: every server has one.
const postmaster = "postmaster"

// converse sends a mail from the null sender, and returns what the server
// said. Without a mail it ends with RSET after RCPT.
func converse(ctx context.Context, server, to string, mail []byte) reply {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", server)
	if err != nil {
		return reply{atConnect, 0, err.Error()}
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(askTime))
	at := atConnect
	c, err := smtp.NewClient(conn, "localhost")
	if err == nil {
		at, err = transfer(c, to, mail)
	}
	var refused *textproto.Error
	switch {
	case err == nil:
		return reply{at, 250, "accepted"}
	case errors.As(err, &refused):
		return reply{at, refused.Code, refused.Msg}
	}
	return reply{at, 0, err.Error()}
}

// transfer sends the mail in one SMTP transaction. It returns the stage at which it ended.
func transfer(c *smtp.Client, to string, mail []byte) (stage, error) {
	defer c.Quit()
	if err := c.Mail(""); err != nil {
		return atMail, err
	}
	if err := c.Rcpt(to); err != nil {
		return atRcpt, err
	}
	if mail == nil {
		c.Reset()
		return atRcpt, nil
	}
	w, err := c.Data()
	if err != nil {
		return atData, err
	}
	if _, err := w.Write(mail); err != nil {
		return atEnd, err
	}
	return atEnd, w.Close()
}
