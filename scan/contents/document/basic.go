package document

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// grammar knows what matters in the source of macros, VBA's and LibreOffice's.
type grammar struct {
	autoRun *regexp.Regexp  // matches whole names
	calls   map[string]bool // in lower case, as all that follows
	hints   map[string]bool
	texts   []string
}

func newGrammar(c Config) (*grammar, error) {
	names := make([]string, len(c.AutoRun))
	for i, w := range c.AutoRun {
		names[i] = strings.ReplaceAll(regexp.QuoteMeta(w), `\*`, `\w*`)
	}
	r, err := regexp.Compile(`(?i)^(?:` + strings.Join(names, "|") + `)$`)
	if err != nil {
		return nil, err
	}
	g := &grammar{autoRun: r, calls: setOf(c.Calls), hints: setOf(c.Hints)}
	for _, t := range c.Texts {
		g.texts = append(g.texts, strings.ToLower(t))
	}
	return g, nil
}

func setOf(words []string) map[string]bool {
	set := map[string]bool{}
	for _, w := range words {
		set[strings.ToLower(w)] = true
	}
	return set
}

// runs reports whether a procedure of that name runs by itself.
func (g *grammar) runs(name string) bool { return name != "" && g.autoRun.MatchString(name) }

// suspects reports whether a string holds something suspicious.
func (g *grammar) suspects(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(g.texts, func(t string) bool { return strings.Contains(text, t) })
}

// basic is source taken apart: code without its strings and comments, and the
// strings.
type basic struct {
	lines      lineCount
	name       string // as the source itself states it
	procedures []string
	words      []string // of the code, each once
	texts      []string
	chars      int // characters written as codes
	joined     int // strings put together from pieces

	known map[string]bool // words, in lower case
}

// readBasic takes source apart.
func readBasic(source string) *basic {
	b := &basic{known: map[string]bool{}}
	for line := range logicalLines(source) {
		if b.attribute(line) {
			continue
		}
		b.lines.all++
		if line = withoutComment(line); strings.TrimSpace(line) == "" {
			continue
		}
		b.lines.code++
		b.separate(b.together(line))
	}
	return b
}

// attribute reads a line that the editor does not show, and reports whether it is
// one.
func (b *basic) attribute(line string) bool {
	line = strings.TrimSpace(line)
	const word = "attribute "
	if len(line) < len(word) || !strings.EqualFold(line[:len(word)], word) {
		return false
	}
	key, value, found := strings.Cut(line[len(word):], "=")
	if found && strings.EqualFold(strings.TrimSpace(key), "VB_Name") {
		b.name = strings.Trim(value, " \t\"")
	}
	return found
}

// logicalLines yields lines with their continuations.
func logicalLines(source string) func(func(string) bool) {
	return func(yield func(string) bool) {
		var begun strings.Builder
		for line := range strings.Lines(source) {
			line = strings.TrimRight(line, "\r\n")
			if joined, more := strings.CutSuffix(strings.TrimRight(line, " \t"), " _"); more {
				begun.WriteString(joined + " ")
				continue
			}
			if begun.Len() > 0 {
				line = begun.String() + line
				begun.Reset()
			}
			if !yield(line) {
				return
			}
		}
		if begun.Len() > 0 {
			yield(begun.String())
		}
	}
}

// withoutComment cuts a comment off a line.
func withoutComment(line string) string {
	start := strings.TrimLeft(line, " \t")
	if len(start) >= 3 && strings.EqualFold(start[:3], "rem") && (len(start) == 3 || start[3] == ' ' || start[3] == '\t') {
		return ""
	}
	inText := false
	for i := range len(line) {
		switch {
		case line[i] == '"':
			inText = !inText
		case line[i] == '\'' && !inText:
			return line[:i]
		}
	}
	return line
}

var (
	charCode = regexp.MustCompile(`(?i)\bchr[bw]?\$?\s*\(\s*(&h[0-9a-f]{1,4}|[0-9]{1,5})[&%]?\s*\)`)
	between  = regexp.MustCompile(`"\s*[&+]\s*"`)
	reversed = regexp.MustCompile(`(?i)\bstrreverse\$?\s*\(\s*"([^"]*)"\s*\)`)
	// usual is the making of objects that harmless macros make.
	usual = regexp.MustCompile(`(?i)\b(?:create|get)object(\s*\(\s*"(?:Scripting\.(?:Dictionary|FileSystemObject)|` +
		`VBScript\.RegExp|(?:Excel|Word|PowerPoint|Outlook|Access)\.Application|ADODB\.(?:Connection|Recordset|Command)|` +
		`System\.Collections\.\w+|M?S?Forms\.\w+(?:\.\d)?|new:\{1C3B4210-F441-11CE-B9EA-00AA006B1A69\})")`)
)

// together writes characters given as codes as themselves, and strings that were
// cut into pieces as one. The making of usual objects is written as what it is.
func (b *basic) together(line string) string {
	lower := strings.ToLower(line)
	if strings.Contains(lower, "chr") {
		line = charCode.ReplaceAllStringFunc(line, func(call string) string {
			b.chars++
			return asLiteral(charCode.FindStringSubmatch(call)[1])
		})
	}
	if strings.Count(line, `"`) > 2 {
		b.joined += len(between.FindAllStringIndex(line, -1))
		line = between.ReplaceAllString(line, "")
	}
	if strings.Contains(lower, "object") {
		line = usual.ReplaceAllString(line, "made$1")
	}
	if strings.Contains(lower, "strreverse") {
		line = reversed.ReplaceAllStringFunc(line, backwards)
	}
	return line
}

// backwards returns the string that a call of StrReverse makes.
func backwards(call string) string {
	r := []rune(reversed.FindStringSubmatch(call)[1])
	slices.Reverse(r)
	return `"` + string(r) + `"`
}

// asLiteral returns the string literal of the character with a code in Basic's
// notation.
func asLiteral(code string) string {
	digits, radix := code, 10
	if hex, ok := strings.CutPrefix(strings.ToLower(code), "&h"); ok {
		digits, radix = hex, 16
	}
	n, err := strconv.ParseUint(digits, radix, 16)
	if err != nil || n == '"' || n < ' ' {
		return `""`
	}
	return `"` + string(rune(n)) + `"`
}

// separate splits a line into the words of its code and its strings.
func (b *basic) separate(line string) {
	isText := false
	first := true
	for piece := range strings.SplitSeq(line, `"`) {
		if isText {
			b.texts = append(b.texts, piece)
		} else {
			b.code(piece, first)
		}
		isText, first = !isText, false
	}
}

// code reads a piece of a line. At its beginning a procedure may be declared.
func (b *basic) code(piece string, begins bool) {
	declared := false
	for _, word := range strings.FieldsFunc(piece, notInWord) {
		if declared {
			b.procedures = append(b.procedures, word)
		}
		lower := strings.ToLower(word)
		declared = begins && (lower == "sub" || lower == "function")
		begins = begins && modifiers[lower]
		if !b.known[lower] {
			b.known[lower] = true
			b.words = append(b.words, word)
		}
	}
}

// modifiers may come before the word that declares a procedure.
var modifiers = map[string]bool{"public": true, "private": true, "friend": true, "static": true, "global": true}

func notInWord(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r < 0x80
}
