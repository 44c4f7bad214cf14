package unpack

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/units"
)

// How much is read of a message for words that may be passwords.
const (
	mostSecrets  = 32
	longestWord  = 64 // characters
	shortestWord = 3
	secretText   = 256 << 10 // bytes of texts, in each message
	secretLines  = 2_000
	secretTrees  = 8 // messages inside each other
)

// correspondence is what a message, and those in it, say in the clear.
type correspondence struct {
	messages []said
}

// said is one message.
type said struct {
	content scan.Content
	root    *entity.Entity
	words   []string
	read    bool // words are known
}

// heard takes in a message that is being opened.
func (c *correspondence) heard(content scan.Content, root *entity.Entity) {
	if len(c.messages) < secretTrees {
		c.messages = append(c.messages, said{content: content, root: root})
	}
}

// secrets returns the words of the messages that may be passwords, the likeliest first,
// those of the innermost message before others. They are nowhere written or kept.
func (c *correspondence) secrets() (words []string) {
	for i := range slices.Backward(c.messages) {
		m := &c.messages[i]
		if !m.read {
			m.words, m.read = wordsOf(*m), true
		}
		for _, w := range m.words {
			if len(words) < mostSecrets && !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	return words
}

// wordsOf returns the words of one message.
func wordsOf(m said) []string { return pickFrom(m).best() }

// pickFrom collects the words of one message.
func pickFrom(m said) *pick {
	p := &pick{}
	for _, s := range m.root.Header.Values("Subject") {
		p.text(entity.DecodeWords(s), true)
	}
	left := secretText
	eachLeaf(m.root, func(e *entity.Entity) {
		for _, n := range e.Names {
			p.text(strings.NewReplacer("_", " ", "-", " ").Replace(n), true)
			p.text(n, true)
		}
		if text := textOf(m.content, e, left); text != "" {
			left -= len(text)
			p.text(text, false)
		}
	})
	return p
}

// eachLeaf calls look with every leaf of the first reading.
func eachLeaf(e *entity.Entity, look func(*entity.Entity)) {
	if len(e.Children) == 0 {
		look(e)
	}
	for _, c := range e.Children {
		eachLeaf(c, look)
	}
}

// errEnough ends a decoding.
var errEnough = errors.New("enough")

// bounded keeps so much and no more.
type bounded struct {
	bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	kept := p[:min(len(p), b.left)]
	b.left -= len(kept)
	b.Buffer.Write(kept)
	if len(kept) < len(p) {
		return len(kept), errEnough
	}
	return len(p), nil
}

// textOf returns what a leaf shows, "" if it is no text or an attached file.
func textOf(content scan.Content, e *entity.Entity, most int) string {
	if most <= 0 || !strings.HasPrefix(e.Type, "text/") || e.Disposition == "attachment" {
		return ""
	}
	raw := &bounded{left: most}
	entity.Decode(raw, io.NewSectionReader(content, e.Body.Start, e.Body.Len()), e.Encoding)
	source := markup.NewSource(bytes.NewReader(raw.Bytes()), int64(raw.Len()), e.Charset)
	if e.Type == "text/html" {
		limits := markup.DefaultLimits()
		limits.Text = units.Size(most)
		page, err := markup.ReadHTML(source, limits)
		if err != nil {
			return ""
		}
		return page.Text
	}
	text, _ := io.ReadAll(io.LimitReader(source.UTF8(), int64(most)))
	return strings.ToValidUTF8(string(text), "\uFFFD")
}

// pick collects words with how likely they are passwords: the higher the likelier.
type pick struct {
	words map[string]int
	order []string
}

// How likely words are.
const (
	seldom  = iota + 1 // anywhere in a message
	perhaps            // alone in a line, or quoted, of a message that says nothing of a password
	maybe              // near the word
	likely             // alone in a line, or quoted, near the word
	surely             // after "password:"
)

func (p *pick) add(word string, as int) {
	word = strings.TrimSpace(word)
	n := utf8.RuneCountInString(word)
	if n < shortestWord || n > longestWord || strings.Contains(word, "://") || strings.Contains(word, "\uFFFD") {
		return
	}
	if p.words == nil {
		p.words = map[string]int{}
	}
	if was, ok := p.words[word]; !ok {
		p.order = append(p.order, word)
		p.words[word] = as
	} else {
		p.words[word] = max(was, as)
	}
}

// token adds a word as it is, and without the signs that end a sentence or quote it.
func (p *pick) token(word string, as int) {
	word = strings.TrimSpace(word)
	bare := strings.Trim(word, quotes+".,;:!?()[]{}<>*")
	if strings.HasSuffix(word, ".") || strings.HasSuffix(word, ",") || strings.HasSuffix(word, ";") ||
		bare != "" && strings.ContainsAny(word[:1], quotes) {
		p.add(bare, as)
		p.add(word, min(as, maybe))
		return
	}
	p.add(word, as)
	if bare != word {
		p.add(bare, as)
	}
}

// best returns the likeliest words, those before that come first in the message.
func (p *pick) best() []string {
	slices.SortStableFunc(p.order, func(a, b string) int { return cmp.Compare(p.words[b], p.words[a]) })
	return p.order[:min(len(p.order), mostSecrets)]
}

// promising returns the likeliest words, without those that have nothing to say for them but that they are there.
func (p *pick) promising() []string {
	return slices.DeleteFunc(p.best(), func(w string) bool { return p.words[w] <= seldom })
}

// text looks through a text. In names and subjects, every word that looks like one counts.
func (p *pick) text(text string, short bool) {
	lines := strings.Split(text, "\n")
	lines = lines[:min(len(lines), secretLines)]
	near := -10 // the last line with the word
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if rest, before, ok := afterKeyword(line); ok {
			near = i
			p.keyed(before, rest)
			p.following(lines[i+1:])
		}
		close := i-near <= 3
		p.alone(line, close)
		for _, q := range quoted(line) {
			p.add(q, pickIf(close, likely, perhaps))
		}
		if short {
			for _, w := range strings.Fields(line) {
				if isOdd(w) {
					p.token(strings.TrimSuffix(w, extensionOf(w)), perhaps)
				}
			}
		}
	}
}

func pickIf(is bool, then, otherwise int) int {
	if is {
		return then
	}
	return otherwise
}

// extensionOf returns the ending of a file's name.
func extensionOf(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 5 {
		return name[i:]
	}
	return ""
}

// alone adds a line that is one word.
func (p *pick) alone(line string, close bool) {
	if line == "" || strings.ContainsFunc(line, unicode.IsSpace) {
		return
	}
	switch {
	case close:
		p.token(line, likely)
	case isOdd(line):
		p.token(line, perhaps)
	}
}

// following adds the first line after the one with the word.
func (p *pick) following(lines []string) {
	for _, line := range lines[:min(len(lines), 3)] {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		p.token(line, likely)
		if first, _, several := strings.Cut(line, " "); several {
			p.token(first, pickIf(isOdd(first), maybe, seldom))
		}
		return
	}
}

// keyed adds the text around the word in its line.
func (p *pick) keyed(before, rest string) {
	told, said := toldAfter(rest)
	if told && said != "" {
		first, _, several := strings.Cut(said, " ")
		p.token(first, surely)
		if several {
			p.token(said, likely)
			sentence, _, _ := strings.Cut(said, ". ")
			p.token(sentence, likely)
		}
	}
	for _, q := range quoted(rest) {
		p.add(q, surely)
	}
	for _, q := range quoted(before) {
		p.add(q, likely)
	}
	for _, side := range [...]string{rest, before} {
		for _, w := range strings.Fields(side) {
			p.token(w, pickIf(isOdd(w), maybe, seldom))
		}
	}
}

// toldAfter reports whether what comes after the word says what it is, and returns that.
func toldAfter(rest string) (bool, string) {
	const most = 40 // bytes between the word and what says that it comes now
	for i, r := range rest {
		if i > most {
			break
		}
		switch r {
		case ':', '=', '：', '→', '»':
			return true, strings.TrimLeft(rest[i+utf8.RuneLen(r):], " \t:=>-")
		}
	}
	lower := strings.ToLower(rest)
	for _, is := range says {
		if at := strings.Index(lower, is); at >= 0 && at <= most && len(lower) == len(rest) {
			return true, strings.TrimLeft(rest[at+len(is):], " \t:")
		}
	}
	if trimmed := strings.TrimLeft(rest, " \t-–—"); trimmed != "" {
		return isOdd(firstOf(trimmed)), trimmed
	}
	return false, ""
}

func firstOf(s string) string { first, _, _ := strings.Cut(s, " "); return first }

// says are words by which a password is told.
var says = []string{" is ", " ist ", " lautet ", " est ", " es ", " è ", " é ", " to open ",
	" это ", " jest ", " är ", " er ", "は", "为", "是", "為"}

// isOdd reports whether a word looks like a password and not like one of a language.
func isOdd(word string) bool {
	var letters, digits, signs, capitals int
	for i, r := range word {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsUpper(r):
			capitals += pickIf(i > 0, 1, 0)
			letters++
		case unicode.IsLetter(r):
			letters++
		case strings.ContainsRune("!@#$%^&*+=_~?/\\|", r):
			signs++
		}
	}
	return digits > 0 || signs > 0 && letters > 0 || capitals > 0 && letters > capitals
}

