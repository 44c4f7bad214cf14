package document

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// grammar knows what matters in the source of macros, VBA's and LibreOffice's.
type grammar struct {
	autoRun *regexp.Regexp // a whole name
	calls   *regexp.Regexp
	texts   *regexp.Regexp
	hints   *regexp.Regexp
}

func newGrammar(c Config) (*grammar, error) {
	g := &grammar{}
	for _, list := range []struct {
		to            **regexp.Regexp
		words         []string
		before, after string
	}{
		{&g.autoRun, c.AutoRun, `^(?:`, `)$`},
		{&g.calls, c.Calls, `\b(?:`, `)\b`},
		{&g.texts, c.Texts, `(?:`, `)`},
		{&g.hints, c.Hints, `\b(?:`, `)\b`},
	} {
		r, err := regexp.Compile("(?i)" + list.before + alternatives(list.words) + list.after)
		if err != nil {
			return nil, err
		}
		*list.to = r
	}
	return g, nil
}

// alternatives matches any of the words, "*" in them any letters.
func alternatives(words []string) string {
	if len(words) == 0 {
		return `[^\s\S]`
	}
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strings.ReplaceAll(regexp.QuoteMeta(w), `\*`, `\w*`)
	}
	return strings.Join(quoted, "|")
}

// runs reports whether a procedure of that name runs by itself.
func (g *grammar) runs(name string) bool { return g.autoRun.MatchString(name) }

// basic is source taken apart: code without its strings and comments, and the
// strings.
type basic struct {
	lines  lineCount
	name   string // as the source itself states it
	code   string
	texts  []string
	chars  int // characters written as codes
	joined int // strings put together from pieces
}

var (
	attributeLine = regexp.MustCompile(`(?i)^\s*attribute\s+[\w.]+\s*=`)
	nameLine      = regexp.MustCompile(`(?im)^\s*attribute\s+VB_Name\s*=\s*"([^"]*)"`)
	procedure     = regexp.MustCompile(`(?im)^[ \t]*(?:(?:public|private|friend|static|global)[ \t]+)*(?:sub|function)[ \t]+(\w+)`)
	charCode      = regexp.MustCompile(`(?i)\bchr[bw]?\$?\s*\(\s*(&h[0-9a-f]{1,4}|[0-9]{1,5})[&%]?\s*\)`)
	between       = regexp.MustCompile(`"\s*[&+]\s*"`)
	// usual is the making of objects that harmless macros make.
	usual    = regexp.MustCompile(`(?i)\b(?:create|get)object(\s*\(\s*"(?:Scripting\.(?:Dictionary|FileSystemObject)|VBScript\.RegExp|(?:Excel|Word|PowerPoint|Outlook|Access)\.Application|ADODB\.(?:Connection|Recordset|Command)|System\.Collections\.\w+|M?S?Forms\.\w+(?:\.\d)?|new:\{1C3B4210-F441-11CE-B9EA-00AA006B1A69\})")`)
	reversed = regexp.MustCompile(`(?i)\bstrreverse\$?\s*\(\s*"([^"\r\n]+)"\s*\)`)
)

// readBasic takes source apart.
func readBasic(source string) basic {
	var b basic
	if m := nameLine.FindStringSubmatch(source); m != nil {
		b.name = m[1]
	}
	var text strings.Builder
	for line := range logicalLines(source) {
		if attributeLine.MatchString(line) {
			continue
		}
		b.lines.all++
		if line = withoutComment(line); strings.TrimSpace(line) != "" {
			b.lines.code++
		}
		text.WriteString(line)
		text.WriteByte('\n')
	}
	b.separate(b.together(text.String()))
	return b
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
			begun.WriteString(line)
			if !yield(begun.String()) {
				return
			}
			begun.Reset()
		}
		if begun.Len() > 0 {
			yield(begun.String())
		}
	}
}

// withoutComment cuts a comment off a line.
func withoutComment(line string) string {
	if start := strings.ToLower(strings.TrimSpace(line)); start == "rem" || strings.HasPrefix(start, "rem ") {
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

// together writes characters given as codes as themselves, and strings that were
// cut into pieces as one. The making of usual objects is written as what it is.
func (b *basic) together(text string) string {
	text = charCode.ReplaceAllStringFunc(text, func(call string) string {
		b.chars++
		return asLiteral(charCode.FindStringSubmatch(call)[1])
	})
	b.joined = len(between.FindAllStringIndex(text, -1))
	text = between.ReplaceAllString(text, "")
	text = usual.ReplaceAllString(text, "made$1")
	return reversed.ReplaceAllStringFunc(text, func(call string) string {
		r := []rune(reversed.FindStringSubmatch(call)[1])
		slices.Reverse(r)
		return `"` + string(r) + `"`
	})
}

// asLiteral is the string literal of the character with a code in Basic's
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

// separate splits text into code, with its strings left empty, and the strings.
func (b *basic) separate(text string) {
	pieces := strings.Split(text, `"`)
	var code strings.Builder
	for i, p := range pieces {
		if i%2 == 1 && !strings.Contains(p, "\n") {
			b.texts = append(b.texts, p)
			code.WriteString(`""`)
			continue
		}
		code.WriteString(p)
	}
	b.code = code.String()
}
