package listfile

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/milterscan/milterscan/policy/people"
)

// FuzzRead: what is read of any file can be written in both forms and read again, and is the same
// then; what cannot be read is an error of a line that the file has.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"joe@example.com # a friend\n\n.example.net\n[2001:db8::1]\n", "pattern,act,expires\njoe@example.com,block,2030-01-01\n", "owner,pattern\n\"a\n",
		"[{\"pattern\":\"joe@example.com\",\"act\":\"allow\",\"note\":\"n\"}]", "{\"pattern\":\"*@x.test\"} {\"pattern\":1}", "\ufeffpattern,\n", "{",
	} {
		f.Add([]byte(text))
	}
	defaults := people.Entry{Owner: "max@example.com", Act: people.Block, Note: "imported"}
	f.Fuzz(func(t *testing.T, text []byte) {
		var all []people.Entry
		lines := bytes.Count(text, []byte("\n")) + 1
		for e, err := range Read("list", text, defaults) {
			if err == nil {
				all = append(all, e)
				continue
			}
			var at *Error
			if !errors.As(err, &at) || at.Line < 1 || at.Line > lines {
				t.Errorf("%v, of a file of %d lines", err, lines)
			}
		}
		for name, form := range map[string]func(io.Writer) Writer{"CSV": NewCSV, "JSON": NewJSON} {
			wantSame(t, name, all, form)
		}
	})
}

// wantSame writes entries and reads them again.
func wantSame(t *testing.T, name string, all []people.Entry, form func(io.Writer) Writer) {
	t.Helper()
	var file bytes.Buffer
	w := form(&file)
	for _, e := range all {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for e, err := range Read(name, file.Bytes(), people.Entry{}) {
		if err != nil || n >= len(all) || e.Owner != all[n].Owner || e.Pattern != all[n].Pattern || e.Act != all[n].Act {
			t.Fatalf("%s: entry %d is %+v, %v\n%s", name, n, e, err, file.Bytes())
		}
		n++
	}
	if n != len(all) {
		t.Errorf("%s: %d of %d entries\n%s", name, n, len(all), file.Bytes())
	}
}
