package document

import (
	"bytes"
	"strings"

	"github.com/milterscan/milterscan/scan/scratch"
)

// isInternetShortcut reports whether the part has the section by which Windows
// knows an Internet shortcut.
func (e *examination) isInternetShortcut() bool {
	return e.isFile() && hasSection(e.head, "[internetshortcut")
}

// hasSection reports whether a section of a name in lower case begins anywhere in b,
// which may be UTF-16.
func hasSection(b []byte, name string) bool {
	for i := 0; ; i++ {
		next := bytes.IndexByte(b[i:], '[')
		if next < 0 {
			return false
		}
		if i += next; beginsNarrow(b[i:], name) {
			return true
		}
	}
}

// beginsNarrow reports whether b begins with a word in lower case, if it is in lower
// case and without zero bytes.
func beginsNarrow(b []byte, word string) bool {
	for _, c := range b {
		if c == 0 {
			continue
		}
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != word[0] {
			return false
		}
		if word = word[1:]; word == "" {
			return true
		}
	}
	return false
}

// internetShortcut judges where such a shortcut leads. One to a web site is
// nothing but a link.
func (e *examination) internetShortcut() error {
	const longest = 64 << 10
	b, err := scratch.ReadAt(e.part.Content, 0, longest)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(narrow(b)) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "url", "baseurl", "origurl":
			e.address(strings.TrimSpace(value))
		case "iconfile", "workingdirectory":
			if where, _ := targetOf(value); where == remote {
				e.report.add(ruleRemoteShortcut, strings.ToLower(key)+" "+quote(value))
			}
		}
	}
	return nil
}

// address judges the address of an Internet shortcut.
func (e *examination) address(a string) {
	lower := strings.ToLower(a)
	web := strings.HasPrefix(lower, "http:") || strings.HasPrefix(lower, "https:")
	where, _ := targetOf(a)
	switch {
	case where == handler, where == remote && !web:
		e.report.add(ruleRemoteShortcut, "leads to "+quote(a))
	case where == here && runnable[lower[strings.LastIndexByte(lower, '.')+1:]]:
		e.report.add(ruleShortcut, "runs "+quote(a))
	}
}

// library judges where a Windows library, a search connector or a saved search
// looks: the Explorer shows the files there as if they were local.
func (e *examination) library(x *xmlReader) error {
	for {
		targets := []string{x.content()}
		for _, a := range x.tag.attributes {
			if a.name != "xmlns" && !strings.HasPrefix(a.value, "http://schemas.microsoft.com/") {
				targets = append(targets, a.value)
			}
		}
		for _, t := range targets {
			if where, _ := targetOf(t); where == remote || where == handler {
				e.report.add(ruleRemoteShortcut, "looks at "+quote(t))
			}
		}
		if err := x.next(); err != nil {
			return err
		}
	}
}

// isSYLK reports whether the part is a table in the form of Multiplan, which
// Excel opens whatever it is called.
func (e *examination) isSYLK() bool { return e.beginsWith("ID;") }

// sylk looks for macros in such a table: the option E in a record O makes it a
// macro sheet.
func (e *examination) sylk() error {
	return e.occurrences(e.part.Content, "\nO;", 100, func(off int64) error {
		b, err := scratch.ReadAt(e.part.Content, off+1, 256)
		if err != nil {
			return err
		}
		line, _, _ := bytes.Cut(b, []byte("\n"))
		for _, field := range bytes.Split(bytes.TrimSpace(line), []byte(";"))[1:] {
			if string(field) == "E" {
				e.report.add(ruleMacroXLM, "a macro sheet in SYLK")
			}
		}
		return nil
	})
}
