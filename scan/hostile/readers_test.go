package hostile_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"
	"github.com/jhillyerd/enmime/v2"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/charset"
	"github.com/milterscan/milterscan/scan/hostile"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/spool"
)

// leaf is what a reader shows of a mail.
type leaf struct {
	names   []string
	charset string
	content []byte
	other   bool // not in the first reading
}

// shows reports whether the leaf is the payload.
func (l leaf) shows(p hostile.Payload) bool {
	switch {
	case p.Name != "":
		for _, n := range l.names {
			if strings.Contains(n, p.Name) || strings.Contains(withoutControls(n), withoutControls(p.Name)) {
				return true
			}
		}
		return false
	case p.Text != "":
		return strings.Contains(l.words(), p.Text) || bytes.Contains(l.content, []byte(p.Text))
	}
	return bytes.Contains(l.content, p.Content)
}

// withoutControls drops control characters, which a name may lose on its way.
func withoutControls(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, s)
}

// words are the leaf's text as a reader of HTML would see it.
func (l leaf) words() string {
	text, _ := charset.Decode(l.charset, l.content)
	return strings.NewReplacer("\u200b", "", "\u00ad", "", "\t", "", "\n", "").Replace(html.UnescapeString(text))
}

// verdict is what became of one case.
type verdict int

const (
	missed verdict = iota
	flagged
	foundElsewhere // in another reading, or carved
	foundFirst
)

// judge says how well the leaves show the payload.
func judge(leaves []leaf, said bool, p hostile.Payload) verdict {
	best := missed
	if said {
		best = flagged
	}
	for _, l := range leaves {
		if !l.shows(p) {
			continue
		}
		if !l.other {
			return foundFirst
		}
		best = foundElsewhere
	}
	return best
}

// opener opens mail as the daemon does with the shipped limits.
func opener(t testing.TB) (*unpack.Opener, *spool.Spool) {
	t.Helper()
	sp := spool.New(t.TempDir(), 256<<20, 1<<30)
	c := config.Default().Limits
	limits := unpack.Limits{Entity: c.MIME, Archive: c.Archive, Parts: c.Parts, Nesting: c.Nesting}
	return unpack.NewOpener(limits, archive.Formats(), sp), sp
}

// ours opens a mail and returns its leaves and what was noted.
func ours(t testing.TB, o *unpack.Opener, sp *spool.Spool, c hostile.Case) ([]leaf, []scan.Finding) {
	t.Helper()
	const limit = 64 << 20
	raw, parser := sp.Buffer(), o.NewParser()
	in := &cut{w: io.MultiWriter(raw, parser), left: limit}
	if err := c.Write(in); err != nil {
		t.Fatal(err)
	}
	m := o.Open(context.Background(), scan.Received{Raw: raw, Size: in.size, Tree: parser.Close()})
	defer m.Close()
	var leaves []leaf
	for _, p := range m.Parts {
		leaves = append(leaves, ourLeaf(t, p))
	}
	return leaves, m.Notes
}

func ourLeaf(t testing.TB, p scan.Part) leaf {
	l := leaf{names: p.Names, other: strings.Contains(p.Path, "~")}
	if p.Entity != nil {
		l.charset = p.Entity.Charset
	}
	if p.Content == nil || p.Content.Size() > 64<<20 {
		return l
	}
	b, err := io.ReadAll(scan.Reader(p.Content))
	if err != nil {
		t.Errorf("%s: %v", p.Path, err)
	}
	l.content = b
	return l
}

// cut passes on the first bytes and counts the rest, as the daemon does with a
// mail over its limit.
type cut struct {
	w          io.Writer
	left, size int64
}

func (c *cut) Write(b []byte) (int, error) {
	c.size += int64(len(b))
	if n := min(int64(len(b)), c.left); n > 0 {
		c.left -= n
		if _, err := c.w.Write(b[:n]); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// others are the readers that programs in Go use, with what they show of a mail
// up to their first error. Attached messages are opened for them.
var others = []struct {
	name string
	read func([]byte) []leaf
}{
	{"mime/multipart", withStandard},
	{"go-message", withGoMessage},
	{"enmime", withEnmime},
}

// deepest is how many composites are followed for the others: enmime takes
// time exponential in the depth, and all of them memory.
const deepest = 12

func withStandard(raw []byte) []leaf { return standardMessage(raw, 0) }

func standardMessage(raw []byte, depth int) []leaf {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	return standardEntity(m.Header.Get, m.Body, depth)
}

func standardEntity(get func(string) string, body io.Reader, depth int) []leaf {
	kind, params, _ := mime.ParseMediaType(get("Content-Type"))
	switch {
	case depth > deepest:
		return nil
	case strings.HasPrefix(kind, "multipart/"):
		return standardParts(multipart.NewReader(body, params["boundary"]), depth)
	}
	content, _ := io.ReadAll(standardDecoder(get("Content-Transfer-Encoding"), body))
	_, disposition, _ := mime.ParseMediaType(get("Content-Disposition"))
	if kind == "message/rfc822" {
		return standardMessage(content, depth+1)
	}
	return []leaf{{names: []string{disposition["filename"], params["name"]}, charset: params["charset"], content: content}}
}

func standardParts(r *multipart.Reader, depth int) []leaf {
	var leaves []leaf
	for {
		p, err := r.NextRawPart()
		if err != nil {
			return leaves
		}
		leaves = append(leaves, standardEntity(p.Header.Get, p, depth+1)...)
	}
}

func standardDecoder(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(encoding) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	}
	return body
}

func withGoMessage(raw []byte) []leaf { return goMessage(raw, 0) }

func goMessage(raw []byte, depth int) []leaf {
	e, err := message.Read(bytes.NewReader(raw))
	if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return nil
	}
	return goMessageEntity(e, depth)
}

