package console

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/console/wording"
)

// verb matches what arguments are put in for.
var verb = regexp.MustCompile(`%[sd]`)

// TestLanguagesAreComplete compares the keys of all languages, and the arguments that
// their texts take.
func TestLanguagesAreComplete(t *testing.T) {
	english, err := wording.Read(textFiles, "en")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range wording.Languages() {
		other, err := wording.Read(textFiles, code)
		if err != nil {
			t.Fatal(err)
		}
		for key, text := range english {
			switch got, ok := other[key]; {
			case !ok:
				t.Errorf("%s has no text for %q", code, key)
			case !slices.Equal(verb.FindAllString(text, -1), verb.FindAllString(got, -1)):
				t.Errorf("%s, %q: %q takes other arguments than %q", code, key, got, text)
			case strings.TrimSpace(got) == "":
				t.Errorf("%s, %q is empty", code, key)
			}
		}
		for key := range other {
			if _, ok := english[key]; !ok {
				t.Errorf("%s has a text for %q, which English has not", code, key)
			}
		}
		if _, ok := locales[code]; !ok {
			t.Errorf("%s has no locale", code)
		}
	}
}

// same are keys whose texts are alike in several languages.
var same = regexp.MustCompile(`^(language-|queue-id|id$|action$|page$|message$|messages$|type$|client$|login$|state-kept$|score$|direction$|part$|step-|title-settings$|no-)`)

// TestLanguagesAreTranslated finds texts that are still those of another language.
func TestLanguagesAreTranslated(t *testing.T) {
	english, err := wording.Read(textFiles, "en")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range wording.Languages()[1:] {
		other, err := wording.Read(textFiles, code)
		if err != nil {
			t.Fatal(err)
		}
		for key, text := range other {
			if text == english[key] && len(text) > 12 && !same.MatchString(key) {
				t.Errorf("%s, %q is English: %q", code, key, text)
			}
		}
	}
}

// used matches the keys of texts in templates and in the program.
var used = []*regexp.Regexp{
	regexp.MustCompile(`\{\{-? ?t "([^"]+)"`), regexp.MustCompile(`\(t "([^"]+)"`), regexp.MustCompile(`texts\.Of\("([^"]+)"`),
}

// TestEveryTextIsThere looks for the keys that templates and the program use, and for
// texts that nothing uses.
func TestEveryTextIsThere(t *testing.T) {
	english, err := wording.Read(textFiles, "en")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("*.go")
	pages, _ := filepath.Glob("templates/*.html")
	var all strings.Builder
	for _, file := range append(files, pages...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		all.Write(text)
		for _, pattern := range used {
			for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
				if _, ok := english[m[1]]; !ok && !strings.HasSuffix(m[1], "-") {
					t.Errorf("%s uses %q, for which there is no text", file, m[1])
				}
			}
		}
	}
	families := regexp.MustCompile(`^(language|title|problem|part|act|page|action|kind|state|direction|level|role|right|done|step|span|top|bulk)-`)
	for _, key := range slices.Sorted(maps.Keys(english)) {
		if !families.MatchString(key) && !strings.Contains(all.String(), `"`+key+`"`) {
			t.Errorf("nothing uses %q", key)
		}
	}
}
