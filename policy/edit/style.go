package edit

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
)

// literal looks at the text of an element such as a style sheet.
func (d *disarmer) literal(t *markup.Token) {
	if t.Name != "style" {
		return
	}
	at := t.Tag()
	if len(d.at[at]) == 0 || d.raw.name != "" {
		return
	}
	d.sheet = at
}

// endStyle changes a style sheet, once the token after it is known. Where it has no
// end some clients show its text, so only its tag goes.
func (d *disarmer) endStyle(next *markup.Token) {
	at := d.sheet
	d.sheet = markup.Span{}
	switch {
	case at.Len() == 0:
	case next == nil || next.Kind != markup.EndTag || next.Name != "style" || next.Span.Start != at.End:
		d.drop(d.style)
	default:
		if css, err := bytesAt(d.content, at); err == nil { // if it fails, the check of the new page finds the sheet unchanged
			d.replace(at, string(ownStyle(css)))
		}
	}
}

// styleOf takes the addresses to be fetched out of an attribute with style.
func (d *disarmer) styleOf(t *tag, l markup.Link) {
	for i, a := range t.attrs {
		if a.At != l.Value || t.gone[i] {
			continue
		}
		css, err := bytesAt(d.content, a.At)
		if own := ownStyle(css); err == nil && len(own) > 0 && !bytes.Contains(css, []byte("&#")) {
			t.gone[i] = true
			d.replace(a.At, string(own))
			continue
		}
		d.without(t, a.Name)
	}
}

// ownStyle returns style without the addresses elsewhere. Where it is written so that
// addresses hide in it nothing stays.
func ownStyle(css []byte) []byte {
	if bytes.IndexByte(css, '\\') >= 0 {
		return nil
	}
	lower := bytes.ToLower(css)
	if len(lower) != len(css) {
		return nil
	}
	var out []byte
	for {
		at, address := nextAddress(lower)
		if at < 0 {
			return append(out, css...)
		}
		out = append(out, css[:at]...)
		n := addressLength(css[at:], address)
		switch {
		case address && isOwn(css[at:at+n]):
			out = append(out, css[at:at+n]...)
		case address:
			out = append(out, "none"...)
		}
		css, lower = css[at+n:], lower[at+n:]
	}
}

// nextAddress returns the index of the next "url(", or the next "@import"; -1 if
// there is none.
func nextAddress(css []byte) (at int, address bool) {
	for at := 0; at < len(css); at++ {
		switch {
		case css[at] == 'u' && bytes.HasPrefix(css[at:], []byte("url(")):
			return at, true
		case css[at] == '@' && bytes.HasPrefix(css[at:], []byte("@import")):
			return at, false
		}
	}
	return -1, false
}

// addressLength returns the length of "url(…)", or of "@import …;".
func addressLength(css []byte, address bool) int {
	end := byte(';')
	if address {
		end = ')'
	}
	if i := bytes.IndexByte(css, end); i >= 0 {
		return i + 1
	}
	return len(css)
}

// isOwn reports whether "url(…)" is an address in the mail itself.
func isOwn(address []byte) bool {
	s := strings.ToLower(strings.Trim(string(address[len("url("):]), " \t\r\n\"')"))
	return strings.HasPrefix(s, "cid:") || strings.HasPrefix(s, "data:") || strings.HasPrefix(s, "#")
}

func itoa(r rune) string { return strconv.Itoa(int(r)) }
