package virus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// answer is what a service says about a content.
type answer struct {
	job     string // that goes on; "" for none
	settled bool
	name    string // of what was found; "" for clean
}

// errAnswer says that an answer is none.
var errAnswer = errors.New("its answer makes no sense")

// Bounds of an answer.
const (
	mostAnswer = 1 << 20
	mostJob    = 200 // bytes of an id
)

// read reads an answer.
func (s *service) read(text []byte) (a answer, err error) {
	var v any
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if err := in.Decode(&v); err != nil || in.More() {
		return a, fmt.Errorf("%w: it is no JSON: %.200q", errAnswer, text[:min(len(text), 200)])
	}
	a.job, _ = at(v, s.IDAt)
	if len(a.job) > mostJob {
		return a, fmt.Errorf("%w: the id of the job has more than %d bytes", errAnswer, mostJob)
	}
	word, there := at(v, s.VerdictAt)
	is := func(list []string) bool {
		return slices.ContainsFunc(list, func(w string) bool { return strings.EqualFold(w, word) })
	}
	switch {
	case !there || is(s.PendingWords):
		return a, nil
	case is(s.InfectedWords):
		a.settled = true
		if a.name, _ = at(v, s.NameAt); a.name == "" {
			a.name = unnamed
		}
		a.name = strings.ToValidUTF8(a.name[:min(len(a.name), 2*longestSignature)], "?")
		return a, nil
	case is(s.CleanWords):
		a.settled = true
		return a, nil
	}
	return a, fmt.Errorf("%w: the verdict %.80q is in none of clean_words, infected_words and pending_words", errAnswer, word)
}

// at returns the value at a path of keys and places in lists, as text. A null, a list or an object there is no value.
func at(v any, path string) (string, bool) {
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(in) {
				return "", false
			}
			v = in[i]
		default:
			return "", false
		}
	}
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
