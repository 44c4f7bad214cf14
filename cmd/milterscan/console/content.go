package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// Bounds of the data that is shown of a message.
const (
	mostBody   = 256 << 10 // bytes of its text
	mostPage   = 2 << 20   // of a page in it
	mostParts  = 500
	mostLinks  = 200
	mostFields = 200
)

// Opened is a kept message, taken apart.
type Opened interface {
	io.Closer
	// Message returns the message. It is good until Close.
	Message() *scan.Message
	// Harmless returns a page of the message without what acts in it.
	Harmless(ctx context.Context, page scan.Content, charset string) (string, error)
}

// Content is a message for a person who looks at it.
type Content struct {
	policy.Record
	Fields    []field // those that clients show
	Header    []field // all
	Text      string
	TextCut   bool
	Pages     []int // parts that are pages
	Parts     []partRow
	MoreParts int
	Links     []link
	MoreLinks int
	Pictures  bool // those of the message are shown, too
	HasPics   bool
	Download  bool // the person may
}

func (m *Content) title(v *pages) string { return v.texts.Of("title-content") }

// field is a field of a header.
type field struct{ Name, Value string }

// partRow is a part as a list shows it.
type partRow struct {
	N                   int
	Path, Name          string
	Type, Sniffed       string
	Size                int64
	Closed              bool // there is nothing to download: it could not be read
	Container, Archived bool
	Findings            []policy.RecordFinding
}

// link is a place that a page leads to.
type link struct{ Text, Target string }

// content shows the parts of a kept message. That the person looks is written down before.
func (c *Console) content(w http.ResponseWriter, r *http.Request, p login.Person) error {
	m, err := c.Inside(r, p, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := c.view(r, p, "content")
	v.Page = m
	return v.write(w, http.StatusOK)
}

// Inside returns the parts of a kept message, after it was written down that the person looks.
func (c *Console) Inside(r *http.Request, p login.Person, id string) (*Content, error) {
	f, err := c.kept(r.Context(), p, id, login.SeeContent)
	if err != nil {
		return nil, err
	}
	if err := c.looks(r, p, login.SeeContent, f.Record.ID, "shown"); err != nil {
		return nil, err
	}
	o, err := c.open(r.Context(), f.Record.ID)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	m := &Content{Record: f.Record, Download: p.MayWith(login.DownloadParts, f.mail), Pictures: r.URL.Query().Get("pictures") == "1"}
	m.read(o.Message())
	return m, nil
}

// looks writes down that a person looks into a message. What cannot be written down is
// not shown.
func (c *Console) looks(r *http.Request, p login.Person, right login.Right, object, outcome string) error {
	_, err := ask(r.Context(), c.asks, PartPeople, func(context.Context) (struct{}, error) {
		return struct{}{}, c.People.Audit(r, p, right, object, outcome)
	})
	return err
}

// open takes a kept message apart.
func (c *Console) open(ctx context.Context, id string) (Opened, error) {
	o, err := ask(ctx, c.asks, PartJudge, func(ctx context.Context) (Opened, error) { return c.Host.Open(ctx, id) })
	return o, err
}

// shownFields are those that mail programs show.
var shownFields = []string{"From", "Sender", "Reply-To", "To", "Cc", "Date", "Subject", "Authentication-Results"}

// read takes over what a page shows of a message.
func (m *Content) read(msg *scan.Message) {
	for _, f := range msg.Header.Fields {
		value := entity.DecodeWords(f.Value)
		if len(m.Header) < mostFields {
			m.Header = append(m.Header, field{f.Name, value})
		}
		if slices.ContainsFunc(shownFields, func(name string) bool { return strings.EqualFold(name, f.Name) }) && len(m.Fields) < 40 {
			m.Fields = append(m.Fields, field{f.Name, value})
		}
	}
	for i := range msg.Parts {
		m.part(msg, i)
	}
}

// part takes over one part.
func (m *Content) part(msg *scan.Message, i int) {
	at := &msg.Parts[i]
	if len(m.Parts) == mostParts {
		m.MoreParts++
		return
	}
	row := partRow{N: i, Path: at.Path, Name: at.Name(), Type: at.Type, Sniffed: at.Sniffed, Closed: at.Content == nil,
		Container: at.Opened || strings.HasPrefix(at.Type, "multipart/"), Archived: at.Archived}
	if at.Content != nil {
		row.Size = at.Content.Size()
	}
	for _, f := range m.Findings {
		if f.Part == at.Path {
			row.Findings = append(row.Findings, f)
		}
	}
	m.Parts = append(m.Parts, row)
	m.HasPics = m.HasPics || pictureType(at) != ""
	switch {
	case !readable(at):
	case at.Type == "text/html":
		m.Pages = append(m.Pages, i)
		m.links(at)
	case at.Type == "text/plain" && m.Text == "" && !attachedPart(at):
		m.Text, m.TextCut = textOf(at)
	}
}

// readable reports whether a part is a text of the message itself.
func readable(at *scan.Part) bool {
	return at.Content != nil && at.Entity != nil && !at.Archived && strings.HasPrefix(at.Type, "text/")
}

func attachedPart(at *scan.Part) bool {
	return at.Entity != nil && at.Entity.Disposition == "attachment"
}

// textOf returns the text of a part in UTF-8.
func textOf(at *scan.Part) (text string, cut bool) {
	r := markup.NewSource(at.Content, at.Content.Size(), at.Entity.Charset).UTF8()
	b, err := io.ReadAll(io.LimitReader(r, mostBody+1))
	if err != nil && len(b) == 0 {
		return "", true
	}
	return clip(strings.ToValidUTF8(string(b), "\ufffd"), mostBody), len(b) > mostBody || err != nil
}

// links lists where a page leads.
func (m *Content) links(at *scan.Part) {
	limits := markup.DefaultLimits()
	page, err := markup.ReadHTML(markup.NewSource(at.Content, at.Content.Size(), at.Entity.Charset), limits)
	if err != nil {
		return
	}
	for _, l := range page.Links {
		one := link{strings.TrimSpace(l.Text), l.Target}
		if slices.Contains(m.Links, one) {
			continue
		}
		if len(m.Links) == mostLinks {
			m.MoreLinks++
			continue
		}
		m.Links = append(m.Links, one)
	}
}

// part returns a part of a message by the number in a path.
func partOf(o Opened, number string) (*scan.Part, error) {
	n, err := strconv.Atoi(number)
	parts := o.Message().Parts
	if err != nil || n < 0 || n >= len(parts) || parts[n].Content == nil {
		return nil, ErrNotFound
	}
	return &parts[n], nil
}

// errShort is returned for a part that is too large to be shown.
var errShort = errors.New("longer than is shown")

// pageText returns a page as it may be shown, at most mostPage bytes of it.
func pageText(ctx context.Context, o Opened, at *scan.Part) (string, error) {
	if at.Content.Size() > mostPage {
		return "", errShort
	}
	text, err := o.Harmless(ctx, at.Content, at.Entity.Charset)
	if err != nil {
		return "", fmt.Errorf("page %s: %w", at.Path, err)
	}
	return text, nil
}
