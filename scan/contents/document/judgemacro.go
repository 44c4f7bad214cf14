package document

import (
	"fmt"
	"slices"
	"strings"
)

// evidence is what the macros of one document do, in the order it was met.
type evidence struct {
	code    int      // lines of it
	starts  []string // procedures that run by themselves
	certain []string // calls and strings of which one is enough
	hints   []string

	procedures map[string]bool // all of them, in lower case
}

// add adds what other evidence of the same document says.
func (ev *evidence) add(other evidence) {
	ev.code += other.code
	for _, l := range []struct {
		to   *[]string
		from []string
	}{{&ev.starts, other.starts}, {&ev.certain, other.certain}, {&ev.hints, other.hints}} {
		for _, s := range l.from {
			*l.to = appendOnce(*l.to, s)
		}
	}
}

// call makes those procedures run by themselves that the document's menus call
// when they are loaded.
func (ev *evidence) call(callbacks []string) {
	for _, c := range callbacks {
		if name := strings.ToLower(c[strings.LastIndexAny(c, ".!")+1:]); ev.procedures[name] {
			ev.starts = appendOnce(ev.starts, quote(c)+" with the menus")
		}
	}
}

// enoughHints is how many different hints are as good as one certain sign.
const enoughHints = 2

// manyCodes is how many characters written as codes are a hint by themselves,
// and manyPieces how many cuts through strings.
const (
	manyCodes  = 20
	manyPieces = 100
)

// judgeProject reports the oddities of a project, and gathers what it does.
func (e *examination) judgeProject(p *project) {
	if names := p.stomped(e.basic); len(names) > 0 {
		e.report.add(ruleMacroStomped, "compiled code without its source in "+list(names))
	}
	for _, m := range p.modules {
		e.macros.gather(e.basic, m.name, readBasic(m.source))
	}
}

// judgeMacros makes the finding that the macros deserve.
func (e *examination) judgeMacros() {
	ev := e.macros
	uses := append(slices.Clone(ev.certain), ev.hints...)
	switch {
	case len(ev.starts) > 0 && (len(ev.certain) > 0 || len(ev.hints) >= enoughHints):
		e.report.add(ruleMacroAutorun, fmt.Sprintf("%s runs by itself, and the macros use %s", list(ev.starts), list(uses)))
	case len(ev.starts) > 0 && len(uses) > 0:
		e.report.add(ruleMacroAutostart, fmt.Sprintf("%s runs by itself; the macros use %s", list(ev.starts), list(uses)))
	case len(ev.starts) > 0:
		e.report.add(ruleMacroAutostart, list(ev.starts)+" runs by itself")
	case len(uses) > 0:
		e.report.add(ruleMacro, fmt.Sprintf("%d lines of macros, which use %s", ev.code, list(uses)))
	case ev.code > 0:
		e.report.add(ruleMacro, fmt.Sprintf("%d lines of macros", ev.code))
	}
}

// gather adds what one module does.
func (ev *evidence) gather(g *grammar, module string, b *basic) {
	ev.code += b.lines.code
	if ev.procedures == nil {
		ev.procedures = map[string]bool{}
	}
	for _, p := range b.procedures {
		ev.procedures[strings.ToLower(p)] = true
		if g.runs(p) || strings.EqualFold(p, "Main") && (g.runs(module) || g.runs(b.name)) {
			ev.starts = appendOnce(ev.starts, quote(p)+" in "+quote(module))
		}
	}
	for _, w := range b.words {
		switch lower := strings.ToLower(w); {
		case g.calls[lower]:
			ev.certain = appendOnce(ev.certain, quote(w))
		case g.hints[lower]:
			ev.hints = appendOnce(ev.hints, quote(w))
		}
	}
	ev.texts(g, b)
}

// texts adds the suspicious words in strings, and how the strings are written.
func (ev *evidence) texts(g *grammar, b *basic) {
	const shown, most = 60, 100
	for _, t := range b.texts {
		if len(ev.certain) < most && g.suspects(t) {
			ev.certain = appendOnce(ev.certain, `"`+quote(clip(t, shown))+`"`)
		}
	}
	if b.chars >= manyCodes {
		ev.hints = appendOnce(ev.hints, "characters written as codes")
	}
	if b.joined >= manyPieces {
		ev.hints = appendOnce(ev.hints, "strings cut into pieces")
	}
}

// appendOnce appends a string that is not in the list yet, whatever its case.
func appendOnce(to []string, s string) []string {
	if slices.ContainsFunc(to, func(t string) bool { return strings.EqualFold(t, s) }) {
		return to
	}
	return append(to, s)
}

// list writes the first few of many things.
func list(things []string) string {
	const most = 8
	if len(things) <= most {
		return strings.Join(things, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(things[:most], ", "), len(things)-most)
}
