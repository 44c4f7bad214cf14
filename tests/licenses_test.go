package tests

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the pages that are made from the code")

// notice is the name of a file with a license, as contrib/package/copyright looks for it.
var notice = regexp.MustCompile(`(?i)^(licen[cs]e|copying).*$`)

// kinds are the licenses we may pass on, each with words that only it has; the text is
// compared in lower case, with single spaces. What has none of them is a fault.
var kinds = []struct{ name, words string }{
	{"Apache-2.0", "apache license version 2.0, january 2004"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"MPL-2.0", "mozilla public license, version 2.0"},
	{"ISC", "permission to use, copy, modify, and or distribute this software for any purpose with or without fee is hereby granted"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted"},
	{"Unlicense", "this is free and unencumbered software released into the public domain"},
	{"CC0-1.0", "cc0 1.0 universal"},
	{"BSL-1.0", "boost software license - version 1.0"},
	{"blessing", "dedicated to the public domain by the authors. all code authors, and representatives"}, // SQLite
	{"blessing", "the author disclaims copyright to this source code"},
}

// copyleft are words of licenses that ask more of whoever passes a program on than we
// can promise.
var copyleft = regexp.MustCompile(`gnu (affero |lesser )?general public license|server side public license|business source license`)

var spaces = regexp.MustCompile(`[\s*#/"“”]+`)

// licensesOf names the licenses in a text.
func licensesOf(text string) (names []string) {
	text = spaces.ReplaceAllString(strings.ToLower(text), " ")
	for _, k := range kinds {
		if strings.Contains(text, k.words) {
			names = append(names, k.name)
		}
	}
	if strings.Contains(text, "redistribution and use in source and binary forms") {
		if regexp.MustCompile(`may be used to endorse|be used to endorse or promote`).MatchString(text) {
			names = append(names, "BSD-3-Clause")
		} else {
			names = append(names, "BSD-2-Clause")
		}
	}
	if copyleft.MatchString(text) && !slices.Contains(names, "MPL-2.0") { // which names them as ways out
		names = append(names, "COPYLEFT")
	}
	return names
}

// linked is a module that is in the program.
type linked struct{ path, dir string }

// linkedModules lists the modules of the program on every machine that it is packed for.
func linkedModules(t *testing.T) (all []linked) {
	t.Helper()
	for _, arch := range []string{"amd64", "arm64"} {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}{{end}}", "./cmd/milterscan")
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			path, dir, found := strings.Cut(strings.TrimSpace(line), "\t")
			m := linked{path, dir}
			if found && path+"/" != module && !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	slices.SortFunc(all, func(a, b linked) int { return strings.Compare(a.path, b.path) })
	return all
}

// license returns the licenses of a module's files, as an expression of SPDX.
func (m linked) license(t *testing.T) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(m.dir, func(path string, d fs.DirEntry, err error) error {
		inside, _ := filepath.Rel(m.dir, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.Count(inside, "/") >= 2):
			return fs.SkipDir
		case d.IsDir() || !notice.MatchString(d.Name()) || strings.HasSuffix(d.Name(), ".go"), d.Name() == "LICENSE-LOGO":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found := licensesOf(string(text))
		if len(found) == 0 {
			t.Errorf("%s: %s is a license that nobody has looked at; add it to kinds if it may be passed on", m.path, inside)
		}
		names = append(names, found...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		t.Errorf("%s has no license", m.path)
	}
	if slices.Contains(names, "COPYLEFT") {
		t.Errorf("%s has a license that asks more than we can promise", m.path)
	}
	return strings.Join(names, " AND ")
}

// TestLicenses: docs/licenses.md lists every module in the program with its license,
// read from the module's own files; "go test ./tests -run Licenses -update" writes it.
func TestLicenses(t *testing.T) {
	const page = "../docs/licenses.md"
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(have), "| module |")
	if !found {
		t.Fatalf("%s has no table", page)
	}
	want := head + "| module | license |\n|---|---|\n"
	for _, m := range linkedModules(t) {
		want += fmt.Sprintf("| `%s` | %s |\n", m.path, m.license(t))
	}
	if t.Failed() || string(have) == want {
		return
	}
	if !*update {
		t.Fatalf("%s is not what is linked; go test ./tests -run Licenses -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestLicensesOf: each license is told from the others, and none from no words at all.
func TestLicensesOf(t *testing.T) {
	for text, want := range map[string]string{
		"Redistribution and use in source\n// and binary forms, ... Neither the name ... may be used to endorse": "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with or without modification":                        "BSD-2-Clause",
		"Apache License\n  Version 2.0, January 2004":                                                            "Apache-2.0",
		"GNU GENERAL PUBLIC LICENSE Version 3":                                                                   "COPYLEFT",
		"Mozilla Public License Version 2.0 ... GNU General Public License":                                      "MPL-2.0",
		"All rights reserved.": "",
	} {
		if got := strings.Join(licensesOf(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
