package edit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// marked makes the changes to subjects and returns those that are left.
func marked(header, mark string) (out string, n int) {
	p := entity.NewParser(entity.DefaultLimits())
	fmt.Fprint(p, header+"\r\nbody\r\n")
	h := p.Close().Root.Header
	subjects := h.Values("Subject")
	for _, c := range Subject(h, mark) {
		switch c.Op {
		case policy.Change:
			subjects[c.Index-1] = " " + c.Value
		case policy.Delete:
			subjects[c.Index-1] = ""
		case policy.InsertTop:
			subjects = append(subjects, " "+c.Value)
		}
	}
	for _, s := range subjects {
		if s != "" {
			out += "Subject:" + s + "\r\n"
			n++
		}
	}
	return out, n
}

// TestSubjects is A 45: one correct mark, whatever the subject looks like, also
// when two hosts put it there.
func TestSubjects(t *testing.T) {
	for name, row := range map[string]struct{ header, shown string }{
		"plain":             {"Subject: hello\r\n", "hello"},
		"absent":            {"From: a@example.net\r\n", ""},
		"empty":             {"Subject:\r\n", ""},
		"folded":            {"Subject: hello\r\n world\r\n", "hello world"},
		"encoded":           {"Subject: =?utf-8?q?hell=C3=B6?=\r\n", "hellö"},
		"encoded, folded":   {"Subject: =?utf-8?B?aGVsbMO2?=\r\n =?utf-8?B?aGVsbMO2?=\r\n", "hellöhellö"},
		"folded at once":    {"Subject:\r\n =?utf-8?q?hell=C3=B6?=\r\n", "hellö"},
		"UTF-16":            {"Subject: =?utf-16?B?AGgAZQBsAGwA9g==?=\r\n", "hellö"},
		"raw 8-bit":         {"Subject: hell\xf6\r\n", "hellö"},
		"raw UTF-8":         {"Subject: hellö\r\n", "hellö"},
		"two":               {"Subject: hello\r\nSubject: other\r\n", "hello"},
		"long":              {"Subject: " + strings.Repeat("x", 70) + "\r\n", strings.Repeat("x", 70)},
		"marked":            {"Subject: {Mark} hello\r\n", "hello"},
		"marked in a reply": {"Subject: Re: {Mark} hello\r\n", ""},
	} {
		for _, mark := range []string{"{Mark}", "{Märk – ひ}"} {
			if mark != "{Mark}" && strings.HasPrefix(name, "marked") {
				continue
			}
			out, n := marked(row.header, mark)
			_, value, _ := strings.Cut(strings.TrimRight(out, "\r\n"), ":")
			shown := strings.TrimSpace(entity.DecodeWords(value))
			want := strings.TrimSpace(mark + " " + row.shown)
			if name == "marked in a reply" {
				want = "Re: {Mark} hello"
			}
			if n != 1 || shown != want {
				t.Errorf("%s: %d subjects, the first %q, which shows as %q, want %q", name, n, out, shown, want)
			}
			for line := range strings.Lines(out) {
				if len(line) > 80 && name != "long" {
					t.Errorf("%s: long line %q", name, line)
				}
			}
			if again, _ := marked(out, mark); again != out {
				t.Errorf("%s: a second host makes %q of it", name, again)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"setup.exe":           "setup.exe.renamed",
		"setup.exe.renamed":   "setup.exe.renamed",
		"../../etc/x\x00.exe": "_.._etc_x.exe.renamed",
		"ann\u202efdp.exe":    "annfdp.exe.renamed",
		"a" + strings.Repeat("\u3000", 20) + ".exe": "a .exe.renamed",
		"x.exe. . ":              "x.exe.renamed",
		"":                       "file.renamed",
		"...":                    "file.renamed",
		"a:b*c?\"<>|{%}.exe":     "a_b_c________.exe.renamed",
		strings.Repeat("ü", 300): strings.Repeat("ü", 100) + ".renamed",
	} {
		if got := harmless(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
		if again := harmless(harmless(name)); again != harmless(name) {
			t.Errorf("%q becomes %q the second time", name, again)
		}
	}
}

// TestRename looks at what clients make of the fields.
func TestRename(t *testing.T) {
	b := newBench(t)
	for _, fields := range []string{
		"Content-Type: application/x-msdownload; name=\"a.exe\"\nContent-Disposition: attachment; filename=\"b.exe\"; size=3\n",
		"Content-Type: application/x-msdownload; name=a.exe\n",
		"Content-Disposition: inline; filename*0*=UTF-8''Gr%C3%BC; filename*1*=%C3%9Fe.exe\n",
		"Content-Type: text/plain; charset=koi8-r; name=\"=?utf-8?B?" + "R3LDvMOfZS5leGU=" + "?=\"\n",
		"Content-Type: application/octet-stream; name=a b c.exe; name=d.exe\nContent-Disposition: attachment; filename=x.txt; filename=y.exe\n",
		"Content-Disposition: attachment; filename=\"" + strings.Repeat("Grüße ", 30) + ".exe\"\n",
	} {
		m := b.open(mail(plainPart, fields+"\nMZ\n"))
		e := m.Parts[1].Entity
		after := b.open(b.must(b.job(m, policy.Rename, infected(1))))
		p := after.Parts[1]
		if len(p.Names) != 1 || p.Name() != harmless(e.Names[0]) || p.Type != e.Type || p.Entity.Charset != e.Charset {
			t.Errorf("%s: %q, %s in %q", fields, p.Names, p.Type, p.Entity.Charset)
		}
		for _, n := range p.Entity.Notes {
			t.Errorf("%s: %s", fields, n.Code)
		}
	}
}
