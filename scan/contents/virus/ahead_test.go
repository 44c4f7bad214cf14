package virus

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/tests/fakes"
)

// raw is a message that nobody has to close.
type raw struct{ *bytes.Reader }

func (raw) Close() error { return nil }

// received is a mail of a text and an attachment, before and after it is opened.
func received(text, attachment string) (scan.Received, *scan.Message) {
	mail := "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n" + text +
		"\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n" + attachment + "\r\n--b--\r\n"
	p := entity.NewParser(entity.DefaultLimits())
	p.Write([]byte(mail))
	in := scan.Received{Raw: raw{bytes.NewReader([]byte(mail))}, Tree: p.Close(), Size: int64(len(mail))}
	m := &scan.Message{Raw: in.Raw, Root: in.Tree.Root}
	for i, content := range []string{text, attachment} {
		m.Parts = append(m.Parts, scan.Part{Parent: -1, Path: fmt.Sprint(i + 1), Entity: m.Root.Children[i], Content: scantest.Bytes([]byte(content))})
	}
	return in, m
}

// warm has one session rest.
func warm(t *testing.T, e *Engine) {
	t.Helper()
	if _, err := e.Scan(t.Context(), two("warm", "up")); err != nil {
		t.Fatal(err)
	}
}

// gone counts the contents with a word that clamd was asked about.
func gone(fake *fakes.Clamd, word string) (n int) {
	for _, b := range fake.Got() {
		if bytes.Contains(b, []byte(word)) {
			n++
		}
	}
	return n
}

// slotsFree fails the test if the engine has not all its slots.
func slotsFree(t *testing.T, e *Engine) {
	t.Helper()
	if n := len(e.slots); n != 0 {
		t.Errorf("%d slots are taken", n)
	}
}

// TestAhead: the skeleton goes to clamd before the message is opened, and only once; the answer counts with
// those about the parts, also where opening finds something to remark.
func TestAhead(t *testing.T) {
	for name, tt := range map[string]struct {
		text, attachment string
		change           func(*scan.Message)
		found            []int // parts
		times            int   // that the text is sent
	}{
		"clean":                  {"TEXT", "BODY", nil, nil, 1},
		"infected text":          {"TEXT evil", "BODY", nil, []int{scan.WholeMessage}, 1},
		"infected attachment":    {"TEXT", "BODY evil", nil, []int{1}, 1},
		"remarkable":             {"TEXT", "BODY", func(m *scan.Message) { m.Notes = []scan.Finding{{Kind: scan.Malformed}} }, nil, 3},
		"remarkable and bad":     {"TEXT evil", "BODY", func(m *scan.Message) { m.Notes = []scan.Finding{{Kind: scan.Malformed}} }, []int{scan.WholeMessage, 0}, 3},
		"very many parts":        {"TEXT", "BODY", func(m *scan.Message) { m.Parts = append(m.Parts, make([]scan.Part, bodyParts)...); open(m) }, nil, 2},
		"a body that changes it": {"TEXT", "BODY", func(m *scan.Message) { m.Parts = m.Parts[1:] }, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &fakes.Clamd{Virus: "evil"}
			e, _ := patient(t, fake.Start(t, "unix"))
			warm(t, e)
			in, m := received(tt.text, tt.attachment)
			if tt.change != nil {
				tt.change(m)
			}
			m.Ahead = scan.NewEngine(e).Ahead(t.Context(), in)
			within(t, "asked before it is opened", func() bool { return gone(fake, "TEXT") == 1 })
			found, err := e.Scan(t.Context(), m)
			if err != nil || len(found) != len(tt.found) || gone(fake, "TEXT") != tt.times || fake.Sessions() != 1 {
				t.Fatalf("found %v, error %v, the text was sent %d times in %d sessions", found, err, gone(fake, "TEXT"), fake.Sessions())
			}
			for i, f := range found {
				if f.Part != tt.found[i] {
					t.Errorf("found %v", found)
				}
			}
			m.Ahead.Drop()
			slotsFree(t, e)
			wantVerdicts(t, e, "after it")
		})
	}
}

// open marks all parts as opened.
func open(m *scan.Message) {
	for i := range m.Parts {
		m.Parts[i].Opened = true
	}
}

// TestAheadIsDropped: nobody scans the message.
func TestAheadIsDropped(t *testing.T) {
	fake := &fakes.Clamd{}
	e, r := patient(t, fake.Start(t, "unix"))
	warm(t, e)
	in, _ := received("TEXT", "BODY")
	a := scan.NewEngine(e).Ahead(t.Context(), in)
	a.Drop()
	a.Drop()
	slotsFree(t, e)
	within(t, "closed", func() bool { return fake.Open() == 0 })
	if len(r.all) != 0 {
		t.Error("a session rests that somebody asks in")
	}
}

// TestAheadDies: clamd ends the session with the question, or the first answer.
func TestAheadDies(t *testing.T) {
	for _, at := range []int{4, 5} {
		fake := &fakes.Clamd{Virus: "evil", DropWhen: at}
		e, _ := patient(t, fake.Start(t, "unix"))
		warm(t, e)
		in, m := received("TEXT evil", "BODY")
		m.Ahead = scan.NewEngine(e).Ahead(t.Context(), in)
		if found, err := e.Scan(t.Context(), m); err != nil || len(found) != 1 || found[0].Part != scan.WholeMessage {
			t.Errorf("at %d: found %v, error %v", at, found, err)
		}
		slotsFree(t, e)
	}
}

// TestAheadOfOneThatIsAway: its questions go to the next.
func TestAheadOfOneThatIsAway(t *testing.T) {
	first, second := &fakes.Clamd{DropWhen: 4}, &fakes.Clamd{Virus: "evil"}
	e := engine(t, first.Start(t, "unix"), second.Start(t, "unix"))
	warm(t, e)
	in, m := received("TEXT evil", "BODY")
	m.Ahead = scan.NewEngine(e).Ahead(t.Context(), in)
	within(t, "asked", func() bool { return gone(first, "TEXT") == 1 })
	first.Stop()
	if found, err := e.Scan(t.Context(), m); err != nil || len(found) != 1 || gone(second, "TEXT") != 1 {
		t.Errorf("found %v, error %v, the other was asked about it %d times", found, err, gone(second, "TEXT"))
	}
	slotsFree(t, e)
}

// TestNothingAhead: where it would have to wait, or the whole mail is to be sent, nothing goes ahead.
func TestNothingAhead(t *testing.T) {
	in, _ := received("TEXT", "BODY")
	large, _ := received(strings.Repeat("TEXT", mostAhead/4), "BODY")
	for name, tt := range map[string]struct {
		network string
		in      scan.Received
		change  func(*Engine)
	}{
		"no session":       {"unix", in, func(e *Engine) { e.servers[0].Server.(clamd).resting.end() }},
		"over TCP":         {"tcp", in, func(*Engine) {}},
		"all slots taken":  {"unix", in, func(e *Engine) { e.slots = make(chan struct{}) }},
		"the whole mail":   {"unix", in, func(e *Engine) { e.feed = FeedRaw }},
		"a large skeleton": {"unix", large, func(*Engine) {}},
		"no mail":          {"unix", scan.Received{Raw: in.Raw, Tree: new(entity.Tree)}, func(*Engine) {}},
	} {
		fake := &fakes.Clamd{}
		e, _ := patient(t, fake.Start(t, tt.network))
		warm(t, e)
		if tt.change(e); scan.NewEngine(e).Ahead(t.Context(), tt.in) != nil || len(e.slots) != 0 {
			t.Errorf("%s: it went ahead", name)
		}
	}
}
