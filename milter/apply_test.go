package milter

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	gomilter "github.com/d--j/go-milter"

	"github.com/milterscan/milterscan/policy"
)

// ask has one everyday message answered with a ruling.
func ask(t *testing.T, r policy.Ruling, options ...gomilter.Option) ([]gomilter.ModifyAction, *gomilter.Action, *fixture) {
	t.Helper()
	j := newFake()
	j.rule = ruling(r)
	f := start(t, j, Options{})
	c := f.client(t, nil, options...)
	hello(t, c)
	changes, a := send(t, c, letter())
	f.stop()
	if j.released != 1 {
		t.Errorf("released %d times", j.released)
	}
	return changes, a, f
}

func TestAnswers(t *testing.T) {
	long := strings.Repeat("word ", 1000)
	tests := map[string]struct {
		ruling policy.Ruling
		want   string
	}{
		"deliver":               {policy.Ruling{}, "250 accept"},
		"discard":               {policy.Ruling{Answer: policy.Discard}, "250 accept"},
		"reject":                {policy.Ruling{Answer: policy.Reject, Reply: policy.Reply{Code: 554, Enhanced: "5.6.0", Text: "Bad mail [x1]"}}, "554 5.6.0 Bad mail [x1]"},
		"tempfail":              {policy.Ruling{Answer: policy.Tempfail, Reply: policy.Reply{Code: 452, Enhanced: "4.3.1", Text: "Later"}}, "452 4.3.1 Later"},
		"percent":               {policy.Ruling{Answer: policy.Reject, Reply: policy.Reply{Code: 550, Enhanced: "5.7.1", Text: "100%"}}, "550 5.7.1 100%%"},
		"lines":                 {policy.Ruling{Answer: policy.Reject, Reply: policy.Reply{Code: 550, Enhanced: "5.7.1", Text: "one\r\ntwo\nthree\n"}}, "550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three"},
		"foreign":               {policy.Ruling{Answer: policy.Reject, Reply: policy.Reply{Code: 550, Enhanced: "5.7.1", Text: "\x00ä\tb\r\n"}}, "550 5.7.1 ?? b"},
		"empty reject":          {policy.Ruling{Answer: policy.Reject}, "550 5.7.1 Message refused"},
		"empty tempfail":        {policy.Ruling{Answer: policy.Tempfail}, "451 4.3.0 Try again later"},
		"reject with 4xx":       {policy.Ruling{Answer: policy.Reject, Reply: policy.Reply{Code: 451, Enhanced: "4.7.1", Text: "x"}}, "550 5.7.1 x"},
		"tempfail with 5xx":     {policy.Ruling{Answer: policy.Tempfail, Reply: policy.Reply{Code: 550, Enhanced: "5.7.1", Text: "x"}}, "451 4.3.0 x"},
		"codes that disagree":   {policy.Ruling{Answer: policy.Reject, Reply: policy.Reply{Code: 554, Enhanced: "4.7.1", Text: "x"}}, "554 5.7.1 x"},
		"enhanced code is none": {policy.Ruling{Answer: policy.Reject, Reply: policy.Reply{Code: 554, Enhanced: "5.7.1 x", Text: "x"}}, "554 5.7.1 x"},
		"no such answer":        {policy.Ruling{Answer: 99}, "451 4.3.0 Mail filter cannot take the message now, try again later"},
	}
	for name, test := range tests {
		changes, a, _ := ask(t, test.ruling)
		if a.SMTPReply != test.want || len(changes) > 0 {
			t.Errorf("%s: %q, %v", name, a.SMTPReply, changes)
		}
	}
	_, a, _ := ask(t, policy.Ruling{Answer: policy.Reject, Reply: policy.Reply{Code: 550, Enhanced: "5.7.1", Text: long}})
	for _, line := range strings.Split(a.SMTPReply, "\r\n") {
		if len(line) > 1000 || !strings.HasPrefix(line, "550") {
			t.Errorf("a line of %d bytes: %.40q", len(line), line)
		}
	}
}

