package hostile

import (
	"fmt"
	"strings"
)

// encodingHeader returns the attachment with other Content-Transfer-Encoding lines.
func encodingHeader(e encoding, lines string) entity {
	return entity{octets + attached + lines, e.to(EICAR())}
}

// encodingFields returns one Content-Transfer-Encoding line per value.
func encodingFields(values ...string) string {
	var b strings.Builder
	for _, v := range values {
		b.WriteString(encodingIs + v + crlf)
	}
	return b.String()
}

// encodingTwice: several Content-Transfer-Encoding fields that disagree.
func encodingTwice() []Case {
	return inBoth(leafPlaces(), func(e encoding) []variant {
		rows := []struct {
			name, why string
			values    []string
		}{
			{"right-other", "a client that obeys the first field", []string{e.name, e.other().name}},
			{"other-right", "a client that obeys the last field", []string{e.other().name, e.name}},
			{"other-right-right", "a client that obeys the last field, or the majority", []string{e.other().name, e.name, e.name}},
			{"right-right-other", "a client that obeys the first field", []string{e.name, e.name, e.other().name}},
			{"other-right-other", "a client that obeys the first field after a duplicate was dropped",
				[]string{e.other().name, e.name, e.other().name}},
			{"nonsense-right", "a client that passes over values it does not know", []string{"x-nonsense", e.name}},
			{"right-nonsense", "a client that obeys the first field, or the one it knows", []string{e.name, "x-nonsense"}},
			{"7bit-right", "a client that obeys the last field", []string{"7bit", e.name}},
			{"right-7bit", "a client that obeys the first field", []string{e.name, "7bit"}},
			{"8bit-right", "a client that obeys the last field", []string{"8bit", e.name}},
			{"right-binary", "a client that obeys the first field", []string{e.name, "binary"}},
			{"right-empty", "a client that passes over empty fields", []string{e.name, ""}},
			{"empty-right", "a client that passes over empty fields", []string{"", e.name}},
			{"uuencode-right", "a client without a uudecoder, or that obeys the last field", []string{"x-uuencode", e.name}},
			{"right-uuencode", "a client that obeys the first field", []string{e.name, "x-uuencode"}},
			{"right-right", "every client: the fields agree", []string{e.name, e.name}},
		}
		var vs []variant
		for _, r := range rows {
			vs = append(vs, variant{name: r.name, why: r.why, entity: encodingHeader(e, encodingFields(r.values...)), read: opened(e)})
		}
		return append(vs, encodingApart(e)...)
	})
}

// encodingApart puts the two fields at the two ends of the header.
func encodingApart(e encoding) []variant {
	right, wrong := encodingFields(e.name), encodingFields(e.other().name)
	body := e.to(EICAR())
	return []variant{
		{name: "apart-right-first", why: "a client that obeys the first field", read: opened(e),
			entity: entity{right + octets + attached + wrong, body}},
		{name: "apart-right-last", why: "a client that obeys the last field", read: opened(e),
			entity: entity{wrong + octets + attached + right, body}},
		{name: "other-case", why: "a client that keeps fields in a map by their spelling", read: opened(e),
			entity: entity{wrong + octets + attached + "content-transfer-ENCODING: " + e.name + crlf, body}},
	}
}

// encodingList: one field with more than one word in it.
func encodingList() []Case {
	return inBoth(leafPlaces(), func(e encoding) []variant {
		r, o := e.name, e.other().name
		rows := []struct{ value, why string }{
			{r + ", " + o, "a client that takes the first of a list"},
			{o + ", " + r, "a client that takes the last of a list"},
			{r + "," + o, "a client that takes the first of a list"},
			{o + "," + r, "a client that takes the last of a list"},
			{r + " " + o, "a client that stops at the blank"},
			{o + " " + r, "a client that looks for a word it knows from the end"},
			{r + "; " + o, "a client that stops at the semicolon"},
			{o + "; " + r, "a client that takes the last of a list"},
			{`"` + r + `"`, "a client that takes off quotes"},
			{`"` + r + `", ` + o, "a client that takes off quotes, and the first of a list"},
			{o + `, "` + r + `"`, "a client that takes off quotes, and the last of a list"},
			{`'` + r + `'`, "a client that takes off any quotes"},
			{`"` + r, "a client that takes an open quote for closed at the end"},
			{r + r, "a client that compares the beginning of the word"},
			{r + ";", "a client that stops at the semicolon"},
			{r + ",", "a client that stops at the comma"},
			{r + "; x=y", "a client that stops at the semicolon"},
			{r + "; charset=utf-8", "a client that stops at the semicolon"},
			{r + " =x", "a client that stops at the blank"},
			{";" + r, "a client that looks for a word it knows"},
			{"," + r, "a client that drops empty items of a list"},
			{"7bit, " + r, "a client that takes the last of a list"},
			{r + ", 7bit", "a client that takes the first of a list"},
			{"<" + r + ">", "a client that takes off angle brackets"},
			{r + ".", "a client that drops punctuation at the end"},
			{"x-" + r, "a client that knows the old x- names"},
		}
		var vs []variant
		for i, row := range rows {
			vs = append(vs, variant{name: fmt.Sprintf("%02d", i+1), why: row.why, entity: encodingHeader(e, encodingFields(row.value)),
				read: opened(e)})
		}
		return vs
	})
}

