package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/units"
)

// eicar is the EICAR test file in two pieces, so that this file is none.
var eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD` + `-ANTIVIRUS-TEST-FILE!$H+H*`

var testLimits = Limits{Expanded: 64 * units.MB, Member: 32 * units.MB, Ratio: 200, Entries: 1000, Depth: 8}

// seen is one call of Visit.
type seen struct {
	Member
	body string
	none bool // the body was nil
}

func (s seen) name() string {
	if len(s.Names) == 0 {
		return ""
	}
	return s.Names[0]
}

// walked is what a walk brought to light.
type walked struct {
	members []seen
	notes   []Note
	err     error
}

func walkBytes(t testing.TB, f Format, data []byte, b *Budget) walked {
	t.Helper()
	var out walked
	out.notes, out.err = f.Walk(context.Background(), bytes.NewReader(data), b, func(m Member, body io.Reader) error {
		s := seen{Member: m, none: body == nil}
		if body != nil {
			text, _ := io.ReadAll(body)
			s.body = string(text)
		}
		out.members = append(out.members, s)
		return nil
	})
	return out
}

// open detects and walks data with a full budget.
func open(t testing.TB, name string, data []byte, passwords ...string) walked {
	t.Helper()
	f := NewDetector(Formats()).Detect(bytes.NewReader(data), []string{name})
	if f == nil {
		t.Fatalf("%s: not recognised", name)
	}
	b := NewBudget(testLimits)
	b.Passwords = passwords
	return walkBytes(t, f, data, b)
}

func (w walked) codes() string {
	var codes []string
	for _, n := range w.notes {
		codes = append(codes, n.Code)
	}
	slices.Sort(codes)
	return strings.Join(slices.Compact(codes), " ")
}

func (w walked) names() string {
	var names []string
	for _, m := range w.members {
		names = append(names, strings.Join(m.Names, "|"))
	}
	return strings.Join(names, " ")
}

// has reports whether a member of that name, among all its names, holds text.
func (w walked) has(name, text string) bool {
	return slices.ContainsFunc(w.members, func(m seen) bool {
		return slices.Contains(m.Names, name) && strings.Contains(m.body, text)
	})
}

// zeros yields n zero bytes.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestCodesAreSortedAndComplete(t *testing.T) {
	if !slices.IsSortedFunc(Codes(), func(a, b Code) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("the codes are not in order, so classOf cannot find them")
	}
	for _, c := range Codes() {
		if classOf(c.Code) != c.Class || c.About == "" || c.Example == "" {
			t.Errorf("%+v", c)
		}
	}
}

func TestWalkEndsForVisitAndContext(t *testing.T) {
	data := makeZip(t, file{name: "a", text: "one"}, file{name: "b", text: "two"})
	stop := errors.New("enough")
	calls := 0
	_, err := zipFormat{}.Walk(context.Background(), bytes.NewReader(data), NewBudget(testLimits), func(Member, io.Reader) error {
		calls++
		return stop
	})
	if err != stop || calls != 1 {
		t.Errorf("visit's error: got %v after %d calls", err, calls)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, f := range Formats() {
		if _, err := f.Walk(ctx, bytes.NewReader(data), NewBudget(testLimits), func(Member, io.Reader) error { return nil }); err != nil && err != context.Canceled {
			t.Errorf("%s: ctx done: %v", f.Name(), err)
		}
	}
}

func TestVisitMayReturnTheBodysError(t *testing.T) {
	data := makeZip(t, file{name: "broken", text: strings.Repeat("text ", 100), deflate: true}, file{name: "b", text: "two"})
	i := bytes.Index(data, []byte("broken")) + 6
	copy(data[i:], "\xff\xff\xff\xff")
	var names []string
	notes, err := zipFormat{}.Walk(context.Background(), bytes.NewReader(data), NewBudget(testLimits), func(m Member, body io.Reader) error {
		names = append(names, m.Names[0])
		_, err := io.Copy(io.Discard, body)
		return err
	})
	if err != nil || strings.Join(names, " ") != "broken b" || len(notes) == 0 {
		t.Errorf("got %v, %v, %v", names, notes, err)
	}
}

func TestNamesAreKeptAndNoted(t *testing.T) {
	long := strings.Repeat("a", 5000) + ".exe"
	for name, code := range map[string]string{
		"../../etc/x": pathEscape, `..\x`: pathEscape, "a/../../b": pathEscape, "/etc/passwd": absoluteName,
		`C:\x.exe`: absoluteName, `\\host\x`: absoluteName, "a.exe\x00.txt": nulInName, long: longName, "a..b/c": "",
	} {
		got := open(t, "x.zip", makeZip(t, file{name: name, text: "x"}))
		if len(got.members) != 1 || got.codes() != code {
			t.Errorf("%.20q: %d members, notes %q", name, len(got.members), got.codes())
		}
		if code != longName && got.names() != name || !strings.HasSuffix(got.names(), name[len(name)-2:]) {
			t.Errorf("%.20q became %.20q", name, got.names())
		}
	}
}

func TestDetect(t *testing.T) {
	zip := makeZip(t, file{name: "a", text: "one"})
	for name, want := range map[string]struct {
		data   []byte
		format string
	}{
		"plain":             {[]byte("hello"), ""},
		"empty":             {nil, ""},
		"zip":               {zip, "zip"},
		"program":           {append([]byte("MZ and more"), zip...), "zip"},
		"picture with zip":  {append([]byte("GIF89a and more"), zip...), "zip"},
		"zip named txt.txt": {zip, "zip"},
		"text.zip":          {[]byte("no mark at all"), "zip"},
	} {
		got := ""
		if f := NewDetector(Formats()).Detect(bytes.NewReader(want.data), []string{name}); f != nil {
			got = f.Name()
		}
		if got != want.format {
			t.Errorf("%s: %q, want %q", name, got, want.format)
		}
	}
}
