package directory

import (
	"fmt"
	"slices"
	"testing"

	"github.com/milterscan/milterscan/policy"
)

// listed returns the main addresses of a walk, page by page, and how many pages there were.
func listed(t *testing.T, d *Directory, w Walk) (all []string, pages int) {
	t.Helper()
	for {
		list, next := d.List(w)
		if len(list) > w.Limit {
			t.Fatalf("%d people on a page of %d", len(list), w.Limit)
		}
		for _, p := range list {
			all = append(all, p.ID)
		}
		if pages++; next == "" || pages > 1000 {
			return all, pages
		}
		w.After = next
	}
}

// TestList: people come by domain and address, each once, whatever the size of the pages; those of a domain, and of
// domains below one, are found by that alone.
func TestList(t *testing.T) {
	rows := []Row{{Address: "zoe@example.com", Name: "Zoe Smith", Aliases: []string{"boss@example.org"}, Groups: []string{"board"}}, {Address: "@lists.example.com"}}
	for _, a := range []string{"ann@example.com", "ann@example.org", "ann@a.example.com", "ann@b.a.example.com", "ann@example-x.com", "ann@notexample.com"} {
		rows = append(rows, Row{Address: a, Name: "Ann"})
	}
	d := known(rows)
	every := "[ann@example.com zoe@example.com ann@a.example.com ann@b.a.example.com ann@example-x.com ann@notexample.com ann@example.org]"
	for _, c := range []struct {
		domains []policy.Domain
		like    string
		want    string
	}{
		{nil, "", every},
		{[]policy.Domain{}, "", "[]"},
		{[]policy.Domain{"example.com"}, "", "[ann@example.com zoe@example.com]"},
		{[]policy.Domain{".example.com"}, "", "[ann@a.example.com ann@b.a.example.com]"},
		{[]policy.Domain{".a.example.com", "example.org", ".example.com", "example.org"}, "", "[ann@a.example.com ann@b.a.example.com ann@example.org]"},
		{[]policy.Domain{"com", ".org"}, "", "[ann@example.org]"},
		{[]policy.Domain{"nobody.example"}, "", "[]"},
		{nil, "smith", "[zoe@example.com]"},
		{nil, "BOARD", "[zoe@example.com]"},
		{nil, "boss@", "[zoe@example.com]"},
		{nil, "Boss@Example.org", "[zoe@example.com]"},
		{[]policy.Domain{"example.org"}, "boss@example.org", "[]"},
		{nil, "nobody@example.com", "[]"},
		{nil, "ann@example.com", "[ann@example.com]"},
		{nil, "%_'\x00", "[]"},
	} {
		for _, limit := range []int{1, 2, 3, 100} {
			for _, looks := range []int{1, 2, 100} {
				if got, _ := listed(t, d, Walk{Domains: c.domains, Like: c.like, Limit: limit, Looks: looks}); fmt.Sprint(got) != c.want {
					t.Errorf("%q %q by %d, %d looks: %v; want %s", c.domains, c.like, limit, looks, got, c.want)
				}
			}
		}
	}
	if list, next := d.List(Walk{After: "mona@example.com", Limit: 1, Looks: 1}); next != "zoe@example.com" || list[0].ID != "zoe@example.com" {
		t.Errorf("after one who is gone: %v, %s", list, next)
	}
	if list, next := d.List(Walk{After: "x@example.zz", Limit: 1, Looks: 1}); len(list) != 0 || next != "" {
		t.Errorf("after the last domain: %v, %s", list, next)
	}
	if list, next := (&Directory{}).List(Walk{Limit: 1, Looks: 1}); list != nil || next != "" {
		t.Errorf("of nobody: %v, %s", list, next)
	}
}

// TestListIsBound: a page of many looks at few, wherever it is.
func TestListIsBound(t *testing.T) {
	var rows []Row
	for i := range 3000 {
		rows = append(rows, Row{Address: fmt.Sprintf("p%04d@%c.example.com", i, 'a'+i%3), Name: fmt.Sprint("Person ", i)})
	}
	d := known(rows)
	all, pages := listed(t, d, Walk{Limit: 50, Looks: 200})
	if len(all) != 3000 || pages != 60 {
		t.Errorf("%d people on %d pages", len(all), pages)
	}
	if slices.Sort(all); len(slices.Compact(all)) != 3000 {
		t.Error("some came twice")
	}
	if got, pages := listed(t, d, Walk{Like: "person 2999", Limit: 50, Looks: 200}); len(got) != 1 || pages != 15 {
		t.Errorf("%v on %d pages", got, pages)
	}
}

// BenchmarkList lists a page in the middle of 100,000 people, and one of a search that finds no person.
func BenchmarkList(b *testing.B) {
	var rows []Row
	for i := range 100_000 {
		a := fmt.Sprintf("p%06d@d%03d.example.com", i, i%500)
		rows = append(rows, Row{Address: a, Name: fmt.Sprint("Person ", i), Aliases: []string{"x." + a, "y." + a}})
	}
	d := known(rows)
	for name, w := range map[string]Walk{
		"page":   {After: "p050250@d250.example.com", Limit: 50, Looks: 20_000},
		"domain": {Domains: []policy.Domain{"d250.example.com"}, Limit: 50, Looks: 20_000},
		"search": {Like: "nobody is called that", Limit: 50, Looks: 20_000},
		"whole":  {Like: "y.p099999@d499.example.com", Limit: 50, Looks: 20_000},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				d.List(w)
			}
		})
	}
}
