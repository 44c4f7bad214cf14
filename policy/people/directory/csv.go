package directory

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan/units"
)

// Bounds of a table.
const (
	mostOfFile = 512 << 20
	mostOfRow  = 1 << 20
)

// checkCSV returns the errors in a source that is a table.
func (s Source) checkCSV() error {
	var check units.Check
	check.Absolute("file", s.File, "/etc/milterscan/people.csv")
	r, n := utf8.DecodeRuneInString(s.Separator)
	check.If(n == 0 || n != len(s.Separator) || r == utf8.RuneError || strings.ContainsRune("\"\r\n|", r),
		"separator", "%q cannot be between columns; write one sign, such as \";\"", s.Separator)
	return check.Err()
}

// table is a source that is a file with a table, whose first line names the columns.
type table struct{ Source }

// read reads the whole table.
func (t table) read(ctx context.Context, take taker) error {
	f, err := os.Open(t.File)
	if err != nil {
		return err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return err
	}
	if !before.Mode().IsRegular() || before.Size() > mostOfFile {
		return fmt.Errorf("%s is no file of at most %v", t.File, units.Size(mostOfFile))
	}
	if err := t.rows(ctx, io.LimitReader(f, before.Size()), take); err != nil {
		return fmt.Errorf("%s: %w", t.File, err)
	}
	after, err := f.Stat()
	if err == nil && (after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime())) {
		err = fmt.Errorf("%s was changed while it was read", t.File)
	}
	return err
}

// changed returns a mark of the file as it is now, which is another one when the file has changed.
func (t table) changed() string {
	info, err := os.Stat(t.File)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.Size(), " ", info.ModTime().UnixNano())
}

// rows reads the lines of a table.
func (t table) rows(ctx context.Context, from io.Reader, take taker) error {
	bounded := &rowReader{from: bufio.NewReaderSize(from, 1<<16), left: mostOfRow}
	if err := bounded.skipMark(); err != nil {
		return err
	}
	lines := csv.NewReader(bounded)
	lines.Comma, _ = utf8.DecodeRuneInString(t.Separator)
	lines.ReuseRecord, lines.FieldsPerRecord = true, -1
	header, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("the table has no first line with the names of its columns")
	}
	if err != nil {
		return err
	}
	columns, err := t.columns(header)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		bounded.left = mostOfRow
		cells, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n%1000 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		line, _ := lines.FieldPos(0)
		if err := columns.take(cells, fmt.Sprintf("line %d", line), take); err != nil {
			return err
		}
	}
}

// columns say in which cells of a row each field is.
type columns map[string][]int

// columns finds the columns of all fields by the names in the first line.
func (t table) columns(header []string) (columns, error) {
	places := map[string]int{}
	for i, name := range header {
		name = foldGroup(name)
		if _, twice := places[name]; twice && name != "" {
			return nil, fmt.Errorf("two columns are called %q; give each its own name", name)
		}
		places[name] = i
	}
	found := columns{}
	for _, field := range fields() {
		for _, name := range t.namesOf(field) {
			at, ok := places[foldGroup(name)]
			if !ok && len(t.Fields[field]) > 0 {
				return nil, fmt.Errorf("no column is called %q, which fields.%s names; the first line has %q", name, field, header)
			}
			if ok {
				found[field] = append(found[field], at)
			}
		}
	}
	if len(found[fieldAddress]) == 0 {
		return nil, fmt.Errorf("no column is called %q; the first line has %q; name the column of addresses in fields.address, "+
			"and what is between columns in separator", fieldAddress, header)
	}
	return found, nil
}

// take passes on what a row of cells says.
func (c columns) take(cells []string, where string, take taker) error {
	values := func(field string) (list []string) {
		for _, at := range c[field] {
			if at < len(cells) {
				list = append(list, strings.Clone(strings.TrimSpace(cells[at])))
			}
		}
		return list
	}
	if strings.TrimSpace(strings.Join(cells, "")) == "" {
		return nil
	}
	return take(where, rowOf(values))
}

// rowOf makes a row of what the fields of a person hold. Addresses in one value are separated by
// blanks, commas, semicolons or bars, groups by semicolons or bars: their names may have blanks and commas.
func rowOf(values func(field string) []string) Row {
	first := func(field string) string {
		for _, v := range values(field) {
			if v != "" {
				return v
			}
		}
		return ""
	}
	all := func(field, between string) (list []string) {
		for _, v := range values(field) {
			for one := range strings.FieldsFuncSeq(v, func(r rune) bool { return strings.ContainsRune(between, r) }) {
				if one = strings.TrimSpace(one); one != "" {
					list = append(list, one)
				}
			}
		}
		return list
	}
	return Row{Address: first(fieldAddress), Name: first(fieldName), Language: first(fieldLanguage),
		Aliases: all(fieldAliases, " ,;|\t\r\n"), Groups: all(fieldGroups, ";|\r\n"), Delegates: all(fieldDelegates, " ,;|\t\r\n")}
}

// rowReader reads at most so many bytes for one row, so that a quote that is never closed does not take
// the memory of the whole file.
type rowReader struct {
	from *bufio.Reader
	left int
}

var errLongRow = fmt.Errorf("a row has more than %v: is a quote not closed?", units.Size(mostOfRow))

// Read implements io.Reader.
func (r *rowReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errLongRow
	}
	n, err := r.from.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}

// skipMark skips the mark of UTF-8 with which some programs begin a file, and refuses that of UTF-16.
func (r *rowReader) skipMark() error {
	mark, _ := r.from.Peek(3)
	switch {
	case string(mark) == "\xEF\xBB\xBF":
		_, err := r.from.Discard(3)
		return err
	case strings.HasPrefix(string(mark), "\xFF\xFE") || strings.HasPrefix(string(mark), "\xFE\xFF"):
		return errors.New("the table is UTF-16; save it as CSV in UTF-8")
	}
	return nil
}
