// Command site writes the pages about milterscan as files that any browser reads, with or
// without a server, and that ask no other host:
//
//	go run ./docs/site DIR
//
// It is called at the top of the tree, from where it takes the stylesheet of the console.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"os"
	"path/filepath"

	"github.com/milterscan/milterscan/docs"
	"github.com/milterscan/milterscan/docs/guide"
)

//go:embed page.html
var layout string

//go:embed search.js
var script []byte

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: site DIR")
		os.Exit(64)
	}
	if err := write(os.Args[1], "cmd/milterscan/console"); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

// file returns the name of the file of a page.
func file(page string) string { return page + ".html" }

// write makes the site in a directory; looks is the one with the console's stylesheet and icon.
func write(dir, looks string) error {
	g, err := guide.New(docs.Pages, file)
	if err != nil {
		return err
	}
	if broken := g.Broken(); len(broken) > 0 {
		return fmt.Errorf("links that lead nowhere: %q", broken)
	}
	files, err := pages(g)
	if err != nil {
		return err
	}
	files["search.js"] = script
	for _, name := range []string{"style.css", "icon.svg"} {
		if files[name], err = os.ReadFile(filepath.Join(looks, name)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// pages returns the files of all pages, of their list, and of what the search looks at.
func pages(g *guide.Guide) (map[string][]byte, error) {
	t, err := template.New("page").Parse(layout)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, p := range append([]*guide.Page{nil}, g.Pages()...) {
		name := "index.html"
		if p != nil {
			name = file(p.Name)
		}
		var out bytes.Buffer
		if err := t.Execute(&out, map[string]any{"Page": p, "Groups": g.Groups()}); err != nil {
			return nil, err
		}
		files[name] = out.Bytes()
	}
	var entries [][4]string
	for place := range g.Places() {
		entries = append(entries, [4]string{file(place.Page.Name) + "#" + place.Anchor, place.Page.Title, place.Heading, place.Excerpt})
	}
	text, err := json.Marshal(entries)
	files["index.js"] = fmt.Appendf(nil, "const places = %s;\n", text)
	return files, err
}
