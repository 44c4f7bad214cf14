package selftest

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/milterscan/milterscan/scan/hostile"
)

// Write writes every case into dir, and a list of them with what to expect.
func Write(dir string, cases iter.Seq[hostile.Case], out io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var list strings.Builder
	n := 0
	for c := range cases {
		name := strings.ReplaceAll(c.Name, "/", "_") + ".eml"
		if err := writeCase(filepath.Join(dir, name), c); err != nil {
			return err
		}
		fmt.Fprintf(&list, "%s\t%s\t%s\n", name, payload(c), c.Why)
		n++
	}
	if err := os.WriteFile(filepath.Join(dir, "index.tsv"), []byte(list.String()), 0o644); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%d mails in %s; index.tsv there says which reader would show what\n", n, dir)
	return err
}

// payload names the harmful file hidden in a case.
func payload(c hostile.Case) string {
	if c.Payload.Name != "" {
		return fmt.Sprintf("name %q", c.Payload.Name)
	}
	return "EICAR"
}

func writeCase(path string, c hostile.Case) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = c.Write(w)
	if err == nil {
		err = w.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
