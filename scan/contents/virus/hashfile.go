package virus

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

const (
	longestLine = 4 << 10
	mostErrors  = 10 // of one file; a wrong file is wrong in every line
)

// loadLists reads hash lists. All errors are returned at once.
func loadLists(files []string) (*hashList, error) {
	l := newHashList()
	var errs []error
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := l.read(name, f); err != nil {
			errs = append(errs, err)
		}
		f.Close()
	}
	return l, errors.Join(errs...)
}

// read takes a list in the text format of ClamAV's .hdb and .hsb files: lines of
//
//	hash:size:name[:level[:level]]
//
// with an MD5, SHA-1 or SHA-256 hash in hexadecimal, told apart by their length,
// the size in bytes or "*", and the functionality levels of ClamAV that know the
// line, which say nothing to us. Empty lines and lines with "#" in front are
// skipped.
func (l *hashList) read(file string, r io.Reader) error {
	var errs []error
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, longestLine), longestLine)
	n := 0
	for lines.Scan() && len(errs) < mostErrors {
		n++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := l.line(line); err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", file, n, err))
		}
	}
	if err := lines.Err(); err != nil {
		errs = append(errs, fmt.Errorf("%s:%d: %w", file, n+1, err))
	}
	return errors.Join(errs...)
}

func (l *hashList) line(line string) error {
	fields := strings.Split(line, ":")
	if len(fields) < 3 || len(fields) > 5 {
		return fmt.Errorf("want hash:size:name, with one or two levels behind it, not %d fields", len(fields))
	}
	k, err := parseHash(fields[0])
	if err != nil {
		return err
	}
	if k.size, err = parseSize(fields[1]); err != nil {
		return err
	}
	if fields[2] == "" {
		return errors.New("the name is missing")
	}
	for _, level := range fields[3:] {
		if _, err := strconv.ParseUint(level, 10, 32); err != nil {
			return fmt.Errorf("functionality level %q is not a number", level)
		}
	}
	l.add(k, fields[2])
	return nil
}

func parseHash(s string) (hashKey, error) {
	var k hashKey
	b, err := hex.DecodeString(s)
	if err != nil {
		return k, fmt.Errorf("hash %q is not hexadecimal", s)
	}
	for a, alg := range algorithms {
		if alg.length == len(b) {
			k.algorithm = algorithm(a)
			copy(k.sum[:], b)
			return k, nil
		}
	}
	return k, fmt.Errorf("hash %q is none of MD5, SHA-1 and SHA-256 by its length", s)
}

func parseSize(s string) (int64, error) {
	if s == "*" {
		return anySize, nil
	}
	size, err := strconv.ParseInt(s, 10, 64)
	if err != nil || size < 1 {
		return 0, fmt.Errorf("size %q is neither a number of bytes nor \"*\"", s)
	}
	return size, nil
}
