package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// renaming is a key or section that is called otherwise since some version of
// the file's format, within the same section.
type renaming struct {
	since    int
	old, new string // "section.key", in lists without numbers; new is "" for a key that is gone
	why      string // one sentence
}

// renamings returns all there have been. Version 1 is the first, so there are none;
// a key that is renamed gets its line here, and the version one more.
func renamings() []renaming { return nil }

var listNumber = regexp.MustCompile(`\[\d+\]`)

// renamed returns the renaming of the key at path, nil if there was none.
func renamed(all []renaming, path string) *renaming {
	path = listNumber.ReplaceAllString(path, "")
	for i := range all {
		if all[i].old == path {
			return &all[i]
		}
	}
	return nil
}

// advice says what has become of a key.
func (r renaming) advice() string {
	if r.new == "" {
		return fmt.Sprintf("it is gone since version %d: %s; \"milterscan check --migrate\" prints the file without it", r.since, r.why)
	}
	return fmt.Sprintf("it is called %s since version %d: %s; \"milterscan check --migrate\" prints the new file", r.new, r.since, r.why)
}

// Migrate returns the file at path as it is written for the current version, with
// its comments and order, and says what was changed.
func Migrate(path string) (text string, changes []string, err error) {
	text, err = readFile(path, maxFile)
	if err != nil {
		return "", nil, err
	}
	var table map[string]any
	if _, err := toml.Decode(text, &table); err != nil {
		return "", nil, fmt.Errorf("%s: %w", path, err)
	}
	text, changes = migrate(text, renamings())
	return text, changes, nil
}

// migrate renames keys in place.
func migrate(text string, all []renaming) (string, []string) {
	lines := strings.SplitAfter(text, "\n")
	var changes []string
	keys := keysByLine(text)
	for i, k := range keys {
		r := renamed(all, k.path)
		if r == nil {
			continue
		}
		line := &lines[k.line-1]
		old, now := last(r.old), last(r.new)
		if r.new == "" {
			commentOut(lines[k.line-1 : end(keys[i:], len(lines))])
			changes = append(changes, fmt.Sprintf("line %d: %s is gone: %s", k.line, k.path, r.why))
			continue
		}
		*line = strings.Replace(*line, old, now, 1)
		changes = append(changes, fmt.Sprintf("line %d: %s is called %s: %s", k.line, k.path, now, r.why))
	}
	return versioned(lines, &changes), changes
}

// end returns the line after the value of the first of some keys.
func end(keys []keyAt, last int) int {
	if len(keys) > 1 {
		return max(keys[0].line, keys[1].line-1)
	}
	return last
}

// commentOut keeps keys that are gone in place, as comments.
func commentOut(lines []string) {
	for i, l := range lines {
		if strings.TrimSpace(l) != "" {
			lines[i] = "# " + l
		}
	}
}

// keyAt is a key and the line on which it appears first.
type keyAt struct {
	path string
	line int
}

func keysByLine(text string) []keyAt {
	var list []keyAt
	for path, line := range keyLines(text) {
		if !strings.HasSuffix(path, "]") { // a value in a list, or what its header means
			list = append(list, keyAt{path, line})
		}
	}
	slices.SortFunc(list, func(a, b keyAt) int { return cmp.Or(cmp.Compare(a.line, b.line), strings.Compare(a.path, b.path)) })
	return list
}

// last returns the key at the end of a path.
func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

var versionLine = regexp.MustCompile(`^\s*version\s*=\s*\d+`)

// versioned gives the file the current version.
func versioned(lines []string, changes *[]string) string {
	want := fmt.Sprintf("version = %d", currentVersion)
	for i, l := range lines {
		if strings.HasPrefix(strings.TrimSpace(l), "[") {
			break
		}
		if versionLine.MatchString(l) {
			now := versionLine.ReplaceAllString(l, want)
			if now != l {
				*changes = append(*changes, fmt.Sprintf("line %d: %s", i+1, want))
			}
			lines[i] = now
			return strings.Join(lines, "")
		}
	}
	*changes = append(*changes, "line 1: "+want)
	return want + "\n" + strings.Join(lines, "")
}
