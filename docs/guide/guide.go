// Package guide reads the pages about milterscan, writes them as HTML and searches them.
package guide

import (
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/milterscan/milterscan/docs"
)

// Source is the address of the files that pages link to but that are no pages: snippets, sources.
const Source = "https://github.com/milterscan/milterscan/blob/main/"

// Page is one page.
type Page struct {
	Name  string // without ".md"
	Title string
	Body  template.HTML // with the title, as h1

	sections []section
	anchors  map[string]bool
	links    []link
}

// section is a result of a search: the text below a heading, or the row of a table that begins with
// a name.
type section struct{ anchor, heading, text string }

// link is where a page leads to in the guide.
type link struct{ page, anchor string }

// Guide is all pages.
type Guide struct {
	pages  map[string]*Page
	order  []*Page
	groups []Group
}

// New reads the pages in files. href returns the address of a page by its name.
func New(files fs.FS, href func(name string) string) (*Guide, error) {
	g := &Guide{pages: map[string]*Page{}}
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		p, err := read(strings.TrimSuffix(file, ".md"), text, href)
		if err != nil {
			return nil, fmt.Errorf("%s: %v", file, err)
		}
		g.pages[p.Name] = p
		g.order = append(g.order, p)
	}
	slices.SortFunc(g.order, func(a, b *Page) int { return strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)) })
	g.groups, g.order = grouped(g.order), nil
	for _, group := range g.groups {
		g.order = append(g.order, group.Pages...)
	}
	return g, nil
}

// Shipped returns the pages of this version, as the console has them below /help. They are
// read when they are first asked for.
var Shipped = sync.OnceValues(func() (*Guide, error) {
	return New(docs.Pages, func(name string) string { return "/help/" + name })
})

// Address returns the address of a place in the guide of the console, "" where there is none
// such: no page, or nothing of that name on it.
func Address(page, anchor string) string {
	g, err := Shipped()
	if err != nil || !g.Has(page, anchor) {
		return ""
	}
	return "/help/" + page + "#" + anchor
}

// Pages returns all pages in the order of their groups.
func (g *Guide) Pages() []*Page { return g.order }

// Page returns a page by its name, nil if there is none.
func (g *Guide) Page(name string) *Page { return g.pages[name] }

// Has reports whether a page has something of a name.
func (g *Guide) Has(page, anchor string) bool {
	p := g.pages[page]
	return p != nil && (anchor == "" || p.anchors[anchor])
}

// Broken lists the links that lead to no page, or to nothing on it.
func (g *Guide) Broken() (list []string) {
	for _, p := range g.order {
		for _, l := range p.links {
			if !g.Has(l.page, l.anchor) {
				list = append(list, fmt.Sprintf("%s.md leads to %s.md#%s", p.Name, l.page, l.anchor))
			}
		}
	}
	return list
}
