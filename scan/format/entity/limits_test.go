package entity

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// noted are the codes in a tree, with the class each has.
func noted(tree *Tree) map[string]Class {
	codes := map[string]Class{}
	for e := range tree.All() {
		for _, n := range e.Notes {
			codes[n.Code] = max(codes[n.Code], n.Class)
		}
	}
	return codes
}

// reread reads a message in every way, under limits.
func reread(msg string, l Limits) *Tree {
	p := NewParser(l)
	p.Write([]byte(msg))
	tree := p.Close()
	tree.Reread(strings.NewReader(msg))
	return tree
}

func TestLimits(t *testing.T) {
	const mixed = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n"
	doubt := "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo; boundary=bar\n\n--foo\n\nx\n--bar\n\ny\n"
	var guesses strings.Builder
	for i := range 100 {
		fmt.Fprintf(&guesses, "--guess%d\nContent-Type: text/plain\n\nx\n", i)
	}
	tests := []struct {
		code   string
		limits Limits
		msg    string
	}{
		{"parts-limit", Limits{Parts: 3}, mixed + strings.Repeat("--foo\n\nx\n", 10)},
		{"depth-limit", Limits{Depth: 2}, strings.Repeat("Content-Type: message/rfc822\n\n", 5)},
		{"header-limit", Limits{HeaderBytes: 100}, "X: " + strings.Repeat("x", 200) + "\n\n"},
		{"header-limit", Limits{HeaderTotal: 100}, mixed + strings.Repeat("--foo\nX: some words\n\n", 10)},
		{"field-limit", Limits{FieldBytes: 10}, "X: " + strings.Repeat("x", 200) + "\n\n"},
		{"fields-limit", Limits{Fields: 2}, "A: 1\nB: 2\nC: 3\n\n"},
		{"parameters-limit", Limits{Params: 2}, "Content-Type: a/b; a=1; b=2; c=3\n\n"},
		{"names-limit", Limits{Names: 2}, "Content-Type: a/b; name=1; name=2; name=3\n\n"},
		{"boundary-limit", Limits{BoundaryBytes: 10}, "Content-Type: multipart/mixed; boundary=0123456789abc\n\n--0123456789abc\n\nx\n"},
		{"boundaries-limit", Limits{Boundaries: 3}, "MIME-Version: 1.0\nContent-Type: multipart/mixed\n\n" + guesses.String()},
		{"readings-limit", Limits{Readings: 1}, "MIME-Version: 1.0\nContent-Type: multipart/mixed\n\n" + guesses.String()},
		{"carved-limit", Limits{Carved: 1}, "Subject: x\n\n" + strings.Repeat(strings.Repeat("words", 20)+"\n\n", 5)},
		{"wrapped-limit", Limits{Wrapped: 1}, "Subject: x\n\n" + strings.Repeat("begin 644 x\n#0V%T\n`\nend\n", 5)},
		{"reread-limit", Limits{RereadBytes: 10}, doubt},
	}
	for _, tt := range tests {
		if got := noted(reread(tt.msg, tt.limits)); got[tt.code] != Exceeded {
			t.Errorf("%s is not said, only %v", tt.code, got)
		}
		if got := noted(reread(tt.msg, Limits{})); got[tt.code] == Exceeded && tt.code != "boundaries-limit" {
			t.Errorf("%s is said with the shipped limits", tt.code)
		}
	}
}

// TestLimitsLoseNothing shows that what lies behind a limit on parts still
// belongs to something that is scanned.
func TestLimitsLoseNothing(t *testing.T) {
	msg := "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n" + strings.Repeat("--foo\n\nx\n", 10) + "the end\n"
	tree := reread(msg, Limits{Parts: 3})
	last := tree.Root.Loose[len(tree.Root.Loose)-1]
	if !strings.HasSuffix(msg[last.Start:last.End], "the end\n") || len(tree.Root.Carved) == 0 {
		t.Errorf("loose %q, carved %d", msg[last.Start:last.End], len(tree.Root.Carved))
	}
	if err := gaps([]byte(msg), tree.Root); err != nil {
		t.Error(err)
	}
}

// TestInnerSharesLimits shows that a message inside a message has no budget of
// its own.
func TestInnerSharesLimits(t *testing.T) {
	const mixed = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nx\n--foo\n\ny\n--foo--\n"
	tree := reread(mixed, Limits{Parts: 4})
	p := tree.Inner()
	p.Write([]byte(mixed))
	if got := noted(p.Close()); got["parts-limit"] != Exceeded {
		t.Errorf("the inner message says %v", got)
	}
}

func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Codes() {
		if seen[c.Code] || c.About == "" || strings.ToLower(c.Code) != c.Code {
			t.Errorf("code %q: %q", c.Code, c.About)
		}
		seen[c.Code] = true
	}
	for _, s := range sights {
		if classOf(s.code) != Ambiguous {
			t.Errorf("%s calls for other readings, but is never ambiguous", s.code)
		}
	}
}

// failing is content that cannot be read.
type failing struct{ t *testing.T }

func (f failing) ReadAt([]byte, int64) (int, error) {
	if f.t != nil {
		f.t.Error("ordinary mail was read again")
	}
	return 0, bytes.ErrTooLarge
}

func TestRereadLeavesOrdinaryMailAlone(t *testing.T) {
	for _, msg := range [][]byte{benchSmall, benchText[:1<<20], benchQP[:1<<20]} {
		p := NewParser(Limits{})
		p.Write(msg)
		p.Close().Reread(failing{t})
	}
}

func TestRereadSaysWhatItCouldNotRead(t *testing.T) {
	p := NewParser(Limits{})
	p.Write([]byte("Content-Type: multipart/mixed; boundary=foo; boundary=bar\n\n--foo\n\nx\n--bar\n\ny\n"))
	tree := p.Close()
	tree.Reread(failing{})
	if got := noted(tree); got["reread-limit"] != Exceeded || got["boundary-duplicate"] != Ambiguous {
		t.Errorf("said %v", got)
	}
}