// quotes are the signs around quoted text.
const quotes = "\"'`“”„‟«»‹›‘’‚「」『』"

// quoted returns the quoted texts of a line.
func quoted(line string) (list []string) {
	pairs := [...][2]string{{"\"", "\""}, {"“", "”"}, {"„", "“"}, {"„", "”"}, {"«", "»"}, {"»", "«"}, {"'", "'"}, {"‘", "’"}, {"`", "`"},
		{"「", "」"}, {"『", "』"}, {"[", "]"}, {"(", ")"}, {"<", ">"}, {"*", "*"}}
	for _, q := range pairs {
		rest := line
		for range 8 {
			_, after, ok := strings.Cut(rest, q[0])
			inside, next, ended := strings.Cut(after, q[1])
			if !ok || !ended {
				break
			}
			list = append(list, inside)
			rest = next
		}
	}
	return list
}

// afterKeyword finds the word for a password in a line, and returns the text after and
// before it.
func afterKeyword(line string) (rest, before string, ok bool) {
	lower := strings.ToLower(line)
	if len(lower) != len(line) {
		line = lower
	}
	at, end := len(line)+1, 0
	for _, k := range keywords {
		from := 0
		for {
			i := strings.Index(lower[from:], k)
			if i < 0 {
				break
			}
			i += from
			from = i + len(k)
			if startsWord(lower, i, k) {
				if i < at || i == at && i+len(k) > end {
					at, end = i, i+len(k)
				}
				break
			}
		}
	}
	if at > len(line) {
		return "", "", false
	}
	return line[end:], line[:at], true
}

