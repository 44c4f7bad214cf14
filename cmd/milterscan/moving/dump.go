package moving

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// dumpRow is one row of a table in a dump of a database.
type dumpRow struct {
	cells map[string]string // by column; NULL is empty
	at    Place
}

// maxRows bounds the rows that are read.
const maxRows = 1_000_000

// dump reads what mysqldump has written, as far as it is CREATE TABLE and INSERT INTO; it executes nothing.
type dump struct {
	name    string
	text    string
	pos     int
	line    int
	columns map[string][]string
	rows    int
	open    int // the line of a comment that has no end
}

// readDump calls do with each row of the tables that are wanted. Its error names the line from which on it does
// not understand the dump.
func readDump(name, text string, wanted []string, do func(table string, row dumpRow)) error {
	d := &dump{name: name, text: text, line: 1, columns: map[string][]string{}}
	for d.pos < len(d.text) {
		start := d.line
		word := strings.ToUpper(d.word())
		var err error
		switch {
		case word == "":
			if !d.skipped() {
				d.next()
			}
			continue
		case word == "CREATE" && strings.EqualFold(d.word(), "TABLE"):
			err = d.create()
		case word == "INSERT" && strings.EqualFold(d.word(), "INTO"):
			err = d.insert(wanted, do)
		}
		if err == nil {
			err = d.statement()
		}
		if err != nil {
			return &lineError{d.line, fmt.Errorf("%w (in the statement of line %d)", err, start)}
		}
	}
	if d.open > 0 {
		return &lineError{d.open, errors.New("a comment has no end")}
	}
	return nil
}

// next moves by one character.
func (d *dump) next() byte {
	if d.pos >= len(d.text) {
		return 0
	}
	c := d.text[d.pos]
	d.pos++
	if c == '\n' {
		d.line++
	}
	return c
}

// peek returns the next character.
func (d *dump) peek() byte {
	if d.pos >= len(d.text) {
		return 0
	}
	return d.text[d.pos]
}

// skipped passes over blanks and comments, and reports whether there were any. Comments such as
// /*!40000 ... */ hold statements for some servers only, and are passed over as well.
func (d *dump) skipped() bool {
	begun := d.pos
	for d.pos < len(d.text) {
		rest := d.text[d.pos:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			d.next()
		case rest[0] == '#' || strings.HasPrefix(rest, "-- ") || strings.HasPrefix(rest, "--\n"):
			for d.pos < len(d.text) && d.next() != '\n' {
			}
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 0 {
				d.open, end = d.line, len(rest)-2
			}
			for range end + 2 {
				d.next()
			}
		default:
			return d.pos > begun
		}
	}
	return d.pos > begun
}

// word reads a word, which may be in backquotes.
func (d *dump) word() string {
	d.skipped()
	if d.peek() == '`' {
		d.next()
		begun := d.pos
		for c := d.peek(); c != '`' && c != 0 && d.pos-begun < 256; c = d.peek() {
			d.next()
		}
		name := d.text[begun:d.pos]
		d.next()
		return name
	}
	begun := d.pos
	for c := d.peek(); c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'; c = d.peek() {
		d.next()
	}
	return d.text[begun:d.pos]
}

// statement passes over the rest of a statement.
func (d *dump) statement() error {
	for d.pos < len(d.text) {
		switch c := d.peek(); c {
		case ';':
			d.next()
			return nil
		case '\'', '"':
			if _, err := d.quoted(); err != nil {
				return err
			}
		case '`':
			d.word()
		default:
			if !d.skipped() {
				d.next()
			}
		}
	}
	return nil
}

// quoted reads a text in quotes.
func (d *dump) quoted() (string, error) {
	quote := d.next()
	var b strings.Builder
	for d.pos < len(d.text) {
		switch c := d.next(); {
		case c == '\\':
			e := d.next()
			if i := strings.IndexByte("ntr0", e); i >= 0 {
				e = "\n\t\r\x00"[i]
			}
			b.WriteByte(e)
		case c == quote && d.peek() == quote:
			b.WriteByte(d.next())
		case c == quote:
			return b.String(), nil
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("a text has no end")
}

// create reads the columns of a table.
func (d *dump) create() error {
	table := d.word()
	if strings.EqualFold(table, "IF") {
		d.word()
		d.word()
		table = d.word()
	}
	d.skipped()
	if d.next() != '(' {
		return fmt.Errorf("the table %q has no columns", oneLine(table))
	}
	var columns []string
	for depth := 1; depth > 0; {
		d.skipped()
		if d.peek() == '`' && depth == 1 {
			columns = append(columns, strings.ToLower(d.word()))
		}
		// The rest of the definition, up to the comma after it.
		for {
			d.skipped()
			c := d.peek()
			if c == 0 {
				return fmt.Errorf("the table %q has no end", oneLine(table))
			}
			if c == '\'' || c == '"' {
				if _, err := d.quoted(); err != nil {
					return err
				}
				continue
			}
			if c == '`' {
				d.word()
				continue
			}
			d.next()
			if c == '(' {
				depth++
			}
			if c == ')' {
				depth--
			}
			if depth == 0 || c == ',' && depth == 1 {
				break
			}
		}
		if len(columns) > 1000 {
			return fmt.Errorf("the table %q has more than 1000 columns", oneLine(table))
		}
	}
	d.columns[table] = columns
	return nil
}

// insert reads the rows of a statement, if the table is wanted.
func (d *dump) insert(wanted []string, do func(string, dumpRow)) error {
	table := d.word()
	if !slices.Contains(wanted, table) {
		return nil
	}
	columns := d.columns[table]
	d.skipped()
	if d.peek() == '(' {
		d.next()
		columns = nil
		for {
			columns = append(columns, strings.ToLower(d.word()))
			d.skipped()
			if c := d.next(); c == ')' {
				break
			} else if c != ',' || len(columns) > 1000 {
				return fmt.Errorf("the columns of %q are not understood", table)
			}
		}
	}
	if !strings.EqualFold(d.word(), "VALUES") {
		return fmt.Errorf("VALUES is missing")
	}
	for {
		row, err := d.row(columns)
		if err != nil {
			return err
		}
		if d.rows++; d.rows > maxRows {
			return fmt.Errorf("there are more than %d rows", maxRows)
		}
		do(table, row)
		d.skipped()
		if d.peek() != ',' {
			return nil
		}
		d.next()
	}
}

// row reads the values between two brackets.
func (d *dump) row(columns []string) (dumpRow, error) {
	d.skipped()
	row := dumpRow{map[string]string{}, Place{d.name, d.line}}
	if d.next() != '(' {
		return row, fmt.Errorf("a row does not begin with a bracket")
	}
	for i := 0; ; i++ {
		d.skipped()
		value := ""
		if c := d.peek(); c == '\'' || c == '"' {
			var err error
			if value, err = d.quoted(); err != nil {
				return row, err
			}
		} else {
			begun := d.pos
			for c := d.peek(); c != 0 && c != ',' && c != ')'; c = d.peek() {
				d.next()
			}
			if value = strings.TrimSpace(d.text[begun:d.pos]); strings.EqualFold(value, "NULL") {
				value = ""
			}
		}
		if i >= len(columns) {
			return row, fmt.Errorf("a row has more values than the %d columns that are known", len(columns))
		}
		row.cells[columns[i]] = value
		d.skipped()
		switch d.next() {
		case ',':
		case ')':
			if i+1 != len(columns) {
				return row, fmt.Errorf("a row has %d values for %d columns", i+1, len(columns))
			}
			return row, nil
		default:
			return row, fmt.Errorf("after a value there is neither a comma nor a bracket")
		}
	}
}
