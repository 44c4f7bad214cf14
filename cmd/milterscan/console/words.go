package console

import (
	"html/template"
	"strings"
	"unicode/utf8"

	"github.com/milterscan/milterscan/policy"
)

// shortText is how many bytes of a text from a message are shown before its reader asks
// for the rest.
const shortText = 160

// mostText is how many are shown at all.
const mostText = 16 << 10

// foreign shows a text that comes from a message: nothing in it is markup, what cannot
// be seen is written out, and its direction of writing ends with it. A long one is
// cut, with the whole below for those who ask.
func (v *pages) foreign(s string) template.HTML {
	return v.cut(s, shortText)
}

// brief shows a text as foreign does, for cells of tables, where the whole is a title.
func (v *pages) brief(s string) template.HTML {
	short := clip(s, shortText)
	if short == s {
		return isolated(policy.Visible(s))
	}
	return template.HTML(`<bdi title="` + template.HTMLEscapeString(policy.Visible(clip(s, 1000))) + `">` +
		template.HTMLEscapeString(policy.Visible(short)) + `…</bdi>`)
}

func (v *pages) cut(s string, most int) template.HTML {
	short := clip(s, most)
	if short == s {
		return isolated(policy.Visible(s))
	}
	whole := clip(s, mostText)
	more := ""
	if whole != s {
		told := v.texts.Of("text-cut", v.locale.size(mostText), v.locale.size(int64(len(s))))
		more = `<p class="note">` + template.HTMLEscapeString(told) + `</p>`
	}
	return template.HTML(`<details class="long"><summary>` + string(isolated(policy.Visible(short))) + `… <span class="more">` +
		template.HTMLEscapeString(v.texts.Of("text-whole")) + `</span></summary><div class="whole">` + string(isolated(policy.Visible(whole))) +
		`</div>` + more + `</details>`)
}

// isolated puts a text into an element that keeps its direction to itself.
func isolated(s string) template.HTML {
	return template.HTML(`<bdi>` + template.HTMLEscapeString(s) + `</bdi>`)
}

// clip returns at most so many bytes of a text, whole characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[:most]
	for range utf8.UTFMax {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}

// firstLine returns the first line of a text, so that a detail does not break a table.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
