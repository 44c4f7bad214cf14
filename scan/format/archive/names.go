package archive

import (
	"fmt"
	"hash/maphash"
	"strings"
)

// maxName is how much of a member's name is kept, in bytes.
const maxName = 4096

// name returns the member's name in notes, printable and short.
func (m Member) name() string {
	if len(m.Names) == 0 {
		return "unnamed member"
	}
	name := m.Names[0]
	if len(name) > 80 {
		name = name[:40] + "…" + name[len(name)-40:]
	}
	return fmt.Sprintf("%q", name)
}

// distinct returns the names that are not empty, each once, in their order.
func distinct(names ...string) []string {
	var out []string
next:
	for _, n := range names {
		for _, have := range out {
			if have == n {
				continue next
			}
		}
		if n != "" {
			out = append(out, n)
		}
	}
	return out
}

// checkNames notes the faults in the names of the member that comes next.
// Names are data here, never paths; the notes warn users who would unpack the file.
func (w *walk) checkNames(m *Member) {
	for i, name := range m.Names {
		if len(name) > maxName {
			w.noteNext(longName, "%s: %d bytes", m.name(), len(name))
			// The end is kept as well: programs go by the extension.
			m.Names[i] = name[:maxName/2] + name[len(name)-maxName/2:]
		}
		w.checkName(m.Names[i])
	}
	if m.Link {
		w.noteNext(link, "%s", m.name())
	}
	if len(m.Names) > 0 && !m.Hidden && !w.apart {
		w.checkDuplicate(m.Names[0])
	}
}

func (w *walk) checkName(name string) {
	if strings.IndexByte(name, 0) >= 0 {
		w.noteNext(nulInName, "%q", name)
	}
	slashed := strings.ReplaceAll(name, `\`, "/")
	if strings.HasPrefix(slashed, "/") || len(slashed) > 1 && slashed[1] == ':' {
		w.noteNext(absoluteName, "%q", name)
	}
	for component := range strings.SplitSeq(slashed, "/") {
		if component == ".." {
			w.noteNext(pathEscape, "%q", name)
			break
		}
	}
}

// checkDuplicate notes a name that was there before: which of the two a program
// unpacks last, or at all, is its own choice.
func (w *walk) checkDuplicate(name string) {
	sum := maphash.String(w.seed, name)
	if _, ok := w.names[sum]; ok {
		w.noteNext(duplicateName, "%q", name)
	}
	w.names[sum] = struct{}{}
}
