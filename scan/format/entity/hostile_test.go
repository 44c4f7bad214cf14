package entity

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
)

// marker is the payload that every hostile mail hides.
const marker = `X5O!P%@AP[4\PZX54(P^)7CC)7}$MARKER-HARMLESS-TEST-FILE!$H+H*`

// wrap is how the payload is encoded.
type wrap struct {
	cte  string // Content-Transfer-Encoding
	body string
}

var (
	inBase64 = wrap{"base64", foldAt(base64.StdEncoding.EncodeToString([]byte(marker+"\n"+strings.Repeat("x", 40))), 60)}
	inQP     = wrap{"quoted-printable", qpAll(marker)}
)

// qpAll escapes every byte that is no letter, so that the payload cannot be
// seen undecoded.
func qpAll(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if i%20 == 19 {
			b.WriteString("=\n")
		}
		fmt.Fprintf(&b, "=%02X", s[i])
	}
	return b.String() + "\n"
}

func foldAt(s string, n int) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(s[:n] + "\n")
		s = s[n:]
	}
	return b.String() + s + "\n"
}

// shown is every leaf that a scanner gets to see, decoded.
type shown struct {
	path string
	data []byte
	also bool // not in the first reading
	dug  bool // carved out
}

// open does what unpacking does: every leaf of every reading is decoded in
// every way, composites that were encoded are parsed, decoded text is carved.
func open(t testing.TB, msg []byte, tree *Tree, path string, depth int) (out []shown, notes []Deviation) {
	t.Helper()
	c := bytes.NewReader(msg)
	tree.Reread(c)
	for e := range tree.All() {
		notes = append(notes, e.Notes...)
		if e.Composite() {
			continue
		}
		encs := []Encoding{e.Encoding}
		for i := 0; i < len(encs); i++ {
			var b bytes.Buffer
			met, err := Decode(&b, io.NewSectionReader(c, e.Body.Start, e.Body.Len()), encs[i])
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(e.Reading, "carved") {
				notes = append(notes, met...)
			}
			if i == 0 {
				encs = append(encs, Variants(e.Encoding, met)...)
			}
			here := shown{path + "/" + e.Path(), b.Bytes(), e.Reading != "" || i > 0, strings.HasPrefix(e.Reading, "carved")}
			out = append(out, here)
			if depth > 3 {
				continue
			}
			if encs[i] != Identity && (isMessage(e.Type) || isMultipart(e.Type)) {
				p := tree.InnerBody(e)
				p.Write(b.Bytes())
				inner, more := open(t, b.Bytes(), p.Close(), here.path, depth+1)
				for k := range inner {
					inner[k].also = inner[k].also || here.also
					inner[k].dug = inner[k].dug || here.dug
				}
				out, notes = append(out, inner...), append(notes, more...)
			} else if encs[i] != Identity {
				for _, f := range tree.Carve(bytes.NewReader(b.Bytes()), int64(b.Len())) {
					var in bytes.Buffer
					Decode(&in, io.NewSectionReader(bytes.NewReader(b.Bytes()), f.Body.Start, f.Body.Len()), f.Encoding)
					out = append(out, shown{here.path + "/" + f.Path(), in.Bytes(), true, true})
				}
			}
		}
	}
	return out, notes
}

// result sums up what became of a hostile mail.
type result struct {
	first, other, dug bool // the payload was found in the first or another reading, or carved out
	worst             Class
	noted             []string
}

func judge(t testing.TB, msg string) result {
	t.Helper()
	p := NewParser(Limits{})
	p.Write([]byte(msg))
	leaves, notes := open(t, []byte(msg), p.Close(), "", 0)
	var r result
	r.worst = -1
	for _, l := range leaves {
		if bytes.Contains(l.data, []byte(marker)) {
			r.first = r.first || !l.also
			r.other = r.other || l.also && !l.dug
			r.dug = r.dug || l.dug
		}
	}
	for _, n := range notes {
		r.worst = max(r.worst, n.Class)
		r.noted = append(r.noted, fmt.Sprintf("%s(%d)", n.Code, n.Class))
	}
	return r
}
