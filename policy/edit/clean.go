package edit

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// clean takes out of a file what the findings are about: members of archives, the
// macros of Office documents. Where that cannot be done a notice replaces the whole
// file.
func (w *work) clean(c *change, s *site, edits []policy.Edit) error {
	if s.part < 0 || s.entity.Composite() {
		w.withdraw(c, s, edits)
		return nil
	}
	r := newRebuilder(w, edits)
	body, err := r.run(s.part)
	switch {
	case errors.Is(err, ErrNoRoom) || w.ctx.Err() != nil:
		return err
	case err != nil:
		w.withdraw(c, s, edits)
		return nil
	}
	c.body, c.with = body, entity.Base64
	if s.entity.Encoding == entity.QuotedPrintable {
		c.with = entity.QuotedPrintable
	}
	if name, mediaType := r.nodes[s.part].renamed, s.entity.Type; name != "" {
		if t, ok := withoutMacros[mediaType]; ok {
			mediaType = t
		}
		c.rename(mediaType, name)
	}
	return nil
}

// node is what becomes of one file: it goes, or it is rebuilt.
type node struct {
	gone    bool
	macros  bool   // its macros go
	renamed string // its new name, if it gets one
	inside  []int  // parts in it that have nodes
}

// rebuilder rebuilds a file without some of its content.
type rebuilder struct {
	*work
	edits   []policy.Edit
	nodes   map[int]*node
	formats map[int]string // those that were found out
	above   map[int]bool   // parts in which something is to go
	odd     map[int]bool   // containers that programs may see different things in
	types   map[int]bool   // containers with a list of types, as Office has it
}

func newRebuilder(w *work, edits []policy.Edit) *rebuilder {
	r := &rebuilder{work: w, edits: edits, nodes: map[int]*node{}, formats: map[int]string{}, above: map[int]bool{}, odd: map[int]bool{},
		types: map[int]bool{}}
	for _, e := range edits {
		for up := w.Message.Parts[e.Part].Parent; up >= 0 && !r.above[up]; up = w.Message.Parts[up].Parent {
			r.above[up] = true
		}
	}
	for _, f := range w.Found {
		r.odd[f.Part] = r.odd[f.Part] || isObstacle(f)
	}
	for _, p := range w.Message.Parts {
		if p.Archived && p.Name() == contentTypes {
			r.types[p.Parent] = true
		}
	}
	return r
}

// errWhole says that nothing less than the whole file can be taken out.
var errWhole = errors.New("the file cannot be rebuilt without some of its content")

// run makes the new content of a part.
func (r *rebuilder) run(root int) (scan.Content, error) {
	for _, e := range r.edits {
		part := e.Part
		if r.above[part] {
			continue // a finding about the whole is about a part in it, or is made again for the result
		}
		for r.Message.Parts[part].Entity == r.Message.Parts[root].Entity && part != root {
			part = r.Message.Parts[part].Parent // a text of the part in another charset
		}
		if err := r.plan(root, part, r.aboutMacros(e)); err != nil {
			return nil, err
		}
	}
	return r.rebuild(root)
}

// aboutMacros reports whether an edit is for nothing but macros.
func (r *rebuilder) aboutMacros(e policy.Edit) bool {
	return !slices.ContainsFunc(e.Found, func(f int) bool {
		switch r.Found[f].Rule {
		case "attachment/macro", "attachment/macro-autorun", "attachment/macro-autostart", "attachment/macro-stomped",
			"attachment/macro-name", "attachment/member-macro-name":
			return false
		}
		return true
	})
}

// plan enters that a part, or the macros in it, have to go. Where a part cannot be
// taken out of its container, the container goes as a whole.
func (r *rebuilder) plan(root, part int, macros bool) error {
	for ; ; part = r.Message.Parts[part].Parent {
		p := &r.Message.Parts[part]
		switch {
		case macros && r.isOffice(part):
			r.node(part).macros = true
			return r.link(root, part)
		case part == root:
			return errWhole
		case !p.Archived || p.Parent < 0:
			return errWhole
		case r.isOffice(p.Parent) && isMacroPart(p.Name()):
			macros = true
		case !r.isOffice(p.Parent) && r.format(p.Parent) != "" && r.format(p.Parent) != "gzip":
			r.node(part).gone = true
			return r.link(root, part)
		}
	}
}