func goMessageEntity(e *message.Entity, depth int) []leaf {
	if depth > deepest {
		return nil
	}
	if r := e.MultipartReader(); r != nil {
		var leaves []leaf
		for {
			p, err := r.NextPart()
			if p == nil || err == io.EOF {
				return leaves
			}
			leaves = append(leaves, goMessageEntity(p, depth+1)...)
		}
	}
	kind, params, _ := e.Header.ContentType()
	_, disposition, _ := e.Header.ContentDisposition()
	content, _ := io.ReadAll(e.Body)
	if kind == "message/rfc822" {
		return goMessage(content, depth+1)
	}
	return []leaf{{names: []string{disposition["filename"], params["name"]}, charset: "utf-8", content: content}}
}

func withEnmime(raw []byte) []leaf {
	lower := bytes.ToLower(raw)
	if bytes.Count(lower, []byte("multipart/"))+bytes.Count(lower, []byte("message/")) > deepest {
		return nil
	}
	root, err := enmime.ReadParts(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	var leaves []leaf
	root.DepthMatchAll(func(p *enmime.Part) bool {
		if p.ContentType == "message/rfc822" {
			leaves = append(leaves, withEnmime(p.Content)...)
		} else {
			leaves = append(leaves, leaf{names: []string{p.FileName}, charset: "utf-8", content: p.Content})
		}
		return false
	})
	return leaves
}

// tally counts the verdicts on a family.
type tally struct {
	cases, huge int
	ours        [4]int
	others      [3]int
}

func (t *tally) add(u tally) {
	t.cases, t.huge = t.cases+u.cases, t.huge+u.huge
	for i := range t.ours {
		t.ours[i] += u.ours[i]
	}
	for i := range t.others {
		t.others[i] += u.others[i]
	}
}

func (t tally) row(name string) string {
	return fmt.Sprintf("%-6s %6d %6d %6d %7d %6d | %7d %7d %7d\n", name, t.cases, t.ours[foundFirst], t.ours[foundElsewhere], t.ours[flagged], t.ours[missed], t.others[0], t.others[1], t.others[2])
}

// TestNothingHides opens every case as the daemon does. The payload must be
// found, or the mail's kind be one that nobody can look into; and what departs
// from the standards must be said. Beside it stands what others find, which
// -short leaves out.
func TestNothingHides(t *testing.T) {
	o, sp := opener(t)
	var slow slowest
	table := "family  cases  first  other flagged missed |     std go-mess.  enmime\n"
	var all tally
	for _, f := range hostile.Families() {
		var count tally
		for c := range f.Cases() {
			if c.Huge && testing.Short() {
				continue
			}
			start := time.Now()
			count.add(examine(t, o, sp, c))
			slow.note(c.Name, time.Since(start))
		}
		table += count.row(f.ID)
		all.add(count)
	}
	t.Logf("\n%s%sslowest, with all readers: %s, %v", table, all.row("all"), slow.name, slow.took)
}

// slowest is the case that took longest.
type slowest struct {
	name string
	took time.Duration
}

func (s *slowest) note(name string, took time.Duration) {
	if took > s.took {
		s.name, s.took = name, took
	}
}

// examine opens one case and complains of what is missing.
func examine(t *testing.T, o *unpack.Opener, sp *spool.Spool, c hostile.Case) tally {
	leaves, notes := ours(t, o, sp, c)
	v := judge(leaves, said(notes), c.Payload)
	if v == missed || v == flagged && !c.MayBeUnscannable {
		t.Errorf("%s: the payload is not found, damage noted: %v (%s)", c.Name, v == flagged, c.Why)
	}
	if c.WantDeviation && !said(notes) {
		t.Errorf("%s: found, but not a word about the damage", c.Name)
	}
	count := tally{cases: 1}
	count.ours[v]++
	for i, r := range others {
		if !c.Huge && !testing.Short() && judge(r.read(c.Message), false, c.Payload) == foundFirst {
			count.others[i]++
		}
	}
	return count
}

// said reports whether any note names a departure from the standards, or says
// that something was not examined.
func said(notes []scan.Finding) bool {
	for _, n := range notes {
		if n.Kind != scan.Note {
			return true
		}
	}
	return false
}
