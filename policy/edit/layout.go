package edit

import (
	"bytes"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// layout says which parts are entities of the message itself, as everybody reads
// it. Only these are in it by byte range; all others come out of one of them,
// and are edited with it.
type layout struct {
	parts []scan.Part
	part  map[*entity.Entity]int            // -1 for those without one
	above map[*entity.Entity]*entity.Entity // what it is in
	list  []*entity.Entity                  // in order
}

func newLayout(m *scan.Message) *layout {
	l := &layout{parts: m.Parts, part: map[*entity.Entity]int{}, above: map[*entity.Entity]*entity.Entity{}}
	l.add(m.Root, nil)
	for i, p := range m.Parts {
		if at, ok := l.part[p.Entity]; ok && at < 0 {
			l.part[p.Entity] = i
		}
	}
	return l
}

func (l *layout) add(e, above *entity.Entity) {
	l.part[e], l.above[e] = scan.WholeMessage, above
	l.list = append(l.list, e)
	for _, child := range e.Children {
		l.add(child, e)
	}
}

// entity returns the one a part is, nil if it is none of the message itself.
func (l *layout) entity(part int) *entity.Entity {
	e := l.parts[part].Entity
	if at, ok := l.part[e]; !ok || at != part {
		return nil
	}
	return e
}

// host returns the entity that a part is or comes out of, nil if it belongs to a
// reading that not everybody has. The body of an entity that is decoded in several ways
// is that of the entity in each.
func (l *layout) host(part int) *entity.Entity {
	e, _ := l.hostAs(part)
	return e
}

// hostAs returns the host, and whether only some clients decode its body as the part needs.
func (l *layout) hostAs(part int) (host *entity.Entity, some bool) {
	for steps := 0; part >= 0 && part < len(l.parts) && steps <= len(l.parts); steps++ {
		p := &l.parts[part]
		if e := l.entity(part); e != nil {
			return e, some
		}
		first, own := l.part[p.Entity]
		view := own && p.Parent >= 0 && l.parts[p.Parent].Entity == p.Entity
		switch {
		case p.Entity != nil && p.Entity.Reading != "":
			return nil, false
		case own && !view && first >= 0 && l.parts[first].Parent == p.Parent:
			return p.Entity, true
		case own && !view:
			return nil, false
		}
		part = p.Parent
	}
	return nil, false
}

// inside reports whether e is in, or is, one that holds.
func (l *layout) inside(e *entity.Entity, holds func(*entity.Entity) bool) bool {
	for ; e != nil; e = l.above[e] {
		if holds(e) {
			return true
		}
	}
	return false
}

// Fixed returns the parts no edit may touch: those of signed or encrypted mail, and
// what only some readers see. scan.WholeMessage among them means all: the message
// can be read in more than one way, was not read to its end, or is an invitation,
// which clients take as a whole.
func Fixed(m *scan.Message, found []scan.Finding) []int {
	l := newLayout(m)
	if l.uncertain(found) || slices.ContainsFunc(l.list, isInvitation) {
		return []int{scan.WholeMessage}
	}
	sealed := map[*entity.Entity]bool{}
	for _, e := range l.list {
		sealed[e] = l.sealed(e)
	}
	var fixed []int
	for i := range m.Parts {
		h := l.host(i)
		if h == nil || l.inside(h, func(e *entity.Entity) bool { return sealed[e] }) {
			fixed = append(fixed, i)
		}
	}
	return fixed
}

// WhyFixed returns a function that says why no edit may touch a part, or "" of one that is
// none of Fixed. Of scan.WholeMessage it says why nothing of the message may be touched.
func WhyFixed(m *scan.Message, found []scan.Finding) func(part int) string {
	l := newLayout(m)
	all := ""
	if slices.ContainsFunc(l.list, isInvitation) {
		all = "the message is an invitation, which clients take as a whole"
	} else if l.uncertain(found) {
		all = "the message can be read in more than one way, or was not read to its end"
	}
	return func(part int) string {
		if all != "" || part < 0 || part >= len(m.Parts) {
			return all
		}
		switch h := l.host(part); {
		case h == nil:
			return "only some clients show the part"
		case l.inside(h, l.sealed):
			return "the part is signed or encrypted"
		}
		return ""
	}
}

// Uncertain reports whether no edit can be made of a message because there may be more to it than its first reading
// shows. It is not so of invitations, whose structure is plain.
func Uncertain(m *scan.Message, found []scan.Finding) bool {
	l := newLayout(m)
	return l.uncertain(found) && !slices.ContainsFunc(l.list, isInvitation)
}

// uncertain reports whether there may be more to the message than its first
// reading.
func (l *layout) uncertain(found []scan.Finding) bool {
	if slices.ContainsFunc(l.list, func(e *entity.Entity) bool { return len(e.Also) > 0 }) {
		return true
	}
	return slices.ContainsFunc(found, func(f scan.Finding) bool {
		if f.Scanner != "mime" || f.Kind < scan.Ambiguous {
			return false
		}
		switch f.Rule {
		case "mime/encrypted", "mime/partial", "mime/external-body":
			return false
		}
		return f.Part < 0 || f.Part >= len(l.parts) || l.entity(f.Part) != nil
	})
}

func isInvitation(e *entity.Entity) bool { return e.Type == "text/calendar" }

// sealed reports whether an entity is signed or encrypted as a whole
// (RFC 1847, RFC 8551, RFC 4880).
func (l *layout) sealed(e *entity.Entity) bool {
	switch {
	case e.Type == "multipart/signed", e.Type == "multipart/encrypted", strings.HasSuffix(e.Type, "pkcs7-mime"):
		return true
	case e.Composite() || !strings.HasPrefix(e.Type, "text/"):
		return false
	}
	part := l.part[e]
	return part >= 0 && bytes.Contains(head(l.parts[part].Content, armorHead), []byte("-----BEGIN PGP "))
}

// armorHead is how much of a text is searched for OpenPGP.
const armorHead = 16 << 10

// head returns the beginning of a content, which may be nil.
func head(c scan.Content, n int64) []byte {
	if c == nil {
		return nil
	}
	b := make([]byte, min(n, c.Size()))
	got, _ := c.ReadAt(b, 0)
	return b[:got]
}

// site is one entity with the edits that are asked for of it and of what comes
// out of it.
type site struct {
	part   int
	entity *entity.Entity
	edits  []policy.Edit
}

// kind returns the strongest edit that is asked for.
func (s *site) kind() policy.EditKind {
	kind := policy.NoEdit
	for _, e := range s.edits {
		kind = max(kind, e.Kind)
	}
	return kind
}

// of returns the edits of one kind.
func (s *site) of(kind policy.EditKind) []policy.Edit {
	return slices.DeleteFunc(slices.Clone(s.edits), func(e policy.Edit) bool { return e.Kind != kind })
}

// whole reports whether edits are of the entity itself and of nothing inside.
func (w *work) whole(s *site, edits []policy.Edit) bool {
	return !slices.ContainsFunc(edits, func(e policy.Edit) bool { return w.Message.Parts[e.Part].Entity != s.entity })
}

// sites puts the edits together by entity, in the order of the message. What
// is in one that is replaced goes with it.
func (w *work) sites(refused *Refused) []*site {
	by := map[*entity.Entity]*site{}
	for _, e := range w.Edits {
		host, some := w.layout.hostAs(e.Part)
		if host == nil || some && e.Kind != policy.Rename && e.Kind != policy.Replace {
			refused.add(errOtherReading, e)
			continue
		}
		if by[host] == nil {
			by[host] = &site{part: w.layout.part[host], entity: host}
		}
		by[host].edits = append(by[host].edits, e)
	}
	var list []*site
	for _, e := range w.layout.list {
		replaced := func(outer *entity.Entity) bool { return by[outer] != nil && by[outer].kind() == policy.Replace }
		if by[e] != nil && !w.layout.inside(w.layout.above[e], replaced) {
			list = append(list, by[e])
		}
	}
	return list
}