// encodingDress: the right word, written so that not every program recognises it.
func encodingDress() []Case {
	return inBoth(leafPlaces(), func(e encoding) []variant {
		r, half := e.name, len(e.name)/2
		rows := []struct {
			name, lines, why string
			tidy             bool
		}{
			{"comment-only", encodingFields("(" + r + ")"), "a client that strips brackets instead of comments", false},
			{"comment-before", encodingFields("(mostly) " + r), "a client that knows comments", true},
			{"comment-behind", encodingFields(r + " (mostly)"), "a client that knows comments", true},
			{"comment-glued", encodingFields(r + "(mostly)"), "a client that knows comments", true},
			{"comment-inside", encodingFields(r[:half] + "(x)" + r[half:]), "a client that drops comments before it looks", false},
			{"comment-nested", encodingFields("(a (b) c) " + r), "a client that knows comments", true},
			{"comment-open", encodingFields(r + " (mostly"), "a client that takes the first word", false},
			{"comment-lies", encodingFields("(" + e.other().name + ") " + r), "a client that knows comments", true},
			{"fold-inside", encodingFields(r[:half] + crlf + " " + r[half:]), "a client that joins folded lines without the blank", false},
			{"fold-before", encodingFields(crlf + " " + r), "every client that unfolds", true},
			{"fold-tab", encodingFields(crlf + "\t" + r), "every client that unfolds", true},
			{"fold-blank-line", encodingFields(crlf + " " + crlf + " " + r),
				"a client that takes a line of blanks for folding (RFC 5322, section 4.2)", false},
			{"nul-inside", encodingFields(r[:half] + "\x00" + r[half:]), "a client that drops zero bytes", false},
			{"nul-behind", encodingFields(r + "\x00"), "a client that ends strings at zero bytes", false},
			{"nul-junk", encodingFields(r + "\x00junk"), "a client that ends strings at zero bytes", false},
			{"nul-before", encodingFields("\x00" + r), "a client that drops zero bytes", false},
			{"upper-case", encodingFields(strings.ToUpper(r)), "every client: the word is the same in any case", true},
			{"mixed-case", encodingFields(strings.ToUpper(r[:1]) + r[1:]), "every client: the word is the same in any case", true},
			{"blanks", encodingFields("   " + r + " \t "), "every client that trims", true},
			{"no-blank", "Content-Transfer-Encoding:" + r + crlf, "every client: the blank is not needed", true},
			{"backslash", encodingFields(r[:half] + `\` + r[half:]), "a client that undoes quoted pairs anywhere", false},
			{"encoded-word", encodingFields("=?us-ascii?Q?" + r + "?="), "a client that decodes every header alike (RFC 2047 forbids it)", false},
			{"8-bit-behind", encodingFields(r + "\xa0"), "a client that counts the no-break space as a blank", false},
			{"vertical-tab", encodingFields("\v" + r + "\f"), "a client that trims all that isspace() knows", false},
			{"swallowed", "X-Note: (never closed" + crlf + encodingFields(r), "every client that splits fields before it reads comments", true},
			{"swallowed-type", "Content-Description: papers (never closed" + crlf + encodingFields(r+" )"),
				"a client that splits fields before it reads comments", false},
		}
		var vs []variant
		for _, row := range rows {
			vs = append(vs, variant{name: row.name, why: row.why, entity: encodingHeader(e, row.lines), read: opened(e), tidy: row.tidy})
		}
		return vs
	})
}

// encodingOfComposite: a transfer encoding on what may have none (RFC 2045,
// section 6.4), and it is meant.
func encodingOfComposite() []Case {
	return inBoth(compositePlaces(), func(e encoding) []variant {
		inside := attachment(b64()).text()
		mixed := mixedFoo + encodingIs + e.name + crlf
		mail := "Content-Type: message/rfc822\r\n" + encodingIs + e.name + crlf
		undo := in(content, e.from)
		leaf := in(section("foo", 2), opened(b64()))
		return []variant{
			{name: "multipart", why: "a client that undoes the encoding before it splits", read: in(undo, leaf),
				entity: entity{mixed, e.to([]byte(multipart("foo", inside)))}},
			{name: "multipart-not-meant", why: "a client that ignores the forbidden encoding", read: leaf,
				entity: entity{mixed, multipart("foo", inside)}},
			{name: "multipart-alternative", why: "a client that undoes the encoding before it splits", read: in(undo, leaf),
				entity: entity{strings.Replace(mixed, "mixed", "alternative", 1), e.to([]byte(multipart("foo", inside)))}},
			{name: "multipart-twice", why: "a client that undoes the encoding at every level",
				read: in(undo, section("foo", 2), undo, section("bar", 2), opened(b64())),
				entity: entity{mixed, e.to([]byte(multipart("foo",
					"Content-Type: multipart/mixed; boundary=bar\r\n"+encodingIs+e.name+crlf+crlf+e.to([]byte(multipart("bar", inside))))))}},
			{name: "message", why: "a client that undoes the encoding before it opens the message", read: in(undo, content, leaf),
				entity: entity{mail, e.to([]byte(letterhead + mixedFoo + crlf + multipart("foo", inside)))}},
			{name: "message-not-meant", why: "a client that ignores the forbidden encoding", read: in(content, content, leaf),
				entity: entity{mail, letterhead + mixedFoo + crlf + multipart("foo", inside)}},
			{name: "message-single", why: "a client that undoes the encoding before it opens the message", read: in(undo, opened(b64())),
				entity: entity{mail, e.to([]byte(letterhead + inside))}},
			{name: "message-global", why: "a client that undoes the encoding (RFC 6532 allows it here)", read: in(undo, opened(b64())), tidy: true,
				entity: entity{strings.Replace(mail, "rfc822", "global", 1), e.to([]byte(letterhead + inside))}},
			{name: "message-news", why: "a client that opens news articles like messages", read: in(undo, opened(b64())), tidy: true,
				entity: entity{strings.Replace(mail, "rfc822", "news", 1), e.to([]byte(letterhead + inside))}},
		}
	})
}
