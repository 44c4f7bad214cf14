package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/d--j/go-milter"

	"github.com/milterscan/milterscan/tests/dialogue"
)

// overProtocol plays dialogues as an MTA: it speaks the milter protocol itself.
type overProtocol struct {
	t     *testing.T
	house *house
}

// Send plays one dialogue on one connection.
func (o overProtocol) Send(_ context.Context, d dialogue.Dialogue) ([]dialogue.Answer, error) {
	kept := o.t.TempDir()
	o.house.reconfigure(o.t, inQuarantine(d.Config, kept))
	macros := milter.NewMacroBag()
	macros.Set(milter.MacroAuthAuthen, d.Auth)
	s, err := milter.NewClient("unix", o.house.milter.Socket).Session(macros)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := connect(s, d); err != nil {
		return nil, err
	}
	answers := make([]dialogue.Answer, len(d.Messages))
	for i, m := range d.Messages {
		before := copies(o.t, kept)
		a, err := transact(s, m)
		if err != nil {
			return nil, err
		}
		answers[i] = a
		if answers[i].Keep = copies(o.t, kept) - before; answers[i].Keep > 0 && a.Action == "discard" {
			answers[i].Action = "quarantine"
		}
	}
	return answers, nil
}

// connect introduces the client of the dialogue.
func connect(s *milter.ClientSession, d dialogue.Dialogue) error {
	address, helo := d.Client, d.Helo
	if address == "" {
		address = "127.0.0.1"
	}
	if helo == "" {
		helo = "client.test.local"
	}
	if _, err := s.Conn("["+address+"]", milter.FamilyInet, 40000, address); err != nil {
		return err
	}
	_, err := s.Helo(helo)
	return err
}

// transact puts one mail to the milter.
func transact(s *milter.ClientSession, m dialogue.Message) (dialogue.Answer, error) {
	raw, err := dialogue.Open(m.Source)
	if err != nil {
		return dialogue.Answer{}, err
	}
	a, err := begin(s, m)
	if err != nil || a.StopProcessing() {
		return asAnswer(a, nil), err
	}
	if m.Abort {
		return dialogue.Answer{}, s.Abort(nil)
	}
	if a, err = content(s, raw); err != nil || a.StopProcessing() {
		return asAnswer(a, nil), err
	}
	changes, a, err := s.End()
	return asAnswer(a, changes), err
}

// begin says who sends what to whom, up to the first refusal.
func begin(s *milter.ClientSession, m dialogue.Message) (*milter.Action, error) {
	a, err := s.Mail(m.From, "")
	for _, to := range m.To {
		if err == nil && !a.StopProcessing() {
			a, err = s.Rcpt(to, "")
		}
	}
	return a, err
}

// content sends header and body as MTAs do.
func content(s *milter.ClientSession, raw []byte) (*milter.Action, error) {
	text := strings.ReplaceAll(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n", "\r\n")
	header, body, _ := strings.Cut(text, "\r\n\r\n")
	header = strings.NewReplacer("\r\n ", "\n ", "\r\n\t", "\n\t").Replace(header)
	if a, err := s.DataStart(); err != nil || a.StopProcessing() {
		return a, err
	}
	for line := range strings.SplitSeq(header, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if a, err := s.HeaderField(name, value, nil); err != nil || a.StopProcessing() {
			return a, err
		}
	}
	if a, err := s.HeaderEnd(); err != nil || a.StopProcessing() {
		return a, err
	}
	for len(body) > 0 {
		n := min(len(body), 65535)
		if a, err := s.BodyChunk([]byte(body[:n])); err != nil || a.StopProcessing() {
			return a, err
		}
		body = body[n:]
	}
	return &milter.Action{Type: milter.ActionContinue}, nil
}

// asAnswer is what the milter said, as a dialogue sees it.
func asAnswer(a *milter.Action, changes []milter.ModifyAction) dialogue.Answer {
	answer := dialogue.Answer{Action: "deliver", Changed: len(changes) > 0}
	if a == nil {
		return answer
	}
	for _, c := range changes {
		note(&answer, c)
	}
	switch {
	case a.Type == milter.ActionDiscard:
		answer.Action = "discard"
	case a.Type == milter.ActionTempFail:
		answer.Action = "tempfail"
	case a.StopProcessing() && a.SMTPCode >= 500:
		answer.Action, answer.Reply = "reject", fmt.Sprint(a.SMTPReply)
	case a.StopProcessing() && a.SMTPCode >= 400:
		answer.Action, answer.Reply = "tempfail", fmt.Sprint(a.SMTPReply)
	}
	return answer
}

func note(a *dialogue.Answer, c milter.ModifyAction) {
	switch c.Type {
	case milter.ActionAddRcpt:
		a.Add = append(a.Add, strings.Trim(c.Rcpt, "<>"))
	case milter.ActionDelRcpt:
		a.Drop = append(a.Drop, strings.Trim(c.Rcpt, "<>"))
	case milter.ActionChangeFrom:
		a.Sender = strings.Trim(c.From, "<>")
	case milter.ActionInsertHeader, milter.ActionAddHeader, milter.ActionChangeHeader:
		a.Headers = append(a.Headers, c.HeaderName+":"+c.HeaderValue)
	case milter.ActionQuarantine:
		a.Action = "hold"
	}
}
