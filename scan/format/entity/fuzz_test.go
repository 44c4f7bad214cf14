package entity

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// seed adds the hostile families and the corpus of ordinary mail.
func seed(f *testing.F) {
	for _, family := range families {
		for _, mail := range family.mails {
			f.Add([]byte(fill(f, mail, inBase64)))
		}
	}
	files, _ := filepath.Glob("../../../tests/corpus/*.eml")
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil && len(b) < 4096 {
			f.Add(b)
		}
	}
}

// FuzzParser checks that every byte of any input belongs to a header, a leaf, a
// delimiter or the text outside, that chunks do not matter, and that other
// readings keep within the message and the limits.
func FuzzParser(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, msg []byte) {
		checkChunks(t, string(msg), spoken[len(msg)%len(spoken)])
		p := NewParser(Limits{})
		p.Write(msg)
		tree := p.Close()
		checkCover(t, msg, tree)
		tree.Reread(bytes.NewReader(msg))
		checkReadings(t, msg, tree)
	})
}

// checkCover checks the first reading.
func checkCover(t *testing.T, msg []byte, tree *Tree) {
	t.Helper()
	if r := tree.Root; r.Head.Start != 0 || r.Body.End != int64(len(msg)) || tree.Size != r.Body.End {
		t.Fatalf("the root covers %v %v of %d bytes of %.2000q", r.Head, r.Body, len(msg), msg)
	}
	for e := range tree.All() {
		if err := gaps(msg, e); err != nil {
			t.Fatalf("entity %q of %.2000q: %v", e.Path(), msg, err)
		}
	}
}

// gaps checks that nothing but delimiters stands between the pieces of e.
func gaps(msg []byte, e *Entity) error {
	if e.Head.End != e.Body.Start || e.Head.Start > e.Head.End || e.Body.Start > e.Body.End {
		return fmt.Errorf("head %v, body %v", e.Head, e.Body)
	}
	if !e.Composite() {
		if len(e.Children)+len(e.Loose) > 0 {
			return fmt.Errorf("a leaf with children")
		}
		return nil
	}
	pieces := slices.Clone(e.Loose)
	for _, c := range e.Children {
		pieces = append(pieces, Span{c.Head.Start, c.Body.End})
	}
	slices.SortStableFunc(pieces, func(a, b Span) int {
		if a.Start != b.Start {
			return int(a.Start - b.Start)
		}
		return int(a.End - b.End)
	})
	at := e.Body.Start
	for _, p := range append(pieces, Span{e.Body.End, e.Body.End}) {
		if p.Start < at || p.End > e.Body.End {
			return fmt.Errorf("pieces %v overlap at %d", pieces, at)
		}
		if gap := msg[at:p.Start]; len(gap) > 0 && !isGap(string(gap), e.Boundary) {
			return fmt.Errorf("lost %q", gap)
		}
		at = p.End
	}
	return nil
}

// isGap reports whether a text is a delimiter line, with the line end before.
func isGap(s, boundary string) bool {
	if strings.Trim(s, " \t\r\n") == "" {
		return true // behind what stands on a delimiter's line
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "\r"), "\n")
	rest, ok := strings.CutPrefix(s, "--"+boundary)
	rest = strings.TrimRight(strings.TrimPrefix(rest, "--"), " \t\r\n")
	return ok && rest == "" || ok && len(boundary) == DefaultLimits().BoundaryBytes
}

// checkReadings checks all readings.
func checkReadings(t *testing.T, msg []byte, tree *Tree) {
	t.Helper()
	limits := DefaultLimits()
	paths := map[string]bool{}
	n := 0
	for e, parent := range tree.All() {
		if n++; n > limits.Parts+limits.Carved {
			t.Fatalf("more than %d entities in %.2000q", n, msg)
		}
		for _, s := range append([]Span{e.Head, e.Body}, e.Loose...) {
			if s.Start < 0 || s.Start > s.End || s.End > int64(len(msg)) {
				t.Fatalf("%s: span %v in %.2000q", e.Path(), s, msg)
			}
		}
		whole := parent == nil || isMessage(parent.Type) || e.Number == ""
		if !(e.Composite() && whole) && paths[e.Path()] {
			t.Fatalf("two entities %q in %.2000q\n%s", e.Path(), msg, outlineAll(tree))
		}
		paths[e.Path()] = true
		if len(e.Notes) > limits.Notes+len(limitCodes) || len(e.Also) > 2*limits.Readings || len(e.Names) > limits.Names {
			t.Fatalf("%s: %d notes, %d readings, %d names", e.Path(), len(e.Notes), len(e.Also), len(e.Names))
		}
	}
}

func outlineAll(tree *Tree) string {
	var b strings.Builder
	for e, parent := range tree.All() {
		in := "-"
		if parent != nil {
			in = parent.Path()
		}
		fmt.Fprintf(&b, "%q in %q %s %s %v composite %v\n", e.Path(), in, e.Type, e.Encoding, e.Body, e.Composite())
	}
	return b.String()
}

// FuzzParams checks that parameters keep within their limit and lose no value
// that stands plainly in the text.
func FuzzParams(f *testing.F) {
	for _, s := range []string{`multipart/mixed; boundary="foo"`, `a/b; name=x y; filename*0*=utf-8''a; filename*1=b`, `a/b; x="y;z="w" (c(d)) ; boundary=(e)f`, `; = ;;"(`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		const most = 20
		v := parseValue(s, most)
		if len(v.Params) > most {
			t.Fatalf("%d parameters", len(v.Params))
		}
		boundaryForms(s, v.Params)
		decodeNames([][]Param{v.Params}, nil)
		mediaTypes(v.Head)
		encodings(s)
		if strings.ContainsAny(s, "\x00\r\n\"(\\") || len(v.Params) == most {
			return
		}
		appended := s + "; boundary=plain"
		if b := boundaryForms(appended, parseValue(appended, most+1).Params); len(b) < mostForms && !slices.Contains(b, "plain") {
			t.Fatalf("%q: boundary lost, only %q", appended, b)
		}
	})
}

// FuzzCarve checks that carving keeps within the text.
func FuzzCarve(f *testing.F) {
	seed(f)
	f.Add([]byte("begin 644 x\n#0V%T\n`\nend\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, e := range Carve(bytes.NewReader(text), int64(len(text)), Limits{}) {
			if e.Body.Start < 0 || e.Body.Start > e.Body.End || e.Body.End > int64(len(text)) || !strings.HasPrefix(e.Reading, "carved") {
				t.Fatalf("%q %v", e.Path(), e.Body)
			}
		}
	})
}
