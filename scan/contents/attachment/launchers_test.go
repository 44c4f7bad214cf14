package attachment

import (
	"os"
	"strings"
	"testing"
)

// TestLaunchersByContent are refused whatever they are called, and those of Windows
// in archives too.
func TestLaunchersByContent(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for content, want := range map[string]struct{ attached, member string }{
		"<?xml version=\"1.0\"?>\r\n<MMC_ConsoleFile ConsoleVersion=\"3.0\"><StringTables/></MMC_ConsoleFile>": {"shortcut", "member-program"},
		"\r\n<!-- x --><mmc_consolefile/>": {"shortcut", "member-program"},
		"\xff\xfe<\x00M\x00M\x00C\x00_\x00C\x00o\x00n\x00s\x00o\x00l\x00e\x00F\x00i\x00l\x00e\x00>\x00": {"shortcut", "member-program"},
		"<AppInstaller Uri=\"https://x.test/a.appinstaller\"/>":                                         {"shortcut", "member-program"},
		"<Configuration><LogonCommand><Command>cmd</Command></LogonCommand></Configuration>":            {"shortcut", "member-program"},
		"<configuration><appSettings/></configuration>":                                                 {"", ""},
		"[Desktop Entry]\nType=Application\nExec=vim\n":                                                 {"shortcut", ""}, // sources hold them
		"#!/usr/bin/env xdg-open\n\n[Desktop Entry]\nName=x\nExec=vim\n":                                {"shortcut", ""},
		"[Desktop Entry]\nType=Link\nURL=https://example.com/\n":                                        {"", ""},
		"\xa3\x48\x4b\xbe\x98\x6c\x4a\xa9\x99\x4c\x53\x0a\x86\xd6\x48\x7dAU3!EA06":                      {"script", "member-program"},
	} {
		if got := rulesOf(t, s, attach(content, "report.dat")); got != want.attached {
			t.Errorf("%q: %q, want %q", content, got, want.attached)
		}
		if got := rulesOf(t, s, inArchive(content, "report.dat")...); got != want.member {
			t.Errorf("%q in an archive: %q, want %q", content, got, want.member)
		}
	}
}

// TestScripts with the path of their program are refused, unless they are sent as
// the sources that their names say.
func TestScripts(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for _, first := range []string{
		"#!/bin/sh", "#! /bin/sh -e", "#!/usr/bin/env python3", "#!/usr/local/bin/perl -w", "#!/opt/x/bin/y", "#!/nix/store/abc-bash/bin/bash", "#!/system/bin/sh", "#!/bin/sh\r", "#!/proc/self/exe",
	} {
		for name, want := range map[string]string{"invoice": "script", "invoice.pdf": "script", "a.dat": "script", "a.py": "", "a.sh": "", "A.PY": "", "a.rb": "", "a.py ": "", "a.command": "name script"} {
			if got := rulesOf(t, s, attach(first+"\necho\n", name)); got != want {
				t.Errorf("%q in %s: %q, want %q", first, name, got, want)
			}
			if got := rulesOf(t, s, attach("echo\n", name)); got == "script" {
				t.Errorf("without a first line, %s: %q", name, got)
			}
		}
		if got := rulesOf(t, s, attach(first+"\necho\n", "a.py", "b.pdf")); got != "script" {
			t.Errorf("%q by two names: %q", first, got)
		}
	}
	for _, first := range []string{"#!/not a script", "#!/not/a/script", "#! important", "#!", "#!/", "#!/bin", "#!/usr/", "#!/bin/s\xc3\xa4", "#!sh", "# /bin/sh"} {
		if got := rulesOf(t, s, attach(first+"\nhello\n", "notes")); got != "" {
			t.Errorf("%q: %q", first, got)
		}
	}
}

// TestWhatPeopleSend is not refused, though Microsoft refuses it.
func TestWhatPeopleSend(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for _, ext := range strings.Fields("mat cer crt der cab py tmp m ipynb") {
		if got := rulesOf(t, s, attach("x", "a."+ext)); got != "" {
			t.Errorf("%s: %q", ext, got)
		}
	}
}

// TestReasonsAreDocumented compares the page with the lists.
func TestReasonsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/attachments.md")
	if err != nil {
		t.Fatal(err)
	}
	groups := append(denied[:], group{"what was dangerous once and nobody sends on purpose now", oldNoise}, group{"what runs with a double click, inside archives", deniedMembers})
	for _, g := range groups {
		row := "| " + g.why + " | " + strings.Join(strings.Fields(g.extensions), " ") + " |"
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/attachments.md lacks the row\n%s", row)
		}
	}
}
