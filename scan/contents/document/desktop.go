package document

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/scratch"
)

// isDesktopEntry reports whether the part has the group by which Linux desktops
// know a launcher.
func (e *examination) isDesktopEntry() bool {
	return e.isFile() && hasSection(e.head, "[desktop entry]")
}

// shells are programs that run what they are told.
var shells = regexp.MustCompile(`\b(?:sh|bash|dash|zsh|ksh|fish|csh|tcsh|busybox|python[0-9.]*|perl|ruby|node|` +
	`php|lua|osascript|xterm|[a-z-]*terminal[a-z-]*|konsole|wine|eval)\b`)

// hauls are signs in a command of something being fetched or decoded to be run, or
// of a place that programs are put in to be run once.
var hauls = regexp.MustCompile(`\b(?:curl|wget|aria2c|nc|ncat|netcat|socat|base64|xxd|openssl enc|smbclient|certutil)\b|` +
	`https?://|ftp://|\\\\|smb://|(?:^|[\s"'=])/(?:tmp|var/tmp|dev/shm|dev/tcp|run/user)/|\|\s*(?:sudo\s+)?(?:ba|da|z|k)?sh\b`)

// asDocument is the name of a launcher that is shown as a document.
var asDocument = regexp.MustCompile(`(?i)\.(?:pdf|docx?|xlsx?|pptx?|od[tsp]|rtf|txt|csv|jpe?g|png|gif|zip|mp[34])(?:\.desktop)?\s*$`)

// desktopEntry judges what such a launcher runs. Programs install launchers of
// their own, and sources hold them; one that fetches what it runs, opens a share,
// or runs a shell under the name of a document is another matter.
func (e *examination) desktopEntry() error {
	const longest = 64 << 10
	b, err := scratch.ReadAt(e.part.Content, 0, longest)
	if err != nil {
		return err
	}
	posing := slices.ContainsFunc(e.part.Names, asDocument.MatchString)
	var commands []string
	for line := range bytes.Lines(narrow(b)) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		key, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(key)), "[")
		switch value = strings.TrimSpace(value); key {
		case "exec", "tryexec":
			commands = append(commands, value)
		case "name":
			posing = posing || asDocument.MatchString(value)
		case "url":
			e.address(value)
		}
	}
	for _, c := range commands {
		if hauls.MatchString(c) || posing && shells.MatchString(c) {
			e.report.add(ruleShortcut, "runs "+quote(c))
		}
	}
	return nil
}
