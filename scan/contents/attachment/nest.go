package attachment

import (
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// nest is a message with what its containers say about what they hold, worked out
// once for each container: a message may have ten thousand parts in one.
type nest struct {
	m      *scan.Message
	places []place // of the parts

	parent int    // whose parts names is for
	names  string // see around
}

// newNest returns the places of all parts. A container comes before what it holds.
func newNest(m *scan.Message) *nest {
	n := &nest{m: m, places: make([]place, len(m.Parts)), parent: scan.WholeMessage}
	inside := map[int]place{}
	for i, p := range m.Parts {
		if !p.Archived || p.Parent < 0 || p.Parent >= i {
			continue
		}
		in, known := inside[p.Parent]
		if !known {
			in = n.inside(p.Parent)
			inside[p.Parent] = in
		}
		n.places[i] = in
	}
	return n
}

// inside returns where the members of a container are. What a TNEF file or a
// wrapping such as uuencode holds is shown by clients as an attachment.
func (n *nest) inside(i int) place {
	switch holder := n.m.Parts[i]; {
	case isCompound(holder) && holder.Sniffed != "application/vnd.ms-outlook":
		return internal
	case transparent(holder):
		return n.places[i]
	}
	return member
}

// around returns the names round a part from the outside in, each with a slash after
// it: "forwarded.eml/invoice.zip/". A part without a name has its type.
func (n *nest) around(i int) string {
	if up := n.m.Parts[i].Parent; up != n.parent {
		n.parent, n.names = up, n.holders(i)
	}
	return n.names
}

func (n *nest) holders(i int) string {
	var names []string
	parts := n.m.Parts
	for p := parts[i].Parent; p >= 0 && p < i; i, p = p, parts[p].Parent {
		names = append(names, holderName(parts[p]))
	}
	var b strings.Builder
	for at := len(names) - 1; at >= 0; at-- {
		b.WriteString(names[at])
		b.WriteByte('/')
	}
	return b.String()
}