// link enters a part with all its containers. Where one of these cannot be rebuilt,
// the inner ones go with it.
func (r *rebuilder) link(root, part int) error {
	for part != root {
		up := r.Message.Parts[part].Parent
		if !r.Message.Parts[part].Archived || up < 0 || r.format(up) == "" || r.isOffice(up) {
			return r.plan(root, up, false)
		}
		n := r.node(up)
		if !slices.Contains(n.inside, part) {
			n.inside = append(n.inside, part)
		}
		part = up
	}
	return nil
}

func (r *rebuilder) node(part int) *node {
	if r.nodes[part] == nil {
		r.nodes[part] = new(node)
	}
	return r.nodes[part]
}

// format returns the format of a container that can be rebuilt, else "": one that
// every program reads in the same way.
func (r *rebuilder) format(part int) string {
	known, ok := r.formats[part]
	if !ok {
		known = r.findFormat(part)
		r.formats[part] = known
	}
	return known
}

func (r *rebuilder) findFormat(part int) string {
	p := &r.Message.Parts[part]
	if p.Content == nil || r.odd[part] {
		return ""
	}
	all := r.detector.Beginning(p.Content)
	if len(all) != 1 {
		return ""
	}
	switch name := all[0].Name(); name {
	case "zip", "tar", "gzip":
		return name
	}
	return ""
}

// isObstacle reports whether a finding about a container says that programs may
// see different things in it, or that not all of it was seen.
func isObstacle(f scan.Finding) bool {
	if f.Scanner != "archive" || strings.HasPrefix(f.Rule, "archive/encrypted-member") {
		return false
	}
	return f.Kind >= scan.Ambiguous || f.Rule == "archive/prefixed"
}

// isOffice reports whether a part is a document of Office Open XML (ECMA-376).
func (r *rebuilder) isOffice(part int) bool { return r.types[part] && r.format(part) == "zip" }

// rebuild makes the new content of a part that has a node.
func (r *rebuilder) rebuild(part int) (scan.Content, error) {
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	p := &r.Message.Parts[part]
	if r.nodes[part].macros {
		return r.withoutMacros(part)
	}
	parts, err := r.members(part)
	if err != nil {
		return nil, err
	}
	switch r.format(part) {
	case "zip":
		return r.rebuildZip(p.Content, parts)
	case "tar":
		return r.rebuildTar(p.Content, parts)
	case "gzip":
		return r.rebuildGzip(p.Content, parts)
	}
	return nil, errWhole
}

// member is what becomes of a member of a container.
type member struct {
	names   []string
	gone    bool
	renamed string
	content scan.Content // the new one; nil if it goes
	found   bool         // it was met while rebuilding
}

// members are what becomes of the members of a container that change.
type members struct {
	list []*member
	by   map[string]*member // by name, and by the path it comes to
}

func (m *members) add(one *member) {
	m.list = append(m.list, one)
	for _, n := range one.names {
		m.by[n], m.by[path.Clean(n)] = one, one
	}
}

// members makes what becomes of the members of a container.
func (r *rebuilder) members(part int) (*members, error) {
	list := &members{by: map[string]*member{}}
	for _, i := range r.nodes[part].inside {
		m := &member{names: r.Message.Parts[i].Names, gone: r.nodes[i].gone}
		if !m.gone {
			content, err := r.rebuild(i)
			switch {
			case errors.Is(err, errWhole):
				m.gone = true
			case err != nil:
				return nil, err
			}
			m.content, m.renamed = content, r.nodes[i].renamed
		}
		list.add(m)
	}
	return list, nil
}

// of returns the change of the member of a name, nil if it stays.
func (m *members) of(name string) *member {
	one := m.by[name]
	if one == nil {
		one = m.by[path.Clean(name)]
	}
	if one != nil {
		one.found = true
	}
	return one
}

// allFound reports whether every member was met.
func (m *members) allFound() bool {
	return !slices.ContainsFunc(m.list, func(one *member) bool { return !one.found })
}

// goneNotice returns the text that is put into an archive in the place of members;
// empty if none goes.
func (r *rebuilder) goneNotice(list *members) string {
	var names []string
	for _, m := range list.list {
		if m.gone && len(m.names) > 0 {
			names = append(names, `"`+plain(m.names[0])+`"`)
		}
	}
	if names == nil {
		return ""
	}
	return r.notice(strings.Join(names, ", "), r.reason(r.edits))
}
