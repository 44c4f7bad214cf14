package milter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	gomilter "github.com/d--j/go-milter"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// ErrUnsayable is returned by Ask for a message that would not arrive as it is:
// its header is not made of fields only. Nothing was sent then.
var ErrUnsayable = errors.New("milter: the message cannot be put in the milter protocol as it is")

// Ask puts a message to the milterscan at the other end of conn, as an MTA does,
// and returns its ruling. mail begins with root's header, and is only read. An
// answer that takes longer than patience, without a sign of progress, is an
// error; so is the end of ctx. Ask closes conn.
func Ask(ctx context.Context, conn net.Conn, patience time.Duration, env scan.Envelope, mail scan.Content,
	root *entity.Entity) (policy.Ruling, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	q, err := newQuestion(mail, root)
	if err != nil {
		return policy.Ruling{}, err
	}
	macros := gomilter.NewMacroBag()
	macros.Set(gomilter.MacroAuthAuthen, env.AuthUser)
	client := gomilter.NewClient("", "", gomilter.WithDialer(connected{conn}), gomilter.WithReadTimeout(patience))
	s, err := client.Session(macros)
	if err != nil {
		return policy.Ruling{}, fmt.Errorf("milter: no session: %w", err)
	}
	defer s.Close()
	answer, err := q.introduce(s, env)
	if err == nil && goesOn(answer) {
		answer, err = q.send(s)
	}
	if err != nil || !goesOn(answer) {
		return rulingOf(nil, answer), err
	}
	changes, answer, err := s.End()
	if err != nil {
		return policy.Ruling{}, err
	}
	r := rulingOf(changes, answer)
	r.Changes.Body = q.body(changes)
	return r, nil
}

// connected is a dialer whose connection is there already.
type connected struct{ conn net.Conn }

// Dial returns the connection.
func (c connected) Dial(string, string) (net.Conn, error) { return c.conn, nil }

// goesOn reports whether the message is to be told further.
func goesOn(a *gomilter.Action) bool { return a != nil && a.Type == gomilter.ActionContinue }

// question is a message that can be told in the milter protocol.
type question struct {
	mail    scan.Content
	root    *entity.Entity
	newline string // at the ends of the mail's lines
}

// newQuestion makes sure that the message can be told byte by byte.
func newQuestion(mail scan.Content, root *entity.Entity) (*question, error) {
	head := make([]byte, root.Head.Len())
	if _, err := mail.ReadAt(head, root.Head.Start); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	q := &question{mail: mail, root: root, newline: "\r\n"}
	if !bytes.Contains(head, []byte("\r\n")) {
		q.newline = "\n"
	}
	if root.Head.Start != 0 || q.header() != string(head) {
		return nil, ErrUnsayable
	}
	return q, nil
}

// header returns the header as the other end will put it together.
func (q *question) header() string {
	var b strings.Builder
	for _, f := range q.root.Header.Fields {
		if strings.ContainsRune(f.Value, 0) || strings.Contains(strings.ReplaceAll(f.Value, "\r\n", ""), "\r") {
			return ""
		}
		b.WriteString(f.Name + ":" + strings.ReplaceAll(told(f.Value), "\n", q.newline) + q.newline)
	}
	return b.String() + q.newline
}

// told returns a value as the protocol has it: with LF in folds.
func told(value string) string { return strings.ReplaceAll(value, "\r\n", "\n") }

// introduce tells the envelope, up to the first answer that is not to go on.
func (q *question) introduce(s *gomilter.ClientSession, env scan.Envelope) (*gomilter.Action, error) {
	family, address := gomilter.FamilyUnknown, ""
	if env.Client.IsValid() {
		address, family = env.Client.Addr().String(), gomilter.FamilyInet
		if env.Client.Addr().Is6() {
			family = gomilter.FamilyInet6
		}
	}
	return inTurn(
		func() (*gomilter.Action, error) { return s.Conn(env.ClientName, family, env.Client.Port(), address) },
		func() (*gomilter.Action, error) { return s.Helo(env.Helo) },
		func() (*gomilter.Action, error) { return s.Mail(env.Sender, "") },
		func() (a *gomilter.Action, err error) {
			for _, to := range env.Recipients {
				if a, err = s.Rcpt(to, ""); err != nil || !goesOn(a) {
					break
				}
			}
			return a, err
		},
	)
}

// inTurn takes steps until one of them ends the matter.
func inTurn(steps ...func() (*gomilter.Action, error)) (a *gomilter.Action, err error) {
	for _, step := range steps {
		if a, err = step(); err != nil || !goesOn(a) {
			break
		}
	}
	return a, err
}