func TestEveryChange(t *testing.T) {
	sender := "new@example.net"
	body := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	changes, a, _ := ask(t, policy.Ruling{Answer: policy.Hold, Reason: "look\nat it", Changes: policy.Changes{
		Headers: []policy.HeaderChange{
			{Op: policy.InsertTop, Name: "X-Top", Value: "one\r\n two\nthree\rfour\x00\r\n"},
			{Op: policy.Delete, Name: "X-Old", Index: 1},
			{Op: policy.AppendBottom, Name: "X-End", Value: "end"},
			{Op: policy.Delete, Name: "X-Old", Index: 3},
			{Op: policy.Change, Name: "Subject", Value: "[tag] hello", Index: 1},
			{Op: policy.Change, Name: "X-Empty", Value: "", Index: 1},
		},
		Sender: &sender,
		Drop:   []string{"b@example.com"},
		Add:    []string{"c@example.com", `"d e"@example.com`},
		Body:   bytes.NewReader(body),
	}})
	if a.Type != gomilter.ActionAccept {
		t.Fatal(a)
	}
	var got []string
	var sent []byte
	for _, c := range changes {
		if c.Type != gomilter.ActionReplaceBody {
			got = append(got, c.String())
			if len(sent) > 0 {
				t.Errorf("%v in the middle of the body", c)
			}
			continue
		}
		if len(c.Body) > 65535 {
			t.Errorf("a chunk of %d bytes", len(c.Body))
		}
		sent = append(sent, c.Body...)
	}
	want := []string{
		`ChangeFrom "<new@example.net>" ""`,
		`DelRcpt "<b@example.com>"`,
		`AddRcpt "<c@example.com>" ""`,
		`AddRcpt "<\"d e\"@example.com>" ""`,
		`ChangeHeader 3 "X-Old" ""`,
		`ChangeHeader 1 "X-Old" ""`,
		`ChangeHeader 1 "Subject" " [tag] hello"`,
		`ChangeHeader 1 "X-Empty" " "`,
		`InsertHeader 0 "X-Top" " one\n two\n three\n four "`,
		`AddHeader "X-End" " end"`,
		`Quarantine "look at it"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("asked for\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !bytes.Equal(sent, body) {
		t.Errorf("a body of %d bytes, %d wanted", len(sent), len(body))
	}
}

// TestBodySizes includes what an MTA says that offers larger frames than Postfix
// takes.
func TestBodySizes(t *testing.T) {
	for _, size := range []int{0, 1, 65535, 65536, 1 << 20} {
		body := bytes.Repeat([]byte("x"), size)
		changes, a, _ := ask(t, policy.Ruling{Changes: policy.Changes{Body: bytes.NewReader(body)}}, gomilter.WithOfferedMaxData(gomilter.DataSize1M))
		if a.Type != gomilter.ActionAccept || len(changes) != max(1, (size+65534)/65535) {
			t.Errorf("%d bytes: %v in %d chunks", size, a, len(changes))
		}
	}
}

func TestNothingIsAskedThatWasNotOffered(t *testing.T) {
	sender := "x@y"
	tests := map[gomilter.OptAction]policy.Ruling{
		gomilter.OptAddHeader:    {Changes: policy.Changes{Headers: []policy.HeaderChange{{Op: policy.InsertTop, Name: "X", Value: "y"}}}},
		gomilter.OptChangeHeader: {Changes: policy.Changes{Headers: []policy.HeaderChange{{Op: policy.Delete, Name: "X", Index: 1}}}},
		gomilter.OptChangeBody:   {Changes: policy.Changes{Body: strings.NewReader("x")}},
		gomilter.OptAddRcpt:      {Changes: policy.Changes{Add: []string{"a@b"}}},
		gomilter.OptRemoveRcpt:   {Changes: policy.Changes{Drop: []string{"a@b"}}},
		gomilter.OptChangeFrom:   {Changes: policy.Changes{Sender: &sender}},
		gomilter.OptQuarantine:   {Answer: policy.Hold},
	}
	for action, r := range tests {
		// A change that is offered stands beside it: it must not be asked for either.
		if action != gomilter.OptAddRcpt {
			r.Changes.Add = []string{"beside@x"}
		}
		changes, a, f := ask(t, r, gomilter.WithoutAction(action))
		if a.SMTPCode != 451 || len(changes) > 0 {
			t.Errorf("without %v: %v, asked for %v", action, a, changes)
		}
		logs := f.logs.FilterMessage("ruling cannot be applied; the MTA is asked to try again").All()
		if len(logs) != 1 || !strings.Contains(logs[0].ContextMap()["error"].(string), action.String()) {
			t.Errorf("without %v: the log has %v", action, logs)
		}
		if changes, a, _ := ask(t, r); a.Type != gomilter.ActionAccept || len(changes) == 0 {
			t.Errorf("with %v: %v, asked for %v", action, a, changes)
		}
	}
}

func TestChangeOfSenderNeedsVersion6(t *testing.T) {
	sender := "x@y"
	j := newFake()
	j.rule = changing(policy.Changes{Sender: &sender, Add: []string{"a@b"}})
	r := start(t, j, Options{}).raw(t)
	r.negotiate(4, allActions, allProtocol)
	if a := r.message(); a.code != 'y' || !strings.HasPrefix(a.data, "451") {
		t.Errorf("%v", a)
	}
}

// brokenContent cannot be read to its end.
type brokenContent struct{}

var errBroken = errors.New("broken")

func (brokenContent) Size() int64                           { return 100_000 }
func (brokenContent) ReadAt(p []byte, _ int64) (int, error) { return 10, errBroken }

// shortContent ends before its size.
type shortContent struct{ brokenContent }

func (shortContent) ReadAt(p []byte, _ int64) (int, error) { return 0, io.EOF }

func TestChangesThatCannotBeMade(t *testing.T) {
	field := func(h policy.HeaderChange) policy.Changes {
		return policy.Changes{Headers: []policy.HeaderChange{h}}
	}
	tests := map[string]policy.Changes{
		"body that breaks":    {Body: brokenContent{}},
		"body that ends":      {Body: shortContent{}},
		"name with a colon":   field(policy.HeaderChange{Op: policy.InsertTop, Name: "X: y\nZ", Value: "v"}),
		"no name":             field(policy.HeaderChange{Op: policy.AppendBottom, Value: "v"}),
		"index 0":             field(policy.HeaderChange{Op: policy.Change, Name: "X", Value: "v"}),
		"index below 0":       field(policy.HeaderChange{Op: policy.Delete, Name: "X", Index: -1}),
		"unknown operation":   field(policy.HeaderChange{Op: 99, Name: "X"}),
		"value over 64 KB":    field(policy.HeaderChange{Op: policy.InsertTop, Name: "X", Value: strings.Repeat("v", 70_000)}),
		"recipient over 64 K": {Add: []string{strings.Repeat("v", 70_000)}},
		"removal over 64 KB":  {Drop: []string{strings.Repeat("v", 70_000)}},
	}
	for name, c := range tests {
		if _, a, f := ask(t, policy.Ruling{Changes: c}); a.SMTPCode != 451 || !f.logged("ruling cannot be applied; the MTA is asked to try again") {
			t.Errorf("%s: %v", name, a)
		}
	}
}

// TestOneWrite has changes and answer arrive together: over TCP, an answer that
// follows its changes in a second write waits for a delayed acknowledgement.
func TestOneWrite(t *testing.T) {
	j := newFake()
	j.rule = changing(policy.Changes{Headers: []policy.HeaderChange{{Name: "X-A", Value: "b"}}, Add: []string{"x@y"}})
	r := start(t, j, Options{}).raw(t)
	r.negotiate(6, allActions, allProtocol)
	frames := wire()
	r.put(strings.Join(frames[:5], ""))
	r.reply() // to the recipient
	r.put(strings.Join(frames[5:], ""))
	b := make([]byte, 4096)
	n, err := r.Read(b)
	if got := string(b[:n]); err != nil || strings.Count(got, "\x00\x00\x00") < 3 || !strings.HasSuffix(got, bytesOf('a', "")) {
		t.Errorf("one read gives %q, %v", got, err)
	}
}
