// Package listfile reads lists of senders from files, and writes them: one pattern on each line,
// CSV, or JSON.
package listfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people"
)

// Error tells of a mistake in a file, and where it is.
type Error struct {
	File string
	Line int
	Err  error
}

// Error names the place.
func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

// Unwrap returns the error without its place.
func (e *Error) Unwrap() error { return e.Err }

// columns are those of a file, in the order in which they are written.
var columns = []string{"owner", "act", "pattern", "authenticated", "expires", "note", "maker", "made"}

// reader is a file as it is read.
type reader struct {
	name     string
	defaults people.Entry // for what a line does not say
	now      time.Time
}

// Read returns the entries in a text, each with the error of its line. What a line does not say is as in
// defaults. A text that begins with "[" or "{" is JSON, one whose first line names the columns is
// CSV, and any other has one pattern on each line, "#" begins a comment.
func Read(name string, text []byte, defaults people.Entry) iter.Seq2[people.Entry, error] {
	r := reader{name, defaults, time.Now()}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	first, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	switch {
	case len(first) > 0 && (first[0] == '{' || first[0] == '[' && !isPattern(string(first))):
		return r.json(text)
	case slices.Contains(fields(string(first)), "pattern"):
		return r.csv(text)
	}
	return r.plain(text)
}

// isPattern reports whether a line is a pattern, such as an address of IPv6 in brackets.
func isPattern(line string) bool {
	_, err := people.FoldPattern(line)
	return err == nil
}

// fields returns the names of columns in the first line of CSV.
func fields(line string) []string {
	names := strings.Split(strings.ToLower(line), ",")
	for i := range names {
		names[i] = strings.Trim(names[i], " \t\r\"")
	}
	return names
}

func (r reader) at(line int, err error) error { return &Error{r.name, line, err} }

// plain reads one pattern from each line.
func (r reader) plain(text []byte) iter.Seq2[people.Entry, error] {
	return func(yield func(people.Entry, error) bool) {
		n := 0
		for line := range bytes.Lines(text) {
			n++
			pattern, note, _ := strings.Cut(string(line), "#")
			if pattern = strings.TrimSpace(pattern); pattern == "" {
				continue
			}
			e := r.defaults
			e.Pattern = pattern
			if note = strings.TrimSpace(note); note != "" {
				e.Note = note
			}
			if !r.pass(yield, n, e, nil) {
				return
			}
		}
	}
}

// pass yields an entry, folded, or the error in it.
func (r reader) pass(yield func(people.Entry, error) bool, line int, e people.Entry, err error) bool {
	if err == nil {
		e, err = e.Folded(r.now)
	}
	if err != nil {
		return yield(people.Entry{}, r.at(line, err))
	}
	return yield(e, nil)
}

func (r reader) csv(text []byte) iter.Seq2[people.Entry, error] {
	return func(yield func(people.Entry, error) bool) {
		rows := csv.NewReader(bytes.NewReader(text))
		rows.TrimLeadingSpace, rows.ReuseRecord = true, true
		head, err := rows.Read()
		if err != nil {
			yield(people.Entry{}, r.at(1, err))
			return
		}
		names := fields(strings.Join(head, ","))
		for _, name := range names {
			if !slices.Contains(append(columns, "id", "weak"), name) {
				yield(people.Entry{}, r.at(1, fmt.Errorf("there is no column %q; there are %s", name, strings.Join(columns, ", "))))
				return
			}
		}
		for {
			row, err := rows.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var broken *csv.ParseError
			if errors.As(err, &broken) {
				if !yield(people.Entry{}, r.at(broken.Line, broken.Err)) {
					return
				}
				continue
			}
			line, _ := rows.FieldPos(0)
			e, err := r.row(names, row)
			if !r.pass(yield, line, e, err) {
				return
			}
		}
	}
}

// row makes an entry of the cells of a line.
func (r reader) row(names, cells []string) (people.Entry, error) {
	e := r.defaults
	for i, name := range names {
		if i >= len(cells) || cells[i] == "" {
			continue
		}
		if err := set(&e, name, cells[i]); err != nil {
			return e, fmt.Errorf("%s: %w", name, err)
		}
	}
	return e, nil
}

// set sets one value of an entry.
func set(e *people.Entry, name, cell string) (err error) {
	switch name {
	case "owner":
		e.Owner = cell
	case "act":
		err = e.Act.UnmarshalText([]byte(cell))
	case "pattern":
		e.Pattern = cell
	case "authenticated":
		e.Authenticated, err = yesOrNo(cell)
	case "expires":
		e.Expires, err = moment(cell)
	case "note":
		e.Note = cell
	case "maker":
		e.Maker = cell
	case "made":
		e.Made, err = moment(cell)
	}
	return err
}

func yesOrNo(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, fmt.Errorf("%q is neither \"true\" nor \"false\"", s)
	}
	return b, nil
}

func moment(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write \"2026-12-31\" or \"2026-12-31T12:00:00Z\"", s)
}

// json reads an array of objects, or one object after the other.
func (r reader) json(text []byte) iter.Seq2[people.Entry, error] {
	return func(yield func(people.Entry, error) bool) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		line, counted := 1, int64(0)
		if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
			if _, err := d.Token(); err != nil {
				yield(people.Entry{}, r.at(1, err))
				return
			}
		}
		for d.More() {
			e := object{Entry: r.defaults}
			err := d.Decode(&e)
			line += bytes.Count(text[counted:d.InputOffset()], []byte("\n"))
			counted = d.InputOffset()
			if err != nil { // where the next one begins is not known
				yield(people.Entry{}, r.at(line, err))
				return
			}
			if !r.pass(yield, line, e.Entry, nil) {
				return
			}
		}
	}
}

// object is an entry as JSON has it, with values that are only told.
type object struct {
	people.Entry
	Weak bool `json:"weak"`
}

// Told returns an entry as JSON has it.
func Told(e people.Entry) any { return object{e, e.Weak()} }

// Writer writes entries.
type Writer interface {
	Write(people.Entry) error
	Close() error // ends the text, and does not close what it is written to
}

// NewCSV returns a writer of CSV, which begins with the names of the columns.
func NewCSV(w io.Writer) Writer {
	c := &csvWriter{csv.NewWriter(w)}
	c.w.Write(columns)
	return c
}

type csvWriter struct{ w *csv.Writer }

func (c *csvWriter) Write(e people.Entry) error {
	return c.w.Write([]string{e.Owner, string(e.Act), e.Pattern, strconv.FormatBool(e.Authenticated), written(e.Expires),
		e.Note, e.Maker, written(e.Made)})
}

func (c *csvWriter) Close() error {
	c.w.Flush()
	return c.w.Error()
}

func written(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// NewJSON returns a writer of one object on each line.
func NewJSON(w io.Writer) Writer { return jsonWriter{bufio.NewWriter(w)} }

type jsonWriter struct{ w *bufio.Writer }

func (j jsonWriter) Write(e people.Entry) error {
	_, err := j.w.Write(append(policy.JSON(Told(e)), '\n'))
	return err
}

func (j jsonWriter) Close() error { return j.w.Flush() }
