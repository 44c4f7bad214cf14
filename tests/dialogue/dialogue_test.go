package dialogue

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

const example = `
# common
CONFIG profile = "default"

# two recipients,
# one may have programs
CONFIG [[rule]]
CLIENT 192.0.2.1   HELO mx.example.net
FROM <x@example.net>   TO <a@example.com>   TO <boss@example.com>   MESSAGE hostile/A22/base64/part/ordinary
EXPECT deliver   DROP <a@example.com>   HEADER X-Milterscan: attachment/name   KEEP 1
THEN   FROM <>   TO <a@example.com>   MESSAGE words hello world   ABORT
THEN
FROM <>   TO <a@example.com>   MESSAGE words hello world   EXPECT deliver   UNTOUCHED
`

func TestParse(t *testing.T) {
	all, err := Parse("x.txt", example)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d dialogues, error %v", len(all), err)
	}
	d := all[0]
	if d.Title != "two recipients, one may have programs" || d.Where != "x.txt:5" || d.Client != "192.0.2.1" || d.Helo != "mx.example.net" {
		t.Errorf("%+v", d)
	}
	if !slices.Equal(d.Config, []string{`profile = "default"`, "[[rule]]"}) {
		t.Errorf("config %q", d.Config)
	}
	first, last := d.Messages[0], d.Messages[2]
	if first.From != "x@example.net" || len(first.To) != 2 || first.Want.Keep != 1 || first.Want.Headers[0] != "X-Milterscan: attachment/name" {
		t.Errorf("%+v", first)
	}
	if !d.Messages[1].Abort || last.Source != "words hello world" || !last.Want.Untouched || last.Want.Keep != -1 {
		t.Errorf("%+v", d.Messages[1:])
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"# x\nFROM <a@b>   TO <c@d>   EXPECT deliver", "no MESSAGE"},
		{"# x\nFROM <a@b>   MESSAGE words x   EXPECT deliver", "no TO"},
		{"# x\nTO <a@b>   MESSAGE words x", "no EXPECT"},
		{"TO <a@b>   MESSAGE words x   EXPECT deliver", "no title"},
		{"# x\nTO <a@b>   EXPECT bounce", "x.txt:2: EXPECT bounce"},
		{"# x\nGOTO 10", `x.txt:2: "GOTO" is no statement`},
		{"# x\nKEEP many", "x.txt:2"},
	} {
		if _, err := Parse("x.txt", c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	d := Dialogue{Messages: []Message{{Want: Want{Action: "reject", Reply: "550 5.7.1", Drop: []string{"a", "b"}, Headers: []string{"X-A: y"}, Rules: []string{"r"}, Keep: 1, Sender: "s", Untouched: true}}}}
	good := Answer{Action: "reject", Reply: "550 5.7.1 no", Drop: []string{"b", "a"}, Headers: []string{"x-a: xyz"}, Rules: []string{"r"}, Keep: 1, Sender: "s"}
	if got := d.Compare([]Answer{good}); len(got) != 0 {
		t.Errorf("differences %q", got)
	}
	bad := Answer{Action: "deliver", Add: []string{"c"}, Rules: []string{}, Changed: true}
	if got := d.Compare([]Answer{bad}); len(got) != 9 {
		t.Errorf("%d differences: %q", len(got), got)
	}
	if got := d.Compare(nil); len(got) != 1 {
		t.Errorf("differences %q", got)
	}
}

// TestCases loads the shipped dialogues and makes every mail they name.
func TestCases(t *testing.T) {
	all, err := Load(os.DirFS("../cases"))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no dialogues")
	}
	for _, d := range all {
		for _, m := range d.Messages {
			raw, err := Open(m.Source)
			if err != nil {
				t.Errorf("%s: %v", d.Where, err)
			} else if !bytes.Contains(raw, []byte("\n")) {
				t.Errorf("%s: MESSAGE %s is no mail", d.Where, m.Source)
			}
		}
	}
}
