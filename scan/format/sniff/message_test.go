package sniff

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIsMessage(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"mail":                  {"Received: from a by b\r\n\tfor c; today\r\nFrom: a@example.com\r\nSubject: x\r\n\r\nbody", true},
		"bare LF":               {"From: a@example.com\nMessage-ID: <1@example.com>\nDate: today\n\nbody", true},
		"mailbox":               {"From a@example.com Mon Jan  5 2026\nReceived: x\nFrom: a\nTo: b\n\nbody", true},
		"web page":              {"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\n", true},
		"web page, saved":       {"From: <Saved by a browser>\r\nSubject: x\r\nDate: today\r\nMIME-Version: 1.0\r\n\r\n", true},
		"byte order mark":       {"\xef\xbb\xbfMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n", true},
		"empty line before":     {"\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n", true},
		"capitals, blanks":      {"MIME-VERSION : 1.0\r\ncontent-TYPE: text/html\r\n\r\n", true},
		"cut in a long header":  {"Received: x\r\nFrom: a\r\nTo: b\r\nX-Long: " + strings.Repeat("x", 2*MessageHead), true},
		"cut in a name":         {"Received: x\r\nFrom: a\r\nTo: b\r\n" + strings.Repeat("X-Pad: y\r\n", 1000), true},
		"no body":               {"Received: x\r\nFrom: a\r\nTo: b", true},
		"empty":                 {"", false},
		"text":                  {"Dear all,\r\n\r\nFrom: a\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n", false},
		"quoted above a reply":  {"From: A\r\nSent: today\r\nTo: B\r\nSubject: x\r\n\r\nHello", false},
		"HTTP":                  {"HTTP/1.1 200 OK\r\nDate: today\r\nContent-Type: text/html\r\n\r\n", false},
		"HTTP without its line": {"Date: today\r\nContent-Type: text/html\r\nServer: x\r\n\r\n", false},
		"manifest":              {"Manifest-Version: 1.0\r\nCreated-By: x\r\n\r\n", false},
		"Debian control":        {"Package: a\nVersion: 1\nMaintainer: b\n\n", false},
		"patch":                 {"From 0123456789 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.com>\nDate: today\nSubject: [PATCH] x\n\n---\n", false},
		"YAML":                  {"to: a\nfrom: b\nsubject: c\ndate: d\n", false},
		"vCard":                 {"BEGIN:VCARD\r\nVERSION:3.0\r\n", false},
		"program":               {"MZ\x90\x00\x03", false},
	} {
		if got := IsMessage([]byte(c.text)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Nothing in this module's own sources is a mail, but for what is one.
func TestIsMessageRaisesNoFalseAlarm(t *testing.T) {
	filepath.WalkDir("../../..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "testdata") || strings.Contains(path, "tests/") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil && filepath.Ext(path) != ".eml" && IsMessage(text) {
			t.Errorf("%s is taken for a mail", path)
		}
		return nil
	})
}

func FuzzIsMessage(f *testing.F) {
	f.Add([]byte("Received: x\r\nFrom: a\r\nTo: b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		if IsMessage(head) && len(head) < len("from:a\nmime-version:1\n")/2 {
			t.Errorf("%q is too short", head)
		}
	})
}
