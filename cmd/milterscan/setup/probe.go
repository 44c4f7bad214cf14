package setup

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/hostile"
	"github.com/milterscan/milterscan/scan/units"
)

// Probe finds out whether an MTA really asks milterscan, by SMTP. There are three
// kinds, the best that works is taken:
//
//   - a harmless mail with a pass (package token) that the daemon refuses whatever
//     its rules say;
//   - the EICAR test file, where the daemon does not know the key of the pass, and
//     its rules refuse a virus;
//   - otherwise only the envelope: an MTA that cannot reach milterscan defers it.
type Probe struct {
	Address string // of milterscan
	SMTP    string // of the MTA; "" if it accepts before it asks
	Running bool
	Key     func() ([]byte, error) // of passes; nil if there is none
	Out     io.Writer

	mail   []byte // the mail to send; nil is only the envelope
	answer string // how milterscan refuses it, without the id
	before reply  // what the MTA said of it before anything was changed
}

// String says what the probe will be.
func (p *Probe) String() string {
	switch {
	case p.SMTP == "":
		return "(no probe: send yourself the EICAR test file, and see that it does not arrive)"
	case !p.Running:
		return "(no probe, since the MTA is not running: start it, and call setup again)"
	}
	return "send a probe to postmaster by SMTP at " + p.SMTP + ", and see that milterscan refuses it"
}

func (p *Probe) useful() bool { return p.SMTP != "" && p.Running }

// dialTime is how long a daemon may take to accept a connection; it is local.
const dialTime = 5 * time.Second

// askTime is how long milterscan, and the MTA, may take for one answer.
const askTime = 5 * time.Minute

// The MTA needs a moment until it goes by its new configuration. As long as it
// does not, it accepts the probe, which postmaster then gets: harmless, but no
// more than a few times.
const (
	probeTries  = 8
	probePause  = time.Second
	mayAccept   = 3 // mails
	wellDefined = 3 // envelopes in a row that are not deferred
)

// Prepare chooses the kind of probe: it asks milterscan itself what it would say.
// It is called before anything is changed.
func (p *Probe) Prepare(ctx context.Context) error {
	if !p.useful() {
		return nil
	}
	for _, mail := range [][]byte{p.passMail(), eicarMail()} {
		if mail == nil {
			continue
		}
		r, err := p.ruling(ctx, mail)
		if err != nil {
			return fmt.Errorf("milterscan does not answer at %s: %w", p.Address, err)
		}
		if r.Answer == policy.Reject {
			p.mail = mail
			p.answer, _, _ = strings.Cut(r.Reply.Text, " [")
			break
		}
	}
	p.before = converse(ctx, p.SMTP, postmaster, nil)
	return nil
}

// Run sends the probe. It is an error if it is not seen that the MTA asks
// milterscan.
func (p *Probe) Run(ctx context.Context) error {
	if !p.useful() {
		return nil
	}
	var said reply
	accepted, passed := 0, 0
	for range probeTries {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(probePause):
		}
		said = converse(ctx, p.SMTP, postmaster, p.mail)
		switch {
		case p.mail != nil && said.code >= 500 && strings.Contains(said.text, p.answer):
			fmt.Fprintf(p.Out, "The probe was refused, as it should be: %v\n", said)
			return nil
		case said.stage == atEnd && said.code < 300:
			accepted++
		case p.reached(said):
			passed++
		default:
			passed = 0
		}
		if passed == wellDefined {
			p.report(said)
			return nil
		}
		if accepted == mayAccept {
			break
		}
	}
	return p.failed(said)
}

// reached reports whether the MTA has gone beyond MAIL, which it defers where it
// cannot reach milterscan, and has its answer to RCPT from elsewhere.
func (p *Probe) reached(said reply) bool {
	if said.stage < atRcpt || said.stage >= atData {
		return false
	}
	return said.code < 300 || said.code >= 500 || said == p.before
}

// report says what was seen where no refusal was.
func (p *Probe) report(said reply) {
	if said.code < 300 {
		fmt.Fprintf(p.Out, "The MTA accepts MAIL and RCPT, so it reaches milterscan: it would defer them otherwise. "+
			"(milterscan does not know this host's key, and its rules do not refuse the EICAR test file, so no mail was sent.)\n")
		return
	}
	fmt.Fprintf(p.Out, "The MTA accepts MAIL, so it reaches milterscan: it would defer it otherwise. It refuses the "+
		"probe's recipient itself: %v\n", said)
}

// failed says why the probe shows nothing good.
func (p *Probe) failed(said reply) error {
	switch {
	case said.stage == atEnd && said.code < 300:
		return fmt.Errorf("the MTA at %s accepted the probe, which milterscan refuses: it does not ask milterscan", p.SMTP)
	case said.code >= 400 && said.code < 500 && said != p.before:
		return fmt.Errorf("the MTA at %s defers mail, so it does not reach milterscan at %s; it said %q", p.SMTP, p.Address, said)
	case said == p.before:
		return fmt.Errorf("the MTA at %s does not let the probe in, and did not before; it said %q", p.SMTP, said)
	}
	return fmt.Errorf("the MTA at %s did not refuse the probe as milterscan does; it said %q", p.SMTP, said)
}

// ruling returns the answer of milterscan itself to the mail.
func (p *Probe) ruling(ctx context.Context, mail []byte) (policy.Ruling, error) {
	network, where := units.SplitAddress(p.Address)
	conn, err := net.DialTimeout(network, where, dialTime)
	if err != nil {
		return policy.Ruling{}, err
	}
	parser := entity.NewParser(entity.DefaultLimits())
	parser.Write(mail)
	env := scan.Envelope{Recipients: []string{postmaster}}
	return milter.Ask(ctx, conn, askTime, env, bytes.NewReader(mail), parser.Close().Root)
}

const probeHeader = "From: milterscan setup <postmaster>\r\nTo: postmaster\r\nSubject: probe of milterscan setup\r\nDate: %s\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"

// passMail returns a harmless mail with a pass, nil where there is no key.
func (p *Probe) passMail() []byte {
	if p.Key == nil {
		return nil
	}
	key, err := p.Key()
	if err != nil {
		return nil
	}
	now := time.Now()
	mail := fmt.Appendf(nil, probeHeader+"This mail was to be refused by milterscan. Delete it.\r\n", now.Format(time.RFC1123Z))
	sum, err := token.Sum(bytes.NewReader(mail))
	if err != nil {
		return nil // from memory: cannot fail
	}
	pass := token.Write(key, token.Grant{For: token.Probe, ID: "setup", Issued: now, Body: sum})
	return append([]byte(token.Field+": "+pass+"\r\n"), mail...)
}

// eicarMail returns a mail with the EICAR test file as its text.
func eicarMail() []byte {
	return fmt.Appendf(nil, probeHeader+"%s\r\n", time.Now().Format(time.RFC1123Z), hostile.EICAR())
}

// Listening reports whether a process accepts connections at an address of ours.
func Listening(address string) bool {
	network, where := units.SplitAddress(address)
	c, err := net.DialTimeout(network, where, dialTime)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// ProbeKey returns the key of passes, and makes it where the daemon would find it.
// The directories above its own are not made: it would not be the daemon's.
func ProbeKey(file string) ([]byte, error) {
	if _, err := os.Stat(filepath.Dir(filepath.Dir(file))); err != nil {
		return nil, err
	}
	return token.KeyFile(file).Make()
}
