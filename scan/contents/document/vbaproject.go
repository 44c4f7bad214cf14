package document

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/scratch"
)

// largestModule bounds how much we read of one stream of a macro project, in bytes.
// The editor itself gives up at 64 KB of code for a procedure, and a few MB for
// a project.
const largestModule = 16 << 20

// largestNames bounds how much we read of the stream with the names of a project.
const largestNames = 1 << 20

// attributeMark is how every compressed source begins: a byte of flags for eight
// plain bytes, then the start of the line Attribute VB_Name. The container begins
// three bytes before.
const attributeMark = "\x00Attribut"

// project is a macro project: what the streams of one compound file say.
type project struct {
	modules     []module
	identifiers []byte // the stream _VBA_PROJECT, which holds all names in compiled code
	listed      map[place]bool
}

// place is where the source of a module begins.
type place struct {
	stream string
	offset int64
}

// module is a piece of a project.
type module struct {
	name     string
	source   string
	compiled lineCount // of the code compiled from it, which comes before it
}

// projects judges all macro projects in the streams of a compound file.
func (e *examination) projects(streams []stream) error {
	p, err := e.project(streams)
	if err != nil {
		return err
	}
	e.judgeProject(p)
	return nil
}

// project finds modules in two ways: where the dir stream says they are, and
// wherever a compressed source begins.
func (e *examination) project(streams []stream) (*project, error) {
	p := &project{listed: map[place]bool{}}
	for _, s := range streams {
		var err error
		switch strings.ToLower(base(s.name)) {
		case "dir":
			err = e.listed(p, s, streams)
		case "_vba_project":
			p.identifiers, err = e.load(s.content, largestNames)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, s := range streams {
		if err := e.scattered(p, s); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// base returns the last step of a stream's path.
func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// listed adds the modules that a dir stream lists.
func (e *examination) listed(p *project, dir stream, streams []stream) error {
	packed, err := e.load(dir.content, largestModule)
	if err != nil {
		return err
	}
	list, _ := e.unpack(packed)
	for _, m := range parseDir(list) {
		for _, s := range streams {
			if !m.is(base(s.name)) || !strings.EqualFold(path.Dir(s.name), path.Dir(dir.name)) {
				continue
			}
			if err := e.listedModule(p, m, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// listedModule adds the module in a stream, also if its source cannot be
// unpacked: then the compiled code is all there is.
func (e *examination) listedModule(p *project, m moduleEntry, s stream) error {
	b, err := e.load(s.content, largestModule)
	if err != nil {
		return err
	}
	at := min(max(m.offset, 0), len(b))
	p.listed[place{s.name, int64(at)}] = true
	source, _ := e.unpack(b[at:])
	p.modules = append(p.modules, module{base(s.name), string(source), compiledLines(b[:at])})
	return nil
}

// scattered adds what begins like the source of a module anywhere in a stream,
// unless the dir stream lists it.
func (e *examination) scattered(p *project, s stream) error {
	const most, longest, before = 1000, 256 << 10, 3
	return e.occurrences(s.content, attributeMark, most, func(off int64) error {
		off -= before
		if p.listed[place{s.name, off}] {
			return nil
		}
		b, err := scratch.ReadAt(s.content, off, longest)
		if err != nil || len(b) == 0 {
			return err
		}
		source, _ := e.unpack(b)
		if len(source) == 0 {
			return nil
		}
		start := max(off-longest, 0)
		cache, err := scratch.ReadAt(s.content, start, int(off-start))
		p.modules = append(p.modules, module{base(s.name), string(source), compiledLines(cache)})
		return err
	})
}

// unpack decompresses b on the examination's budget.
func (e *examination) unpack(b []byte) ([]byte, error) {
	out, err := decompress(b, int(e.left()))
	if err == errTooLarge || !e.spend(len(out)) {
		e.tooComplex("its macros unpack to more than max_unpacked")
	}
	return out, err
}

// stomped says which modules have compiled code that their source does not
// account for. Office runs code compiled by the same version and never looks at
// the source.
func (p *project) stomped(g *grammar) []string {
	var names []string
	hidden := p.hidden(g)
	for _, m := range p.modules {
		if m.compiled.code == 0 {
			continue
		}
		source := readBasic(m.source).lines
		if source.code == 0 || hidden && abs(m.compiled.all-source.all) > 1 {
			names = append(names, m.name)
		}
	}
	return names
}

// hidden reports whether the compiled code knows a procedure that runs by
// itself which no source has.
func (p *project) hidden(g *grammar) bool {
	const most = 1000
	known := map[string]bool{}
	for _, name := range p.names() {
		name = strings.ToLower(name)
		if len(known) >= most || known[name] || !g.runs(name) {
			continue
		}
		known[name] = true
		if !p.mentions(name) {
			return true
		}
	}
	return false
}

// mentions reports whether a name appears in any source, in any case.
func (p *project) mentions(name string) bool {
	r := regexp.MustCompile("(?i)" + regexp.QuoteMeta(name))
	return slices.ContainsFunc(p.modules, func(m module) bool { return r.MatchString(m.source) })
}

// names returns the identifiers in the stream _VBA_PROJECT: each is a length, a
// byte of type, and the name; for some, six bytes are between.
func (p *project) names() []string {
	const shortest, longest = 3, 64
	var names []string
	b := p.identifiers
	for i := range b {
		n := int(b[i])
		if n < shortest || n > longest {
			continue
		}
		for _, gap := range [...]int{2, 8} {
			if i+gap+n <= len(b) && isIdentifier(b[i+gap:i+gap+n]) {
				names = append(names, string(b[i+gap:i+gap+n]))
			}
		}
	}
	return names
}

func isIdentifier(b []byte) bool {
	return (b[0] < '0' || b[0] > '9') && !bytes.ContainsFunc(b, func(r rune) bool {
		return !(r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
}

func abs(n int) int { return max(n, -n) }
