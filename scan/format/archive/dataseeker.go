package archive

import (
	"context"
	"html"
	"regexp"
	"strings"
)

// longestReference bounds the length of one character reference, in bytes.
const longestReference = 24

// reference returns the ASCII character that a reference of HTML at the beginning of b
// represents, and how long it is.
func reference(b []byte) (c byte, n int, ok bool) {
	n = 1
	for n < len(b) && n < longestReference && (isLetter(b[n]) || isDigit(b[n]) || b[n] == '#') {
		n++
	}
	named := len(b) > 1 && b[1] != '#'
	if n < len(b) && b[n] == ';' {
		n++
	} else if named {
		return 0, 0, false
	}
	if n < 3 {
		return 0, 0, false
	}
	s := html.UnescapeString(string(b[:n]))
	if len(s) != 1 || s[0] >= 0x80 {
		return 0, 0, false
	}
	return s[0], n, true
}

// dataFound is a data: address in a text.
type dataFound struct {
	dataAddress
	start, end int64 // of what follows the comma
	saved      bool  // a link or a script hands the file over
	called     []string
}

// member returns the file.
func (f dataFound) member() Member {
	if f.saved {
		return f.dataAddress.saved(f.called)
	}
	return f.dataAddress.member(nameOfData)
}

// dataSeeker finds the data: addresses of a text.
type dataSeeker struct {
	ctx   context.Context
	text  *looseText
	most  int64
	found []dataFound

	recent  [remembered]byte // the last bytes of the text, addresses left out
	n       int              // bytes that went through recent
	matched int              // letters of the scheme just read
	begun   int              // where in recent its first letter is
	after   []byte           // what follows the last address in its tag
	before  string           // what comes before it
	waiting bool             // the tag goes on
	quote   byte             // of the value being read in after
}

// remembered is how much of a text is kept while it is read, in bytes.
const remembered = 1 << 10

// seek reads the text to its end.
func (s *dataSeeker) seek() error {
	for count := 0; int64(len(s.found)) < s.most; count++ {
		if count%(64<<10) == 0 && s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		c, err := s.next()
		if err != nil {
			break
		}
		for again := s.scheme(c); again; {
			again = s.address()
		}
	}
	s.settle()
	return nil
}

// next reads a byte and remembers it.
func (s *dataSeeker) next() (byte, error) {
	c, err := s.text.ReadByte()
	if err != nil {
		return 0, err
	}
	s.recent[s.n%len(s.recent)] = c
	s.n++
	if s.waiting {
		s.follow(c)
	}
	return c, nil
}

// follow takes in what comes after an address, up to the end of its tag.
func (s *dataSeeker) follow(c byte) {
	s.after = append(s.after, c)
	switch {
	case len(s.after) >= len(s.recent), c == '>' && s.quote == 0:
		s.settle()
	case c == s.quote:
		s.quote = 0
	case s.quote == 0 && (c == '"' || c == '\''):
		s.quote = c
	}
}

// scheme reports whether c is the last letter of the scheme. Browsers drop line
// ends and tabs anywhere in an address.
func (s *dataSeeker) scheme(c byte) bool {
	if c == '\t' || c == '\r' || c == '\n' {
		return false
	}
	switch lower := c | 0x20; {
	case s.matched < 4 && lower == dataScheme[s.matched], s.matched == 4 && c == ':':
		s.matched++
	case lower == 'd':
		s.matched = 1
	default:
		s.matched = 0
	}
	if s.matched == 1 {
		s.begun = s.n - 1
	}
	if s.matched < len(dataScheme) {
		return false
	}
	s.matched = 0
	return true
}

// back returns the i-th byte of the text as it was remembered, 0 for one that was
// forgotten.
func (s *dataSeeker) back(i int) byte {
	if i < 0 || i < s.n-len(s.recent) {
		return 0
	}
	return s.recent[i%len(s.recent)]
}

// alone reports whether an address begins as a word of a plain text does.
func (s *dataSeeker) alone() bool {
	c := s.back(s.begun - 1)
	return c <= ' ' || c == '<'
}

// opening looks at what comes before an address: whether a value may begin here,
// and the quote that ends it.
func (s *dataSeeker) opening() (quote, before byte, ok bool) {
	blank := func(i int) int {
		for i >= 0 && i > s.n-len(s.recent) && s.back(i) <= ' ' {
			i--
		}
		return i
	}
	i := blank(s.begun - 1)
	if c := s.back(i); i >= 0 && strings.IndexByte("\"'`", c) >= 0 {
		quote = c
		i = blank(i - 1)
	}
	before = s.back(i)
	if quote != 0 && s.endsIn(i, "@import") {
		return quote, before, true
	}
	return quote, before, strings.IndexByte("=(,:[+?>{", before) >= 0 && before != 0
}

// endsIn reports whether the text up to its i-th byte ends in word.
func (s *dataSeeker) endsIn(i int, word string) bool {
	for n := range len(word) {
		if s.back(i-n)|0x20 != word[len(word)-1-n]|0x20 {
			return false
		}
	}
	return true
}

// address reads an address after its scheme, and reports whether it read another scheme
// instead.
func (s *dataSeeker) address() (again bool) {
	quote, before, ok := s.opening()
	quoted := quote != 0 && s.back(s.begun-1) == quote
	alone := !ok && (quoted || s.alone())
	if !ok && !alone {
		return false
	}
	if alone && !quoted {
		quote = 0
	}
	s.settle()
	tag := s.tag()
	head, again := s.head(quote, alone, !alone && (quote != 0 || before == '=' || before == '('))
	if again {
		return true
	}
	addr, ok := newDataAddress(head)
	if !ok || alone && !addr.base64 {
		return false
	}
	f := dataFound{dataAddress: addr, start: s.text.at}
	if f.end = s.skip(quote, before); f.end == f.start && quote != 0 {
		if next := s.nextString(); next != 0 {
			f.start = s.text.at
			f.end = s.skip(next, before)
		}
	}
	s.found = append(s.found, f)
	if end := f.end; alone && !quoted && s.lines(&end) {
		f.end = end
		s.found = append(s.found, f)
	}
	s.before, s.after, s.quote, s.waiting = tag, s.after[:0], 0, true
	return false
}

// tag returns what was read of the tag that the address is in.
func (s *dataSeeker) tag() string {
	var b []byte
	for i := max(0, s.n-len(s.recent)); i < s.begun; i++ {
		b = append(b, s.back(i))
	}
	return string(b)
}

// settle says of the last address what its tag tells.
func (s *dataSeeker) settle() {
	if !s.waiting {
		return
	}
	s.waiting = false
	f := &s.found[len(s.found)-1]
	around := s.before[strings.LastIndexByte(s.before, '<')+1:] + " \x00 " + string(s.after)
	for _, m := range downloads.FindAllStringSubmatch(around, 8) {
		f.saved = true
		f.called = append(f.called, strings.TrimSpace(m[1]+m[2]+m[3]))
	}
	name := strings.ToLower(around[:min(len(around), 8)])
	f.saved = f.saved || strings.Contains(strings.ToLower(around), "download") ||
		isTag(name, "a") || isTag(name, "area") || isTag(name, "meta")
}

func isTag(text, name string) bool {
	rest, ok := strings.CutPrefix(text, name)
	return ok && rest != "" && rest[0] <= ' '
}

// downloads finds the names that pages and scripts give a file to be saved.
var downloads = regexp.MustCompile(`(?i)download["']?\s*[=,]\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
