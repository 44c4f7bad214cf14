package words

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// hits are what a matcher finds, as "word@place".
func hits(m *Matcher, list []string, text string) (all []string) {
	m.Find(text, func(word, from, to int) bool {
		if text[from:to] != list[word] {
			all = append(all, fmt.Sprintf("%d-%d is not %q", from, to, list[word]))
		}
		all = append(all, fmt.Sprintf("%s@%d", list[word], from))
		return true
	})
	slices.Sort(all)
	return all
}

// naive is the same, one word after the other.
func naive(list []string, text string) (all []string) {
	for _, w := range list {
		for i := 0; w != "" && i+len(w) <= len(text); i++ {
			if text[i:i+len(w)] == w {
				all = append(all, fmt.Sprintf("%s@%d", w, i))
			}
		}
	}
	slices.Sort(all)
	return all
}

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		list []string
		text string
	}{
		{[]string{"he", "she", "his", "hers"}, "ushers and his"},
		{[]string{"a", "aa", "aaa"}, "aaaa"},
		{[]string{"abcd", "bc"}, "abcd abc"},
		{[]string{"abcdx", "bcdy", "cdz"}, "abcdz"},
		{[]string{"x", "x", ""}, "axbx"},
		{[]string{"grün", "ün"}, "grün grun"},
		{[]string{"\x00\xff"}, "a\x00\xffb"},
		{nil, "text"},
		{[]string{"word"}, ""},
	} {
		if got, want := hits(New(tt.list), tt.list, tt.text), naive(tt.list, tt.text); !slices.Equal(got, want) {
			t.Errorf("%q in %q: %q, want %q", tt.list, tt.text, got, want)
		}
	}
}

func TestManyWords(t *testing.T) {
	list := dictionary(10_000, 12)
	m := New(list)
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for range 200 {
		w := list[r.IntN(len(list))]
		b.WriteString(w[:len(w)-r.IntN(2)])
		b.WriteString(w[r.IntN(len(w)):])
	}
	if got, want := hits(m, list, b.String()), naive(list, b.String()); !slices.Equal(got, want) || len(got) < 50 {
		t.Errorf("%d hits, want %d", len(got), len(want))
	}
}

func TestFindStops(t *testing.T) {
	n := 0
	New([]string{"a"}).Find("aaaa", func(int, int, int) bool { n++; return n < 2 })
	if n != 2 {
		t.Errorf("found %d", n)
	}
}

func TestWhole(t *testing.T) {
	for text, want := range map[string]bool{
		"[word]": true, "a [word], b": true, "sword[s]": false, "[word]s": false, "x[word]": false, "ü[word]": false, "[word]\u0301": false, "5[word]": false,
		"a[+]b": true, "_[word]_": true, "\xff[word]\xff": true,
	} {
		from, to := strings.Index(text, "["), strings.Index(text, "]")-1
		if got := Whole(strings.NewReplacer("[", "", "]", "").Replace(text), from, to); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("he she his hers", "ushers")
	f.Add("a aa aaa", "aaaa")
	f.Fuzz(func(t *testing.T, words, text string) {
		if len(words) > 200 || len(text) > 1000 {
			return
		}
		list := strings.Split(words, " ")
		if got, want := hits(New(list), list, text), naive(list, text); !slices.Equal(got, want) {
			t.Errorf("%q in %q: %q, want %q", list, text, got, want)
		}
	})
}

// dictionary is n words of letters as languages have them: some often.
func dictionary(n, longest int) []string {
	r := rand.New(rand.NewPCG(3, 4))
	list := make([]string, n)
	for i := range list {
		w := make([]byte, 4+r.IntN(longest-3))
		for j := range w {
			w[j] = "eeeeettttaaaooinnsshhrrdlcumwfgypbvkjxqz"[r.IntN(40)]
		}
		list[i] = string(w)
	}
	return list
}

func BenchmarkFind(b *testing.B) {
	text := strings.Join(dictionary(10<<20/9, 12), " ")[:10<<20]
	for _, n := range []int{10, 100, 1000, 10_000, 100_000} {
		m := New(dictionary(n, 14))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				m.Find(text, func(int, int, int) bool { return true })
			}
		})
	}
}
