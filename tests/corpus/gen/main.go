// Gen writes the corpus: legitimate mail with the oddities that real mailers
// give it. Nothing here is a copy of a real mail; all domains are reserved
// (RFC 2606). Run it with go generate in tests/corpus.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	dir := flag.String("dir", ".", "where to write")
	flag.Parse()
	if err := write(*dir, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// mail is one mail of the corpus.
type mail struct {
	name  string
	why   string // which mailer does so, and why it is in order
	text  string // with LF, which become CRLF
	raw   bool   // text is exactly as it is
	notes string // kinds of finding that may be made, apart from "note"
}

// all returns the corpus in its order.
func all() []mail {
	var mails []mail
	for _, group := range [][]mail{
		plain(), headers(), charsets(), structures(), nestedStructures(), related(), names(), sealed(), reports(), clients(), moreClients(),
		programs(), lists(), texts(), files(), newsletters(), untidy(), encodings(), calendars(), carried(),
	} {
		mails = append(mails, group...)
	}
	return mails
}

// files of the corpus, by name.
func (m mail) files(number int) map[string]string {
	stem := fmt.Sprintf("%03d-%s", number, m.name)
	text := m.text
	if !m.raw {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	want := "action deliver\n"
	if m.notes != "" {
		want += "allow " + m.notes + "\n"
	}
	return map[string]string{stem + ".eml": text, stem + ".want": want + "why " + m.why + "\n"}
}

// write writes every file into dir and says how many there are.
func write(dir string, out io.Writer) error {
	for i, m := range all() {
		for name, text := range m.files(i + 1) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(out, "%d mails\n", len(all()))
	return err
}
