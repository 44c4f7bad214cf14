package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// MostDraft is the largest draft that is read, in bytes.
const MostDraft = 1 << 20

// DraftName is the file that a draft would be, in the directory of the one in force.
const DraftName = "draft"

// drafted are the sections that a draft may have otherwise than the file in force: what decides about
// messages, and what scanners look for in them. All others name places on the host, or concern what a draft
// is not tried with.
var drafted = []string{"version", "profile", "local", "limits", "attachment", "document", "content", "edit", "rule"}

// Draft reads a text as if it were the configuration file at path, for a rehearsal that a person asks for
// who does not administer the host itself. Of the sections that name files, programs, sockets, hosts or
// secrets it has those of the file at path, as of those that the text lacks, but for rules; aside names
// what the text has otherwise there, and is not taken; for a text that has none of these sections it names
// nothing. Lists may be named if the file at path, or one in policy.d, names them for the same purpose. The
// tests of the file at path are left out.
func Draft(path, text string) (c *Config, aside []string, err error) {
	d := &draft{path: path}
	c, err = load(filepath.Join(filepath.Dir(path), DraftName),
		func(b *binder) (map[string]any, bool) { return d.read(b, text) })
	return c, d.aside, err
}

// DraftFile returns how persons are told the name of a file of a draft for path: the text has none.
func DraftFile(path, file string) string {
	if file == filepath.Join(filepath.Dir(path), DraftName) {
		return DraftName
	}
	return file
}

// draft is a text that is read in place of a file.
type draft struct {
	path  string
	aside []string
}

// read reads the text, and puts what it does not decide about in the place of what it has there.
func (d *draft) read(b *binder, text string) (map[string]any, bool) {
	if len(text) > MostDraft {
		b.wrong("", "it is larger than %d bytes", MostDraft)
		return nil, false
	}
	table, ok := b.decode(text)
	if !ok {
		return nil, false
	}
	at := &binder{file: d.path, origins: origins{}}
	force, ok := at.read(d.path)
	if !ok {
		b.problems = append(b.problems, at.problems...)
		return nil, false
	}
	known := map[string]bool{}
	named := listsOf(force, filepath.Dir(d.path))
	for _, file := range policyFiles(d.path) {
		if extra, ok := at.read(file); ok {
			maps.Copy(named, listsOf(extra, filepath.Dir(file)))
		}
	}
	for key := range fieldsOf(reflect.ValueOf(Default()).Elem()) {
		known[key] = true
	}
	d.takeOver(table, force, known)
	return table, b.allowLists(table, named)
}

// takeOver gives a table the sections of the file in force, but for those that a draft decides about and has. The
// rules are always its own. A key that names no section stays, and is refused.
func (d *draft) takeOver(table, force map[string]any, known map[string]bool) {
	whole := false // rather than some rules: what such a text lacks is taken out
	for key := range known {
		_, had := table[key]
		whole = whole || had && !slices.Contains(drafted, key)
	}
	for key := range known {
		mine, had := table[key]
		ours, has := force[key]
		if slices.Contains(drafted, key) && (had || key == "rule") {
			continue
		}
		if key != "test" && whole && (had != has || !reflect.DeepEqual(mine, ours)) {
			d.aside = append(d.aside, key)
		}
		delete(table, key)
		if has && key != "test" {
			table[key] = ours
		}
	}
	slices.Sort(d.aside)
}

// namedList is a list that a value names, and the sort of lines that it has.
type namedList struct{ sort, file string }

// sortOf says which lists are of the same sort, by the key that names them: a fault in a line of a list is
// told, so that a list of another sort would be told line by line.
func sortOf(key string) string {
	switch key {
	case "from", "to", "not_to", "header_from":
		return "addresses"
	}
	return key
}

// listsOf returns the lists that a table names, those with relative names in a directory.
func listsOf(table map[string]any, dir string) map[namedList]bool {
	all := map[namedList]bool{}
	eachList("", "", table, func(_, key, file string) { all[namedList{sortOf(key), absolute(file, dir)}] = true })
	return all
}

// absolute returns the whole path of a file.
func absolute(file, dir string) string {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	return filepath.Clean(file)
}

// allowLists refuses lists in the sections of a draft that the configuration in force does not name.
func (b *binder) allowLists(table map[string]any, named map[namedList]bool) bool {
	before := len(b.problems)
	for _, section := range drafted {
		eachList(section, section, table[section], func(path, key, file string) {
			if !named[namedList{sortOf(key), absolute(file, filepath.Dir(b.file))}] {
				b.wrong(path,
					"the configuration in force names no such file there, so it is not read; write what is in it here, or "+
						"judge mail with it on the host: milterscan replay --with FILE")
			}
		})
	}
	return len(b.problems) == before
}

// eachList visits the names of files in a value of a configuration, with the path and the key of each.
func eachList(path, key string, value any, visit func(path, key, file string)) {
	switch v := value.(type) {
	case string:
		if file, ok := strings.CutPrefix(v, "file:"); ok {
			visit(path, key, file)
		} else if slices.Contains(fileKeys, key) {
			visit(path, key, v)
		}
	case map[string]any:
		for name, one := range v {
			eachList(join(path, name), name, one, visit)
		}
	default:
		items, _ := elements(value)
		for i, one := range items {
			eachList(fmt.Sprintf("%s[%d]", path, i), key, one, visit)
		}
	}
}

// decode reads a text as TOML, and prepares the binder for it.
func (b *binder) decode(text string) (map[string]any, bool) {
	var table map[string]any
	if _, err := toml.Decode(text, &table); err != nil {
		b.syntax(err)
		return nil, false
	}
	b.lines = keyLines(text)
	return table, true
}
