package markup

import (
	"strings"
	"unicode"
)

// lookalikes are letters of other scripts that look like a Latin one in common
// fonts, in lower case, as hosts have them: pairs of a letter and what it looks
// like.
var lookalikes = pairs("" +
	"аaвbеeкkмmнhоoрpсcтtуyхxѕsіiјjԁdһhԛqԝwѵvӏlьbгrпnԍgҁcҽeѡwүyҝkԏt" + // Cyrillic
	"αaβbγyεeηnιiκkνvοoρpσoτtυuχxωwϲcϳj" + // Greek
	"աwգqզqհhլlոnսuօoցgռnքp" + // Armenian
	"ıiȷjɑaɡgɩiʏyʀrʟlɪiᴀaᴄcᴅdᴇeᴊjᴋkᴍmᴏoᴘpᴛtᴜuᴠvᴡwᴢzǃlłl") // odd Latin

func pairs(list string) map[rune]rune {
	m := map[rune]rune{}
	letters := []rune(list)
	for i := 0; i+1 < len(letters); i += 2 {
		m[letters[i]] = letters[i+1]
	}
	return m
}

// scripts are those whose letters are not mixed with each other in a word.
var scripts = []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee, unicode.Coptic,
	unicode.Georgian, unicode.Hebrew, unicode.Arabic}

// Lookalike reports whether a host, as it is shown, has a label that could be
// taken for another: scripts mixed in one label, or a label all of whose letters
// look Latin and are not, under a suffix that is. It returns the host that it could
// be taken for, too.
func Lookalike(host string) (as string, ok bool) {
	shown := Shown(host)
	labels := strings.Split(shown, ".")
	latin := isASCII(labels[len(labels)-1])
	for i, label := range labels {
		if isASCII(label) {
			continue
		}
		skeleton := Skeleton(label)
		if mixed(label) || latin && isASCII(skeleton) && odd(label) {
			labels[i], ok = skeleton, true
		}
	}
	return strings.Join(labels, "."), ok
}

// Skeleton returns a text with the letters that look Latin made Latin.
func Skeleton(s string) string {
	return strings.Map(func(r rune) rune {
		if to, ok := lookalikes[r]; ok {
			return to
		}
		return r
	}, s)
}

// mixed reports letters of two scripts in one label.
func mixed(label string) bool {
	first := -1
	for _, r := range label {
		for i, script := range scripts {
			if !unicode.Is(script, r) {
				continue
			}
			if first >= 0 && first != i {
				return true
			}
			first = i
		}
	}
	return false
}

// odd reports whether any letter of a label is one that only looks Latin.
func odd(label string) bool {
	return strings.ContainsFunc(label, func(r rune) bool { _, ok := lookalikes[r]; return ok })
}
