package console

import (
	"bufio"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/netip"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy"
)

// rehearsalPage is a mail that a person had judged.
type rehearsalPage struct {
	Result *messagePage // nil before
	JSON   string       // as "scan --json" prints it
	Most   int64
	Error  *trouble
}

// ErrOne says that only one mail is judged for persons at a time.
var ErrOne = &Problem{http.StatusServiceUnavailable, "problem-one"}

// errNoFile says that a form came without a mail.
var errNoFile = &Problem{http.StatusBadRequest, "problem-no-file"}

// rehearsal shows the form for a mail.
func (c *Console) rehearsal(w http.ResponseWriter, r *http.Request, p login.Person) error {
	v := c.view(r, p, "rehearsal")
	v.Page = &rehearsalPage{Most: int64(c.Host.Config().Limits.Message)}
	return v.write(w, http.StatusOK)
}

// mostUpload bounds the body of a request with a mail; the limit for messages is lower.
const mostUpload = 1 << 30

// rehearse judges a mail, and keeps nothing of it.
func (c *Console) rehearse(w http.ResponseWriter, r *http.Request, p login.Person) error {
	v := c.view(r, p, "rehearsal")
	m := &rehearsalPage{Most: int64(c.Host.Config().Limits.Message)}
	v.Page = m
	record, file, err := c.judged(r, m.Most)
	if err != nil {
		t := troubleOf(v.pages, err)
		m.Error = &t
		c.note(r, err)
		return v.write(w, StatusOf(err))
	}
	m.Result = c.judgedPage(v, &found{Record: record, mail: mailOf(record, nil)})
	m.JSON = string(policy.JSON(show.Report{File: file, Record: record}))
	return v.write(w, http.StatusOK)
}

// judged reads a form with a mail, whose file is the last of it, and has the mail judged.
func (c *Console) judged(r *http.Request, most int64) (policy.Record, string, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return policy.Record{}, "", ErrBad
	}
	var about pipeline.Delivery
	for {
		part, err := parts.NextPart()
		if err != nil {
			return policy.Record{}, "", errNoFile
		}
		if part.FormName() == "mail" {
			record, err := c.judge(r.Context(), part, about, most)
			return record, fileName(part.FileName(), "mail.eml"), err
		}
		if err := fillIn(&about, part); err != nil {
			return policy.Record{}, "", err
		}
	}
}

// fillIn takes over a field about the delivery of the mail.
func fillIn(about *pipeline.Delivery, part *multipart.Part) error {
	text, err := io.ReadAll(io.LimitReader(part, 4<<10))
	if err != nil {
		return errors.Join(ErrBad, err)
	}
	value := strings.TrimSpace(string(text))
	switch part.FormName() {
	case "from":
		about.From = value
	case "to":
		about.To = strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(", ;\r\n\t", r) })
	case "helo":
		about.Helo = value
	case "client":
		if _, err := netip.ParseAddr(value); err != nil && value != "" {
			return ErrBad
		}
		about.Client = value
	}
	return nil
}

// judge has one mail judged at a time.
func (c *Console) judge(ctx context.Context, mail io.Reader, about pipeline.Delivery, most int64) (policy.Record, error) {
	in := bufio.NewReader(&limited{mail, most})
	if _, err := in.Peek(1); err != nil {
		return policy.Record{}, errNoFile
	}
	return ask(ctx, c.asks, PartJudge, func(ctx context.Context) (policy.Record, error) {
		select {
		case c.rehearsing <- struct{}{}:
			defer func() { <-c.rehearsing }()
		default:
			return policy.Record{}, ErrOne
		}
		return c.Host.Rehearse(ctx, in, about)
	})
}

// limited fails where more is read than a message may have.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, ErrLarge
	}
	return n, err
}
