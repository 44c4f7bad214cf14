package policy

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notOfRecords are the fields that docs/log.md has besides: of log lines, and of one command.
var notOfRecords = []string{"level", "msg", "file"}

// quotedName is a name of a field as a page writes it.
var quotedName = regexp.MustCompile("`([a-z_0-9]+)`")

// rowsOf returns the rows of a table of fields: the whole row, by each name in its first cell.
func rowsOf(page string) map[string]string {
	rows := map[string]string{}
	_, page, _ = strings.Cut(page, "\n## Fields\n")
	page, _, _ = strings.Cut(page, "\n## ")
	for line := range strings.Lines(page) {
		names, _, ok := strings.Cut(strings.TrimPrefix(line, "|"), "|")
		if !ok || line[0] != '|' {
			continue
		}
		for _, m := range quotedName.FindAllStringSubmatch(names, -1) {
			rows[m[1]] = line
		}
	}
	return rows
}

// fieldsOf returns the names and types of the fields of a struct as JSON has them; none for what is no struct, or
// is written as something else.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	fields := map[string]reflect.Type{}
	if t.Kind() != reflect.Struct {
		return fields
	}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			fields[name] = f.Type
		}
	}
	return fields
}

// TestRecordFieldsAreDocumented: docs/log.md has a row for every field of a record, which names the fields of what
// is in it, and has no other rows.
func TestRecordFieldsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/log.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := rowsOf(string(page))
	for name, of := range fieldsOf(reflect.TypeFor[Record]()) {
		row := rows[name]
		if row == "" {
			t.Errorf("%s: a record has it, and the page has no row for it", name)
			continue
		}
		delete(rows, name)
		tells(t, name, row, of, 0)
	}
	for name := range rows {
		if !slices.Contains(notOfRecords, name) {
			t.Errorf("%s: the page has it, and no record", name)
		}
	}
}

// tells has a row name all fields of what is in one, and of what is in that. What has a row of its own is named
// there.
func tells(t *testing.T, path, row string, of reflect.Type, depth int) {
	t.Helper()
	for name, inner := range fieldsOf(of) {
		if !strings.Contains(row, "`"+name+"`") {
			t.Errorf("%s.%s: the row of the page does not name it", path, name)
		}
		if inner != reflect.TypeFor[*RecordFinding]() && depth < 5 {
			tells(t, path+"."+name, row, inner, depth+1)
		}
	}
}
