package document

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"

	"github.com/milterscan/milterscan/scan/scratch"
)

// shellLinkMark begins a shortcut: the size of its header and its class
// identifier (MS-SHLLINK, section 2.1).
const shellLinkMark = "\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"

func (e *examination) isShellLink() bool { return e.beginsWith(shellLinkMark) }

// Flags of a shortcut (section 2.1.1).
const (
	linkHasIDList = 1 << iota
	linkHasInfo
	linkHasName
	linkHasRelativePath
	linkHasWorkingDir
	linkHasArguments
	linkHasIcon
	linkIsUnicode
)

// shortcut is what a shortcut says.
type shortcut struct {
	targets   []string // paths of what it opens, in every place that has one
	items     []byte   // the list of items that leads to it
	arguments string
	icon      string
}

// longestLink bounds how much of a shortcut we read. Windows writes a few KB;
// attackers append what the command will look for.
const longestLink = 1 << 20

// shellLink judges a Windows shortcut.
func (e *examination) shellLink() error {
	b, err := scratch.ReadAt(e.part.Content, 0, longestLink)
	if err != nil {
		return err
	}
	e.shortcut(parseLink(b))
	return nil
}

// interpreters are programs that run what they are told.
var interpreters = regexp.MustCompile(`(?i)\b(powershell|pwsh|cmd|mshta|wscript|cscript|rundll32|regsvr32|certutil|bitsadmin|` +
	`msiexec|curl|wmic|forfiles|conhost|ftp|ssh|scp|msbuild|hh|odbcconf|pcalua|python|bash|wsl|control|schtasks|regasm|` +
	`installutil|cmstp|tar|finger|cmdkey|syncappvpublishingserver)(\.exe|\.com)?\b`)

// fetches are signs in arguments of something being fetched or run.
var fetches = regexp.MustCompile(`(?i)https?:|\\\\[a-z0-9.-]+[@\\]|javascript:|vbscript:|-enc|` +
	`frombase64|downloadstring|invoke-|iex\b|%comspec%|start-process`)

// hiddenArguments is the length beyond which the window of a shortcut's
// properties does not show arguments.
const hiddenArguments = 255

// shortcut judges where a shortcut leads.
func (e *examination) shortcut(s shortcut) {
	target := ""
	for _, t := range s.targets {
		if where, _ := targetOf(t); where == remote {
			e.report.add(ruleRemoteShortcut, "leads to "+quote(t))
		}
		if target == "" || interpreters.MatchString(t) {
			target = t
		}
	}
	if target == "" {
		target = string(interpreters.Find(s.items))
	}
	if where, _ := targetOf(s.icon); where == remote {
		e.report.add(ruleRemoteShortcut, "has its icon at "+quote(s.icon))
	}
	command := strings.TrimSpace(quote(target) + " " + quote(strings.Join(strings.Fields(s.arguments), " ")))
	switch {
	case interpreters.MatchString(target[strings.LastIndexAny(target, `\/`)+1:]),
		fetches.MatchString(s.arguments), interpreters.MatchString(s.arguments):
		e.report.add(ruleShortcut, "runs "+command)
	case len(s.arguments) > hiddenArguments:
		e.report.add(ruleShortcut, fmt.Sprintf("has arguments of %d characters: %s", len(s.arguments), command))
	}
}

// parseLink reads a shortcut as far as it makes sense.
func parseLink(b []byte) (s shortcut) {
	const header, flagsAt = 76, 20
	if len(b) < header {
		return s
	}
	flags := binary.LittleEndian.Uint32(b[flagsAt:])
	b = b[header:]
	if flags&linkHasIDList != 0 {
		s.items, b = cutSized(b, 2, 0)
		s.items = bytes.ReplaceAll(s.items, []byte{0}, nil)
	}
	if flags&linkHasInfo != 0 {
		var info []byte
		info, b = cutSized(b, 4, 4)
		s.targets = append(s.targets, linkInfo(info)...)
	}
	return linkStrings(s, b, flags)
}

// cutSized cuts off data that follows its size, of which so many bytes are part of
// it.
func cutSized(b []byte, width, own int) (data, rest []byte) {
	if len(b) < width {
		return nil, nil
	}
	n := int64(binary.LittleEndian.Uint16(b))
	if width == 4 {
		n = int64(binary.LittleEndian.Uint32(b))
	}
	n = min(max(n-int64(own), 0), int64(len(b)-width))
	return b[width : int64(width)+n], b[int64(width)+n:]
}

// linkInfo returns the paths in the LinkInfo structure (section 2.3), whose offsets
// count from its size.
func linkInfo(info []byte) []string {
	const localPath, network, suffix, netName = 16, 20, 24, 8
	at := func(b []byte, i int) int64 {
		if len(b) < i {
			return 0
		}
		return int64(binary.LittleEndian.Uint32(b[i-4:])) - 4
	}
	text := func(off int64) string {
		if off <= 0 || off >= int64(len(info)) {
			return ""
		}
		return cString(string(info[off:]))
	}
	var paths []string
	end := text(at(info, suffix))
	if p := text(at(info, localPath)); p != "" {
		paths = append(paths, p+end)
	}
	if off := at(info, network); off > 0 && off < int64(len(info)) {
		if n := at(info[off:], netName+4); n > 0 {
			if share := text(off + n + 4); share != "" {
				paths = append(paths, share+`\`+end)
			}
		}
	}
	return paths
}

// linkStrings reads the strings (section 2.4) and the path with variables among
// the blocks after them (section 2.5.4).
func linkStrings(s shortcut, b []byte, flags uint32) shortcut {
	var path, name, dir string
	for _, f := range [...]struct {
		flag uint32
		to   *string
	}{
		{linkHasName, &name}, {linkHasRelativePath, &path}, {linkHasWorkingDir, &dir},
		{linkHasArguments, &s.arguments}, {linkHasIcon, &s.icon},
	} {
		if flags&f.flag == 0 || len(b) < 2 {
			continue
		}
		n := int(binary.LittleEndian.Uint16(b))
		if flags&linkIsUnicode != 0 {
			n *= 2
		}
		n = min(n, len(b)-2)
		*f.to = string(b[2 : 2+n])
		if flags&linkIsUnicode != 0 {
			*f.to = wide(b[2 : 2+n])
		}
		b = b[2+n:]
	}
	if path != "" {
		s.targets = append(s.targets, path)
	}
	s.targets = append(s.targets, variablePaths(b)...)
	return s
}

// variablePaths returns the paths of the environment block.
func variablePaths(b []byte) []string {
	const environment, narrowSize = 0xa0000001, 260
	for len(b) >= 8 {
		size := int64(binary.LittleEndian.Uint32(b))
		if size < 8 || size > int64(len(b)) {
			return nil
		}
		if binary.LittleEndian.Uint32(b[4:]) == environment {
			data := b[8:size]
			paths := []string{cString(string(data[:min(narrowSize, len(data))]))}
			if len(data) > narrowSize {
				paths = append(paths, cString(wide(data[narrowSize:])))
			}
			return paths
		}
		b = b[size:]
	}
	return nil
}
