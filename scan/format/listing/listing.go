// Package listing reads long lists of hosts, URLs, hashes and networks, and looks things up
// in them in little memory: 16 bytes for an entry, 8 or 32 for a network.
package listing

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/milterscan/milterscan/scan/units"
)

// Kind is what a list is of.
type Kind string

// The kinds.
const (
	Hosts    Kind = "hosts"    // domains, each with all below it, and addresses
	URLs     Kind = "urls"     // addresses of pages
	Hashes   Kind = "hashes"   // of files: MD5, SHA-1 and SHA-256
	Networks Kind = "networks" // of clients
)

// UnmarshalText reads the word of a kind.
func (k *Kind) UnmarshalText(text []byte) error {
	return units.ReadWord(k, text, Hosts, URLs, Hashes, Networks)
}

// Format is how a list is written.
type Format string

// The formats. In all of them lines that begin with "#" or ";" are comments.
const (
	Plain    Format = "plain" // an entry on each line; what follows a blank is a remark
	CSV      Format = "csv"   // in a column of each line
	HostFile Format = "hosts" // as /etc/hosts: an address and the names that are listed
)

// UnmarshalText reads the word of a format.
func (f *Format) UnmarshalText(text []byte) error {
	return units.ReadWord(f, text, Plain, CSV, HostFile)
}

// Syntax says what a list is of and how it is written.
type Syntax struct {
	Kind      Kind
	Format    Format
	Column    int  // of CSV, from 1
	Separator byte // of CSV
}

// Bounds of a list.
const (
	longestLine = 64 << 10
	mostEntries = 20_000_000
	mostWrong   = 5 // that are named
)

// Counts says what was read.
type Counts struct {
	Lines  int      // that are neither empty nor comments
	Wrong  int      // of them, those that hold no entry
	Sample []string // some of those
}

// share is how many of a hundred lines must hold an entry. A page that says that there is no list
// any more has hardly any.
const share = 90

// ErrNoList says that a text is no list of its kind.
var ErrNoList = errors.New("this is no such list")

// Read reads a list. The error is ErrNoList if more than a few lines hold no entry.
func Read(r io.Reader, s Syntax) (*Table, Counts, error) {
	t, n := &builder{Table: Table{Kind: s.Kind}}, Counts{}
	lines := bufio.NewReaderSize(r, longestLine)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil, n, fmt.Errorf("%w: line %d is longer than %d bytes", ErrNoList, n.Lines+1, longestLine)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, n, err
		}
		s.line(t, &n, line)
		if t.Len() > mostEntries {
			return nil, n, fmt.Errorf("it has more than %d entries", mostEntries)
		}
		if err != nil {
			break
		}
	}
	if n.Wrong*100 > n.Lines*(100-share) {
		return nil, n, fmt.Errorf("%w: %d of %d lines hold no entry, such as %q", ErrNoList, n.Wrong, n.Lines, n.Sample[0])
	}
	return t.done(), n, nil
}

// line takes in one line.
func (s Syntax) line(t *builder, n *Counts, line []byte) {
	text := strings.TrimSpace(strings.ToValidUTF8(string(bytes.TrimPrefix(line, []byte("\ufeff"))), "?"))
	if text == "" || text[0] == '#' || text[0] == ';' {
		return
	}
	n.Lines++
	for _, entry := range s.entries(text) {
		if !t.add(entry) {
			n.wrong(text)
			return
		}
	}
}

// wrong counts a line that holds no entry.
func (n *Counts) wrong(line string) {
	if n.Wrong++; len(n.Sample) < mostWrong {
		n.Sample = append(n.Sample, strings.ToValidUTF8(line[:min(len(line), 80)], ""))
	}
}

// entries returns what a line holds, as it is written.
func (s Syntax) entries(line string) []string {
	switch s.Format {
	case CSV:
		return []string{field(line, s.Separator, s.Column)}
	case HostFile:
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 || !isAddress(fields[0]) {
			return []string{""}
		}
		return named(fields[1:])
	}
	entry, _, _ := strings.Cut(line, " ")
	entry, _, _ = strings.Cut(entry, "\t")
	return []string{entry}
}

// named returns the names of a line of /etc/hosts without those of the host itself.
func named(names []string) (list []string) {
	for _, n := range names {
		if strings.Contains(n, ".") && !isAddress(n) && !strings.HasSuffix(n, ".localdomain") {
			list = append(list, n)
		}
	}
	return list
}

// field returns a column of a line of comma-separated values, from 1, "" if there is none. A quote
// that does not end ends with the line: values of several lines are not read.
func field(line string, separator byte, column int) string {
	for n := 1; ; n++ {
		value, rest, more := next(strings.TrimLeft(line, " "), separator)
		if n == column {
			return strings.TrimSpace(value)
		}
		if !more {
			return ""
		}
		line = rest
	}
}

// next returns the first value of a line, and what follows the separator.
func next(line string, separator byte) (value, rest string, more bool) {
	if !strings.HasPrefix(line, `"`) {
		return strings.Cut(line, string(separator))
	}
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		if line[i] != '"' {
			b.WriteByte(line[i])
			continue
		}
		if i+1 < len(line) && line[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		_, rest, more = strings.Cut(line[i+1:], string(separator))
		break
	}
	return b.String(), rest, more
}