// send tells the message but for its end.
func (q *question) send(s *gomilter.ClientSession) (*gomilter.Action, error) {
	return inTurn(
		s.DataStart,
		func() (a *gomilter.Action, err error) {
			for _, f := range q.root.Header.Fields {
				if a, err = s.HeaderField(f.Name, told(f.Value), nil); err != nil || !goesOn(a) {
					return a, err
				}
			}
			return s.HeaderEnd()
		},
		func() (*gomilter.Action, error) { return q.sendBody(s) },
	)
}

// sendBody sends the body with the line ends of SMTP, in the chunks of MTAs. An
// empty body is one empty chunk, which the library wants to see.
func (q *question) sendBody(s *gomilter.ClientSession) (*gomilter.Action, error) {
	const chunk = 32 << 10 // at most twice as long with its line ends
	for at := q.root.Head.End; ; {
		b := make([]byte, min(chunk, q.mail.Size()-at))
		if _, err := q.mail.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if at+int64(len(b)) < q.mail.Size() && b[len(b)-1] == '\r' {
			b = b[:len(b)-1] // a line end stays in one piece
		}
		at += int64(len(b))
		if q.newline == "\n" {
			b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
			b = bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
		}
		if a, err := s.BodyChunk(b); err != nil || !goesOn(a) || at >= q.mail.Size() {
			return a, err
		}
	}
}

// body returns the new body, with the line ends the mail has; nil where it stays.
func (q *question) body(changes []gomilter.ModifyAction) scan.Content {
	var b []byte
	replaced := false
	for _, c := range changes {
		if c.Type == gomilter.ActionReplaceBody {
			replaced = true
			b = append(b, c.Body...)
		}
	}
	if !replaced {
		return nil
	}
	if q.newline == "\n" {
		b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	}
	return bytes.NewReader(b)
}

// rulingOf reads an answer and the changes asked for.
func rulingOf(changes []gomilter.ModifyAction, a *gomilter.Action) policy.Ruling {
	var r policy.Ruling
	switch {
	case a == nil:
		return policy.Ruling{Answer: policy.Tempfail, Reply: laterDefault}
	case a.Type == gomilter.ActionDiscard:
		r.Answer = policy.Discard
	case a.StopProcessing():
		r.Reply = replyOf(a)
		r.Answer = policy.Reject
		if r.Reply.Code < 500 {
			r.Answer = policy.Tempfail
		}
	}
	for _, c := range changes {
		take(&r, c)
	}
	return r
}

// take notes one change.
func take(r *policy.Ruling, c gomilter.ModifyAction) {
	field := func(op policy.HeaderOp) {
		value := strings.ReplaceAll(strings.TrimPrefix(c.HeaderValue, " "), "\n", "\r\n")
		if op == policy.Change && c.HeaderValue == "" {
			op = policy.Delete
		}
		r.Changes.Headers = append(r.Changes.Headers, policy.HeaderChange{Op: op, Name: c.HeaderName, Value: value, Index: int(c.HeaderIndex)})
	}
	switch c.Type {
	case gomilter.ActionAddRcpt:
		r.Changes.Add = append(r.Changes.Add, strings.Trim(c.Rcpt, "<>"))
	case gomilter.ActionDelRcpt:
		r.Changes.Drop = append(r.Changes.Drop, strings.Trim(c.Rcpt, "<>"))
	case gomilter.ActionChangeFrom:
		sender := strings.Trim(c.From, "<>")
		r.Changes.Sender = &sender
	case gomilter.ActionQuarantine:
		r.Answer, r.Reason = policy.Hold, c.Reason
	case gomilter.ActionInsertHeader:
		field(policy.InsertTop)
	case gomilter.ActionAddHeader:
		field(policy.AppendBottom)
	case gomilter.ActionChangeHeader:
		field(policy.Change)
	}
}

// replyOf returns the reply in an answer, its lines joined. "%" is doubled on the
// wire.
func replyOf(a *gomilter.Action) policy.Reply {
	r := policy.Reply{Code: int(a.SMTPCode)}
	var text []string
	for line := range strings.Lines(strings.ReplaceAll(a.SMTPReply, "%%", "%")) {
		line = strings.TrimRight(line, "\r\n")
		line = strings.TrimLeft(strings.TrimPrefix(line, strconv.Itoa(r.Code)), "- ")
		if code, rest, ok := strings.Cut(line, " "); ok && enhanced(code) {
			r.Enhanced, line = code, rest
		}
		text = append(text, line)
	}
	r.Text = strings.Join(text, " ")
	return r
}
