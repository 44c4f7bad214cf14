package markup

import (
	"strings"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/css"
)

// How much is read of the style sheets of one page.
const (
	longestSheet = 2 << 20 // bytes in all
	mostRules    = 20_000
	mostMatches  = 2_000_000 // comparisons of a rule with an element
	deepestBlock = 32
	mostPrelude  = 2_000 // tokens before a block
)

// sheet is all style sheets of a page, as far as they can hide text or show it.
type sheet struct {
	rules   []cssRule
	byID    map[string][]int32
	byClass map[string][]int32
	byName  map[string][]int32
	any     []int32
	read    int  // bytes
	matches int  // left
	over    bool // there is more than is read
}

// cssRule is one selector with what it declares.
type cssRule struct {
	selector selector
	weight   uint32 // specificity (Selectors, section 17)
	declared []declaration
}

// declaration is a property with its value, both in small letters.
type declaration struct {
	property, value string
	important       bool
}

func newSheet() *sheet {
	return &sheet{byID: map[string][]int32{}, byClass: map[string][]int32{}, byName: map[string][]int32{}, matches: mostMatches}
}

// add reads a style sheet.
func (s *sheet) add(text string) {
	if s.read += len(text); s.read > longestSheet {
		s.over = true
		return
	}
	r := &sheetReader{sheet: s, lexer: css.NewLexer(parse.NewInputString(text))}
	r.next()
	r.rules(0)
}

// sheetReader reads one style sheet.
type sheetReader struct {
	*sheet
	lexer *css.Lexer
	kind  css.TokenType
	text  string
}

// next reads the next token that is no comment.
func (r *sheetReader) next() {
	for {
		kind, text := r.lexer.Next()
		switch kind {
		case css.CommentToken, css.CDOToken, css.CDCToken:
			continue
		}
		r.kind, r.text = kind, string(text)
		return
	}
}

type cssToken struct {
	kind css.TokenType
	text string
}

// rules reads rules up to the end of a block.
func (r *sheetReader) rules(depth int) {
	for r.kind != css.ErrorToken {
		switch r.kind {
		case css.RightBraceToken:
			if depth > 0 {
				return
			}
			r.next()
		case css.AtKeywordToken:
			r.atRule(depth)
		case css.WhitespaceToken, css.SemicolonToken:
			r.next()
		default:
			prelude := r.prelude()
			if r.kind == css.LeftBraceToken {
				r.next()
				r.rule(prelude)
			}
		}
	}
}

// prelude reads the tokens before a block.
func (r *sheetReader) prelude() (tokens []cssToken) {
	for {
		switch r.kind {
		case css.ErrorToken, css.LeftBraceToken, css.SemicolonToken, css.RightBraceToken:
			if r.kind == css.RightBraceToken {
				r.next()
			}
			return tokens
		}
		if len(tokens) < mostPrelude {
			tokens = append(tokens, cssToken{r.kind, r.text})
		} else {
			r.over = true
		}
		r.next()
	}
}

// atRule reads rules for some media or some clients only: of these the ones that every screen
// shows.
func (r *sheetReader) atRule(depth int) {
	name := strings.ToLower(unescapeCSS(r.text))
	r.next()
	prelude := ""
	for _, t := range r.prelude() {
		prelude += t.text
	}
	if r.kind != css.LeftBraceToken {
		return
	}
	r.next()
	shown := name == "@media" && onScreens(prelude) || name == "@layer" ||
		name == "@supports" && !strings.Contains(strings.ToLower(prelude), "not")
	if shown && depth < deepestBlock {
		r.rules(depth + 1)
		r.next()
		return
	}
	r.skip()
}

// onScreens reports whether a list of media has one that every screen is.
func onScreens(media string) bool {
	for m := range strings.SplitSeq(strings.ToLower(media), ",") {
		switch strings.Join(strings.Fields(m), " ") {
		case "", "all", "screen", "only screen", "only all":
			return true
		}
	}
	return false
}

// skip skips a block whose first brace was read.
func (r *sheetReader) skip() {
	for depth := 1; depth > 0 && r.kind != css.ErrorToken; r.next() {
		switch r.kind {
		case css.LeftBraceToken:
			depth++
		case css.RightBraceToken:
			depth--
		}
	}
}

// rule reads the declarations of a rule.
func (r *sheetReader) rule(prelude []cssToken) {
	declared := r.declarations()
	if len(declared) == 0 {
		return
	}
	for _, list := range splitTokens(prelude) {
		s, ok := parseSelector(list)
		if !ok {
			continue
		}
		if len(r.sheet.rules) >= mostRules {
			r.over = true
			return
		}
		r.keep(cssRule{s, s.weight(), declared})
	}
}

// keep keeps a rule where the elements are looked up that it may be about.
func (s *sheet) keep(rule cssRule) {
	i := int32(len(s.rules))
	s.rules = append(s.rules, rule)
	last := rule.selector[len(rule.selector)-1]
	switch {
	case last.id != "":
		s.byID[last.id] = append(s.byID[last.id], i)
	case len(last.classes) > 0:
		s.byClass[last.classes[0]] = append(s.byClass[last.classes[0]], i)
	case last.name != "":
		s.byName[last.name] = append(s.byName[last.name], i)
	default:
		s.any = append(s.any, i)
	}
}

// splitTokens splits a list at its commas.
func splitTokens(tokens []cssToken) (lists [][]cssToken) {
	from, deep := 0, 0
	for i, t := range tokens {
		switch t.kind {
		case css.LeftParenthesisToken, css.FunctionToken, css.LeftBracketToken:
			deep++
		case css.RightParenthesisToken, css.RightBracketToken:
			deep--
		case css.CommaToken:
			if deep == 0 {
				lists = append(lists, tokens[from:i])
				from = i + 1
			}
		}
	}
	return append(lists, tokens[from:])
}

// declarations reads the declarations up to the end of the block, and returns those that
// have to do with whether text is seen. Blocks inside are skipped.
func (r *sheetReader) declarations() (list []declaration) {
	for r.kind != css.ErrorToken {
		switch r.kind {
		case css.RightBraceToken:
			r.next()
			return list
		case css.LeftBraceToken:
			r.next()
			r.skip()
		case css.IdentToken:
			property := strings.ToLower(unescapeCSS(r.text))
			r.next()
			value, ok := r.value()
			if ok && (property == "font" || new(styled).of(property) != nil) {
				list = append(list, newDeclaration(property, value))
			}
		default:
			r.next()
		}
	}
	return list
}

// value reads the value after a property.
func (r *sheetReader) value() (string, bool) {
	var b strings.Builder
	colon := false
	for deep := 0; ; r.next() {
		switch r.kind {
		case css.ErrorToken, css.LeftBraceToken:
			return b.String(), colon && r.kind == css.ErrorToken
		case css.RightBraceToken:
			return b.String(), colon
		case css.SemicolonToken:
			if deep == 0 {
				return b.String(), colon
			}
		case css.LeftParenthesisToken, css.FunctionToken:
			deep++
		case css.RightParenthesisToken:
			deep--
		case css.ColonToken:
			if !colon {
				colon = true
				continue
			}
		}
		if b.Len() < 1<<10 {
			b.WriteString(r.text)
		}
	}
}

// newDeclaration returns a declaration of a value as it is written.
func newDeclaration(property, value string) declaration {
	value = strings.TrimSpace(plainCSS(value))
	d := declaration{property: property, value: value}
	if before, after, ok := strings.Cut(value, "!"); ok && strings.TrimSpace(after) == "important" {
		d.value, d.important = strings.TrimSpace(before), true
	}
	return d
}
