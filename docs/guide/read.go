package guide

import (
	"bytes"
	"errors"
	"html/template"
	"path"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// markdown reads pages as the place does where their sources are. Markup in them is left
// out, and columns are aligned by no style, which the policy of the console forbids.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone)), extension.Strikethrough),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
)

// read reads a page.
func read(name string, source []byte, href func(string) string) (*Page, error) {
	p := &Page{Name: name, anchors: map[string]bool{}}
	tree := markdown.Parser().Parse(text.NewReader(source), parser.WithContext(parser.NewContext(parser.WithIDs(&headings{taken: p.anchors}))))
	r := reader{page: p, source: source, href: href}
	if err := ast.Walk(tree, r.visit); err != nil {
		return nil, err
	}
	if p.Title == "" {
		return nil, errors.New("the page has no title")
	}
	var out bytes.Buffer
	if err := markdown.Renderer().Render(&out, source, tree); err != nil {
		return nil, err
	}
	p.Body = template.HTML(framing.Replace(out.String()))
	return p, nil
}

// framing lets wide tables scroll, also by the keyboard, and takes cells that say nothing
// for no headings.
var framing = strings.NewReplacer(
	"<table>", `<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>`,
	"</table>", "</table></div>",
	"<th></th>", "<td></td>")

// headings gives headings their names as the place does where the sources are.
type headings struct{ taken map[string]bool }

// Generate returns the name of a heading: its words in small letters with "-" between them.
func (h *headings) Generate(value []byte, _ ast.NodeKind) []byte {
	slug := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(string(value)))
	name := slug
	for n := '1'; h.taken[name] && n <= '9'; n++ {
		name = slug + "-" + string(n)
	}
	h.taken[name] = true
	return []byte(name)
}

// Put takes a name that is given in the text.
func (h *headings) Put(value []byte) { h.taken[string(value)] = true }

// reader collects from a page what search needs, and has its links lead where they lead
// on the pages that are made.
type reader struct {
	page   *Page
	source []byte
	href   func(string) string
}

// visit looks at a node.
func (r *reader) visit(n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	switch n := n.(type) {
	case *ast.Heading:
		words := plain(n, r.source)
		if n.Level == 1 && r.page.Title == "" {
			r.page.Title = words
		}
		id, _ := n.AttributeString("id")
		anchor, _ := id.([]byte)
		r.begin(string(anchor), words)
		return ast.WalkContinue, nil
	case *tables.TableRow:
		r.row(n)
	case *ast.Link:
		n.Destination = []byte(r.lead(string(n.Destination)))
	case *ast.Text:
		r.add(string(n.Segment.Value(r.source)))
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		r.add(string(n.Lines().Value(r.source)))
	}
	return ast.WalkContinue, nil
}

// begin begins a section.
func (r *reader) begin(anchor, heading string) {
	r.page.sections = append(r.page.sections, section{anchor: anchor, heading: heading})
}

// add adds words to the section that was begun last.
func (r *reader) add(words string) {
	if last := len(r.page.sections) - 1; last >= 0 {
		r.page.sections[last].text += words + " "
	}
}

// row names a row that begins with a name in code, such as a finding: links lead to it, and a
// search finds it as a section.
func (r *reader) row(n *tables.TableRow) {
	cell := n.FirstChild()
	if cell == nil || cell.FirstChild() == nil || cell.ChildCount() != 1 || cell.FirstChild().Kind() != ast.KindCodeSpan {
		return
	}
	name := plain(cell, r.source)
	if strings.ContainsAny(name, " \t") || r.page.anchors[name] {
		return
	}
	r.page.anchors[name] = true
	n.SetAttributeString("id", []byte(name))
	r.begin(name, name)
}

// lead returns where a link leads: to a page of the guide, or to the sources.
func (r *reader) lead(to string) string {
	file, anchor, _ := strings.Cut(to, "#")
	switch {
	case strings.Contains(to, "://"), strings.HasPrefix(to, "mailto:"):
		return to
	case file == "":
		r.page.links = append(r.page.links, link{r.page.Name, anchor})
		return to
	case path.Dir(file) == "." && strings.HasSuffix(file, ".md"):
		name := strings.TrimSuffix(file, ".md")
		r.page.links = append(r.page.links, link{name, anchor})
		if anchor != "" {
			return r.href(name) + "#" + anchor
		}
		return r.href(name)
	}
	return Source + path.Join("docs", to)
}

// plain returns the words of a node.
func plain(n ast.Node, source []byte) string {
	var words strings.Builder
	ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			words.Write(t.Segment.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return words.String()
}
