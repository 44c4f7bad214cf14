package skeleton

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLooks(t *testing.T) {
	for _, row := range []struct {
		a, b string
		same bool
	}{
		{"paypal", "раураl", true}, // Cyrillic but for the last letter
		{"example", "exarnple", true},
		{"google", "g00gle", true},
		{"apple", "αpple", true},
		{"bank", "ＢＡＮＫ", true},
		{"bank", "𝐛𝐚𝐧𝐤", true},
		{"bank", "b\u200bank", true},
		{"müller", "muller", true},
		{"example", "exampie", false},
		{"bank", "tank", false},
		{"北京", "北亰", false},
	} {
		if same := Of(row.a) == Of(row.b); same != row.same {
			t.Errorf("%q looks as %q, %q as %q", row.a, Of(row.a), row.b, Of(row.b))
		}
	}
}

// TestTable is what Unicode says of some characters, and that what others look like looks like
// nothing else.
func TestTable(t *testing.T) {
	c := confusables()
	if len(c.from) < 5000 || !slices.IsSorted(c.from) {
		t.Fatalf("%d characters look like others", len(c.from))
	}
	for from, want := range map[rune]string{'а': "a", 'Ꭺ': "A", '0': "O", 'I': "l", 'm': "rn", '⁄': "/", '𝟎': "O"} {
		if as, _ := c.of(from); as != want {
			t.Errorf("%q looks like %q, want %q", from, as, want)
		}
	}
	for i, from := range c.from {
		if as := c.to[i]; len(as) == len([]rune(as)) && look(as) != as {
			t.Errorf("%q looks like %q, which looks like %q", from, c.to[i], look(c.to[i]))
		}
	}
}

func TestNames(t *testing.T) {
	for _, row := range []struct {
		ours, theirs string
		same         bool
	}{
		{"Jane Doe", "Jane Doe", true},
		{"Jane Doe", "JANE DOE", true},
		{"Jane Doe", "Doe, Jane", true},
		{"Jane Doe", "Jane\u00a0Doe", true},
		{"Jane Doe", "Jane\u3164Doe", true},
		{"Jane Doe", "Ja\u200bne D\u00adoe", true},
		{"Jane Doe", "'Jane.Doe'", true},
		{"Jane Doe", "Dr. Jane M. Doe", true},
		{"Jane Doe", "Jane Doe, CEO", true},
		{"Dr. Jane Doe", "Jane Doe", true},
		{"Jane Doe", "Jаnе Dое", true}, // Cyrillic vowels
		{"Jane Doe", "J@ne Doe", false},
		{"Jane Doe", "Jane D0e", true},
		{"Alice Smith", "AIice Smith", true}, // a capital I
		{"Ian Miller", "lan Miller", true},
		{"Mary Smith", "MARY SMITH", true},
		{"Emma Thomm", "Ernrna Thomm", true},
		{"Jörg Müller", "Joerg Mueller", true},
		{"Jörg Müller", "Jorg Muller", true},
		{"Jörg Müller", "Jo\u0308rg Mu\u0308ller", true},
		{"Joerg Mueller", "Jörg Müller", true},
		{"Søren Kjær", "Soren Kjaer", true},
		{"Conor O'Brien", "Conor O’Brien", true},
		{"Jean-Luc Picard", "Jean Luc Picard", true},
		{"田中太郎", "田中太郎", true},
		{"Иван Петров", "Петров Иван", true},
		{"Jane Doe", "Jane Dow", false},
		{"Jane Doe", "Jane Doe via Docs", false},
		{"Jane Doe", "Jane Doe (Example Ltd)", false},
		{"Jane Doe", "Jane", false},
		{"Ella Braun", "Elia Braun", false},
		{"Jane", "Jane", false},
		{"A B", "A B", false},
		{"a", "a", false},
		{"", "", false},
		{"王伟", "王伟", false},
		{"Dr. Prof. Mr.", "Dr. Prof. Mr.", false},
		{"!!! ???", "!!! ???", false},
	} {
		ours := Names(row.ours)
		same := slices.ContainsFunc(Names(row.theirs), func(f string) bool { return slices.Contains(ours, f) })
		if same != row.same {
			t.Errorf("%q is found as %q, %q as %q", row.ours, ours, row.theirs, Names(row.theirs))
		}
	}
}

func TestLongNames(t *testing.T) {
	if forms := Names(strings.Repeat("Jane Doe ", 10_000)); forms != nil {
		t.Errorf("%d forms of a name of 90 KB", len(forms))
	}
}

// FuzzNames: every form is found by itself, and holds no more than the name can.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"Jane Doe", "Jörg Müller", "\xff\xfe a b", "ﷺ ﷺ", "a\u0308\u0308 ıI", "田中太郎"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		forms := Names(s)
		if len(forms) > 4 {
			t.Fatalf("%d forms", len(forms))
		}
		for _, form := range forms {
			if form == "" || utf8.ValidString(s) && !utf8.ValidString(form) {
				t.Errorf("%q is found as %q", s, form)
			}
		}
	})
}

func BenchmarkNames(b *testing.B) {
	for b.Loop() {
		Names("Dr. Jane Doe-Robinson")
	}
}
