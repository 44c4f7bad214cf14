package directory

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// csvSource returns a source that is a table with some text.
func csvSource(t *testing.T, text string) Source {
	t.Helper()
	s := Source{}
	s.SetDefaults()
	s.Name, s.Type, s.File = "staff", CSV, filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(s.File, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// loaded returns a directory that has loaded sources once, and fails the test if that was not possible.
func loaded(t *testing.T, list ...Source) *Directory {
	t.Helper()
	d := New(Options{})
	d.Use(list, "+")
	d.Load(t.Context())
	for _, s := range d.States() {
		if s.Err != nil {
			t.Fatalf("%s: %v", s.Source, s.Err)
		}
	}
	return d
}

// TestTables: what programs write as CSV can be read, and what cannot is said with its line.
func TestTables(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	for _, c := range []struct {
		about, text, separator string
		want                   string // "address name" of all rows
		problem                string // the error says, or a problem does
	}{
		{about: "plain", text: "address,name\nann@example.com,Ann\n", want: "ann@example.com Ann"},
		{about: "a mark of UTF-8 and CRLF", text: "\xEF\xBB\xBFaddress,name\r\nann@example.com,Ann\r\n\r\nbob@example.com,Bob", want: "ann@example.com Ann, bob@example.com Bob"},
		{about: "semicolons", text: "name;address\nAnn;ann@example.com\n", separator: ";", want: "ann@example.com Ann"},
		{about: "tabs", text: "name\taddress\nAnn\tann@example.com\n", separator: "\t", want: "ann@example.com Ann"},
		{about: "other letters in names of columns", text: " ADDRESS , Name\nANN@Example.COM,Ann\n", want: "ann@example.com Ann"},
		{about: "quotes", text: "address,name\n\"ann@example.com\",\"Ann \"\"A\"\", the\nfirst\"\n", want: `ann@example.com Ann "A", the first`},
		{about: "a short row, a long row and one of nothing", text: "address,name\nann@example.com\nbob@example.com,Bob,x,y\n,\n", want: "ann@example.com , bob@example.com Bob"},
		{about: "names of one letter", text: "address,name\na@b.c,A\n", want: "a@b.c A"},
		{about: "a domain of another script", text: "address,name\nann@Bücher.example,Ann\n", want: "ann@xn--bcher-kva.example Ann"},
		{about: "the same twice", text: "address,name\nann@example.com,Ann\nAnn@example.com,Ann\n", want: "ann@example.com Ann, ann@example.com Ann"},
		{about: "what is no address", text: "address,name\nann,Ann\n@,All\nbob@example.com,Bob\n\"a b@example.com\",B\n", want: "bob@example.com Bob", problem: "line 2: \"ann\" is no address"},
		{about: "all of a domain", text: "address\n@Example.com\n", want: "@example.com "},
		{about: "Latin-1", text: "address,name\nann@example.com,J\xFCrg\n", want: "ann@example.com J\uFFFDrg"},
		{about: "controls in names", text: "address,name\nann@example.com,\"A\x1b[31m\x00nn\"\n", want: "ann@example.com A[31mnn"},
		{about: "UTF-16", text: "\xFF\xFEa\x00d\x00", problem: "save it as CSV in UTF-8"},
		{about: "nothing", text: "", problem: "no first line"},
		{about: "no rows", text: "address,name\n", problem: "no people at all"},
		{about: "no column of addresses", text: "mail,name\nann@example.com,Ann\n", problem: `no column is called "address"`},
		{about: "two columns of a name", text: "address,name,Name\nann@example.com,A,B\n", problem: "two columns"},
		{about: "another separator", text: "address;name\nann@example.com;Ann\n", problem: "separator"},
		{about: "an open quote", text: "address,name\nann@example.com,\"Ann\nbob@example.com,Bob\n", problem: "record on line 2"},
		{about: "a cell of 10 MB", text: "address,name\nann@example.com,Ann\nbob@example.com," + long + "\n", problem: "more than 1MB"},
		{about: "a quoted cell of 10 MB", text: "address,name\nann@example.com,\"" + long + "\"\n", problem: "more than 1MB"},
		{about: "a header of 10 MB", text: "address," + long + "\nann@example.com,Ann\n", problem: "more than 1MB"},
		{about: "many aliases", text: "address,aliases\nann@example.com," + strings.Repeat("a@b.example ", mostOfValues+1) + "\n", problem: "10001 values"},
	} {
		t.Run(c.about, func(t *testing.T) {
			s := csvSource(t, c.text)
			if c.separator != "" {
				s.Separator = c.separator
			}
			one := &source{Source: s, from: s.open()}
			collected, rows, err := one.fetch(t.Context())
			var got []string
			for _, r := range rows {
				got = append(got, r.Address+" "+r.Name)
			}
			said := strings.Join(collected.problems, "\n")
			if err != nil {
				said = err.Error()
			}
			if strings.Join(got, ", ") != c.want || !strings.Contains(said, c.problem) || (said == "") != (c.problem == "") {
				t.Errorf("got %q and %q, want %q and %q", got, said, c.want, c.problem)
			}
		})
	}
}

// TestValuesOfATable: one cell, or several columns, hold several values.
func TestValuesOfATable(t *testing.T) {
	s := csvSource(t, "E-Mail,Full Name,Alias 1,Alias 2,Groups,Language,Delegates\n"+
		"ann@example.com,Ann,\"a@example.com; b@example.com\",c@example.com|d@example.com,Board; Domain  Users|IT,de-AT,\"bob@example.com, cy@example.com\"\n")
	s.Fields = map[string][]string{"address": {"e-mail"}, "name": {"Full name"}, "aliases": {"Alias 1", "Alias 2"}}
	p, ok := loaded(t, s).Who("B@EXAMPLE.COM.")
	if !ok || strings.Join(p.Addresses, " ") != "ann@example.com a@example.com b@example.com c@example.com d@example.com" ||
		strings.Join(p.Groups, ",") != "board,domain users,it" || p.Language != "de" || strings.Join(p.Delegates, " ") != "bob@example.com cy@example.com" {
		t.Errorf("got %+v", p)
	}
	s.Fields["groups"] = []string{"Teams"}
	if _, _, err := (&source{Source: s, from: s.open()}).fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "fields.groups") {
		t.Errorf("a column that is not there: %v", err)
	}
}

// TestTableThatIsNoFile: what cannot be read is said, and nobody waits for it.
func TestTableThatIsNoFile(t *testing.T) {
	s := csvSource(t, "address\na@b.example\n")
	for _, file := range []string{s.File + ".other", t.TempDir(), "/dev/zero"} {
		s.File = file
		if _, _, err := (&source{Source: s, from: s.open()}).fetch(t.Context()); err == nil {
			t.Errorf("%s can be read", file)
		}
	}
}

// TestTableThatChanges: a table counts when it is the same at two looks.
func TestTableThatChanges(t *testing.T) {
	s := csvSource(t, "address\nann@example.com\n")
	w := watcher{of: table{s}}
	if w.seen() || !w.seen() {
		t.Error("a table that nobody has loaded is to be loaded at the second look")
	}
	w.loading()
	for range 3 {
		if w.seen() {
			t.Error("a table that was loaded is to be loaded again")
		}
	}
	write := func(text string) {
		if err := os.WriteFile(s.File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("address\nann@example.com\nbob@")
	if w.seen() {
		t.Error("it may be in the middle of being written")
	}
	write("address\nann@example.com\nbob@example.com\n")
	if w.seen() || !w.seen() {
		t.Error("it is to be loaded when it is the same at two looks")
	}
	os.Remove(s.File)
	for range 3 {
		if w.seen() {
			t.Error("a table that is gone is not to be loaded")
		}
	}
}

// FuzzTable: no text makes reading of a table panic, take long, or say what is no address.
func FuzzTable(f *testing.F) {
	for _, s := range []string{"address,name\nann@example.com,Ann\n", "\xEF\xBB\xBFaddress;aliases\r\n\"a@b.c\";\"x@y.z|q@r.s\"\r\n", "address\n\"", "@@,\n", "address,address\n"} {
		f.Add(s, ",")
	}
	f.Fuzz(func(t *testing.T, text, separator string) {
		s := Source{Name: "staff", Type: CSV, File: "/people.csv", Separator: separator}
		if s.checkCSV() != nil {
			return
		}
		var c collection
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if (table{s}).rows(ctx, strings.NewReader(text), c.collect) != nil {
			return
		}
		rows, err := c.done()
		for _, r := range rows {
			if again, wrong := foldAny(r.Address); wrong != nil || again != r.Address {
				t.Errorf("%q is folded as %q, %v", r.Address, again, wrong)
			}
		}
		if err == nil {
			d := New(Options{})
			d.sources = []*source{{Source: s, rows: rows}}
			d.assemble()
			for _, r := range rows {
				if known, _ := d.Known(strings.TrimPrefix("x"+r.Address, "x")); !known && r.Address[0] != '@' {
					t.Errorf("%q is not known", r.Address)
				}
			}
		}
	})
}