// startsWord reports whether a word begins at i, or is of a language that has no blanks.
func startsWord(s string, i int, word string) bool {
	if r, _ := utf8.DecodeRuneInString(word); r >= 0x0e00 && !unicode.Is(unicode.Latin, r) {
		return true
	}
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return i == 0 || !unicode.IsLetter(r)
}

// keywords are words for a password in the languages mail is in, in small letters.
var keywords = []string{
	"password", "passwords", "passwort", "passwd", "passcode", "passphrase", "pass word", "pass", "pwd", "pw", "pin", "pin code",
	"access code", "kennwort", "losungswort", "zugangscode", "entsperrcode", "code",
	"mot de passe", "mdp", "code d'accès", "contraseña", "contrasena", "clave", "senha", "palavra-passe", "parola d'ordine", "parola",
	"wachtwoord", "toegangscode", "lösenord", "losenord", "adgangskode", "kodeord", "passord", "salasana", "parool", "parole", "slaptažodis",
	"hasło", "haslo", "hasłem", "heslo", "heslom", "jelszó", "jelszo", "lozinka", "geslo", "parolă", "şifre", "sifre", "şifresi", "parolası",
	"пароль", "пароля", "паролю", "паролем", "пароли", "лозинка", "парола", "κωδικός", "κωδικό", "סיסמה", "סיסמא",
	"كلمة المرور", "كلمة السر", "كلمه السر", "رمز عبور", "गुप्त शब्द", "पासवर्ड", "รหัสผ่าน", "mật khẩu", "kata sandi", "kata laluan",
	"密码", "密碼", "口令", "解压码", "パスワード", "暗証番号", "비밀번호", "암호",
}
