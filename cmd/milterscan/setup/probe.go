package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/hostile"
)

// Probe finds out whether an MTA really asks milterscan: it sends a mail that
// milterscan refuses.
type Probe struct {
	Address string // of milterscan
	SMTP    string // of the MTA; "" if it accepts before it asks
	Running bool
	Out     io.Writer
}

// String says what the probe will be.
func (p Probe) String() string {
	if !p.useful() {
		return "(no probe: send yourself the EICAR test file, and see that it does not arrive)"
	}
	return "send the EICAR test file to postmaster by SMTP at " + p.SMTP + ", and see it refused"
}

func (p Probe) useful() bool { return p.SMTP != "" && p.Running }

// dialTime is how long a daemon may take to accept a connection; it is local.
const dialTime = 5 * time.Second

// sendTime is how long the probe may take to send: the server scans before it
// answers.
const sendTime = 5 * time.Minute

// The MTA needs a moment until it goes by its new configuration.
const (
	probeTries = 8
	probePause = time.Second
)

// Run sends the probe. It is an error if milterscan refuses the mail and the MTA
// does not.
func (p Probe) Run(ctx context.Context) error {
	if !p.useful() {
		return nil
	}
	mail := probeMail()
	r, err := p.ruling(ctx, mail)
	if err != nil {
		return fmt.Errorf("milterscan does not answer at %s: %w", p.Address, err)
	}
	if r.Answer != policy.Reject {
		fmt.Fprintf(p.Out, "The rules do not refuse the EICAR test file (%v), so there was no probe.\n", r.Answer)
		return nil
	}
	var said string
	for range probeTries {
		if said = sendProbe(ctx, p.SMTP, mail); strings.HasPrefix(said, "5") {
			fmt.Fprintf(p.Out, "The probe was refused, as it should be: %s\n", said)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(probePause):
		}
	}
	return fmt.Errorf("the MTA at %s did not refuse the EICAR test file, which milterscan refuses; it said %q", p.SMTP, said)
}

// ruling is what milterscan itself says about the mail.
func (p Probe) ruling(ctx context.Context, mail []byte) (policy.Ruling, error) {
	network, where, _ := strings.Cut(p.Address, ":")
	conn, err := net.DialTimeout(network, where, dialTime)
	if err != nil {
		return policy.Ruling{}, err
	}
	parser := entity.NewParser(entity.DefaultLimits())
	parser.Write(mail)
	env := scan.Envelope{Recipients: []string{"postmaster"}}
	return milter.Ask(ctx, conn, sendTime, env, bytes.NewReader(mail), parser.Close().Root)
}

func probeMail() []byte {
	return fmt.Appendf(nil, "From: milterscan setup <postmaster>\r\nTo: postmaster\r\nSubject: probe of milterscan setup\r\nDate: %s\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n%s\r\n", time.Now().Format(time.RFC1123Z), hostile.EICAR())
}

// sendProbe sends a mail and returns what the server said: its refusal, or what
// else went on.
func sendProbe(ctx context.Context, server string, mail []byte) string {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", server)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(sendTime))
	c, err := smtp.NewClient(conn, "localhost")
	if err == nil {
		err = transfer(c, mail)
	}
	var refused *textproto.Error
	switch {
	case err == nil:
		return "250 accepted"
	case errors.As(err, &refused):
		return fmt.Sprint(refused.Code, " ", refused.Msg)
	}
	return err.Error()
}

// transfer is one SMTP transaction.
func transfer(c *smtp.Client, mail []byte) error {
	if err := c.Mail(""); err != nil {
		return err
	}
	if err := c.Rcpt("postmaster"); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(mail); err != nil {
		return err
	}
	return w.Close()
}

// Listening reports whether somebody accepts connections at an address of ours.
func Listening(address string) bool {
	network, where, _ := strings.Cut(address, ":")
	c, err := net.DialTimeout(network, where, dialTime)
	if err != nil {
		return false
	}
	c.Close()
	return true
}
