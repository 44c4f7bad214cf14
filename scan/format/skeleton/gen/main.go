// Command gen packs Unicode's confusables.txt, as of
// https://www.unicode.org/Public/security/, for the package skeleton.
package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

func main() {
	in := flag.String("in", "confusables.txt", "the file of Unicode")
	out := flag.String("out", "confusables.bin", "the file to write")
	flag.Parse()
	if err := run(*in, *out); err != nil {
		log.Fatal(err)
	}
}

func run(in, out string) error {
	text, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	table := map[rune][]rune{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if err := read(table, strings.TrimPrefix(line, "\ufeff")); err != nil {
			return fmt.Errorf("%s:%d: %w", in, n, err)
		}
	}
	if len(table) == 0 {
		return fmt.Errorf("%s: no line says what a character looks like", in)
	}
	return os.WriteFile(out, pack(table), 0o644)
}

var errForm = errors.New("the line is none of \"0430 ; 0061 ; MA\"")

// read takes in a line: a character, those it looks like, and a word that is the same
// everywhere.
func read(table map[rune][]rune, line string) error {
	line, _, _ = strings.Cut(line, "#")
	if line = strings.TrimSpace(line); line == "" {
		return nil
	}
	fields := strings.Split(line, ";")
	if len(fields) < 2 {
		return errForm
	}
	from, err := runes(fields[0])
	if err != nil || len(from) != 1 {
		return errors.Join(errForm, err)
	}
	to, err := runes(fields[1])
	if err != nil || len(to) == 0 {
		return errors.Join(errForm, err)
	}
	table[from[0]] = to
	return nil
}

func runes(field string) (list []rune, err error) {
	for number := range strings.FieldsSeq(field) {
		r, err := strconv.ParseUint(number, 16, 21)
		if err != nil {
			return nil, err
		}
		list = append(list, rune(r))
	}
	return list, nil
}

// pack writes what the package reads.
func pack(table map[rune][]rune) (out []byte) {
	var last rune
	for _, from := range slices.Sorted(maps.Keys(table)) {
		out = binary.AppendUvarint(out, uint64(from-last))
		out = binary.AppendUvarint(out, uint64(len(table[from])))
		for _, to := range table[from] {
			out = binary.AppendUvarint(out, uint64(to))
		}
		last = from
	}
	return out
}
