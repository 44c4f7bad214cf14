package guide

import "strings"

// Group is pages that are read at the same time of a site's life, in the order in which they are read.
type Group struct {
	Name  string // of its heading: "first", "daily", "reference", "developers", or "other" for pages in no group
	Pages []*Page
}

// shelves says which pages each group has. Every page is in one.
var shelves = []struct{ name, pages string }{
	{"first", "quickstart packages postfix sendmail exim mta sizing moving migrating recipes"},
	{"daily", "operating troubleshooting doctor console console-access quarantine timeline history replay notices " +
		"digests people recipients lists appeals domains hosting hosts feeds"},
	{"reference", "policy findings config commands limits messages log attachments edits engines spam senders " +
		"impostors greylisting bounces rates dmarc threats performance comparison api licenses"},
	{"developers", "flow contributing dependencies release"},
}

// titles are the headings of the groups, in English.
var titles = map[string]string{"first": "First steps", "daily": "Daily work", "reference": "Reference",
	"developers": "For developers", "other": "Other pages"}

// Title returns the heading of the group in English.
func (g Group) Title() string { return titles[g.Name] }

// Groups returns all pages by groups, the first steps first. A page that no group names is in the last one.
func (g *Guide) Groups() []Group { return g.groups }

// grouped puts pages, which are in the order of their titles, into groups.
func grouped(pages []*Page) (list []Group) {
	left := map[string]*Page{}
	for _, p := range pages {
		left[p.Name] = p
	}
	for _, s := range shelves {
		group := Group{Name: s.name}
		for _, name := range strings.Fields(s.pages) {
			if p := left[name]; p != nil {
				group.Pages = append(group.Pages, p)
				delete(left, name)
			}
		}
		if len(group.Pages) > 0 {
			list = append(list, group)
		}
	}
	other := Group{Name: "other"}
	for _, p := range pages {
		if left[p.Name] != nil {
			other.Pages = append(other.Pages, p)
		}
	}
	if len(other.Pages) > 0 {
		list = append(list, other)
	}
	return list
}
