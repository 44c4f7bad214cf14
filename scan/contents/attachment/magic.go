package attachment

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"unicode/utf16"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scratch"
)

// shortcut recognises files that start something else.
func shortcut(head []byte, _ scan.Content) (nature, error) {
	// MS-SHLLINK, section 2.1: the size of the header and its class identifier.
	if bytes.HasPrefix(head, []byte("\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46")) {
		return nature{kind: Shortcut, what: "a Windows shortcut"}, nil
	}
	plain := asText(head)
	if launcher(plain) {
		return nature{kind: Shortcut, what: "a launcher of Linux desktops", text: true}, nil
	}
	if !bytes.HasPrefix(bytes.TrimLeft(plain, " \t\r\n"), []byte("<")) {
		return nature{}, nil
	}
	for _, root := range [...]struct{ mark, what string }{
		{"<librarydescription", "a Windows library"},
		{"<searchconnectordescription", "a Windows search connector"},
		{"<persistedquery", "a saved Windows search"},
		{"<pcsettings", "a Windows settings shortcut"},
		{"<mmc_consolefile", "a Windows management console"},
		{"<appinstaller", "a Windows app installer"},
	} {
		if rootElement(plain, root.mark) {
			return nature{kind: Shortcut, what: root.what, text: true, windows: true}, nil
		}
	}
	if rootElement(plain, "<configuration") && bytes.Contains(bytes.ToLower(plain), []byte("<logoncommand")) {
		return nature{kind: Shortcut, what: "a Windows sandbox", text: true, windows: true}, nil
	}
	return nature{}, nil
}

// launcher recognises a desktop entry, as Linux desktops start programs by, if it
// names one (Desktop Entry Specification, sections 3 and 6). What it runs is for
// those who look into documents.
func launcher(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	for hasPrefix(text, "#") {
		_, text, _ = bytes.Cut(text, []byte("\n"))
		text = bytes.TrimLeft(text, " \t\r\n")
	}
	return hasPrefix(text, "[Desktop Entry]") && desktopExec.Match(text)
}

var desktopExec = regexp.MustCompile(`(?m)^Exec[ \t]*=`)

// rootElement reports whether an XML text begins with that element, upper and
// lower case alike, after nothing but declarations and comments.
func rootElement(text []byte, element string) bool {
	for range 8 {
		text = bytes.TrimLeft(text, " \t\r\n")
		if len(text) >= len(element) && bytes.EqualFold(text[:len(element)], []byte(element)) {
			return true
		}
		if !hasPrefix(text, "<?", "<!") {
			return false
		}
		end := ">"
		if hasPrefix(text, "<!--") {
			end = "-->"
		}
		_, rest, found := bytes.Cut(text, []byte(end))
		if !found {
			return false
		}
		text = rest
	}
	return false
}

// magics are formats that their first bytes tell for certain.
var magics = [...]struct {
	at   int
	mark string
	nature
}{
	{0, "ITSF\x03\x00\x00\x00", nature{kind: DeniedType, what: "compiled help (CHM)"}},
	{0, "\x3f\x5f\x03\x00", nature{kind: DeniedType, what: "Windows help (HLP)"}},
	{7, "**ACE**", nature{kind: DeniedType, what: "an ACE archive"}},
	{0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", nature{kind: DeniedType, what: "a OneNote section"}},
	{0, "\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f", nature{kind: DeniedType, what: "a OneNote notebook"}},
	{0, "MSWIM\x00\x00\x00", nature{kind: DiskImage, what: "a Windows image (WIM)"}},
	{0, "vhdxfile", nature{kind: DiskImage, what: "a virtual disk (VHDX)"}},
	{0, "conectix\x00\x00\x00", nature{kind: DiskImage, what: "a virtual disk (VHD)"}},
	{0, "KDMV\x01\x00\x00\x00", nature{kind: DiskImage, what: "a virtual disk (VMDK)"}},
	{0, "KDMV\x03\x00\x00\x00", nature{kind: DiskImage, what: "a virtual disk (VMDK)"}},
	{0, "QFI\xfb\x00\x00\x00", nature{kind: DiskImage, what: "a virtual disk (QCOW)"}},
	{0, "\xa3\x48\x4b\xbe\x98\x6c\x4a\xa9\x99\x4c\x53\x0a\x86\xd6\x48\x7d",
		nature{kind: Script, what: "a compiled AutoIt script", windows: true}},
	{0, "#@~^", nature{kind: Script, what: "an encoded Windows script", windows: true}},
}

// compoundMark begins a compound file (MS-CFB, section 2.2).
const compoundMark = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

// container recognises formats by their first bytes, and installers.
func container(head []byte, c scan.Content) (nature, error) {
	for _, m := range magics {
		if len(head) >= m.at && bytes.HasPrefix(head[m.at:], []byte(m.mark)) {
			return m.nature, nil
		}
	}
	if !bytes.HasPrefix(head, []byte(compoundMark)) {
		return nature{}, nil
	}
	return installer(head, c)
}

// installer tells installer packages (MSI), patches and transforms from other
// compound files: by the class identifier of the root storage (MS-CFB, sections
// 2.2 and 2.6.1).
func installer(head []byte, c scan.Content) (nature, error) {
	const entryCLSID = 80
	if len(head) < 52 {
		return nature{}, nil
	}
	shift := binary.LittleEndian.Uint16(head[30:])
	if shift < 7 || shift > 16 {
		return nature{}, nil
	}
	sector := int64(binary.LittleEndian.Uint32(head[48:]))
	id, err := scratch.ReadAt(c, (sector+1)<<shift+entryCLSID, 16)
	if err != nil || len(id) < 16 {
		return nature{}, err
	}
	const family = "\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
	if id[0] >= 0x82 && id[0] <= 0x86 && string(id[1:3]) == "\x10\x0c" && string(id[3:]) == family {
		return nature{kind: Program, what: "a Windows installer package (MSI)"}, nil
	}
	return nature{}, nil
}

// Where the volume descriptors of a disc are: in sector 16 (ECMA-119, section
// 6.2.1), in plain images and in raw ones, whose sectors have headers.
var descriptors = [...]struct{ sector, header int64 }{{2048, 0}, {2352, 16}, {2352, 24}, {2336, 8}}

// diskImage recognises images of disks and disc file systems.
func diskImage(head []byte, c scan.Content) (nature, error) {
	for _, d := range descriptors {
		id, err := scratch.ReadAt(c, 16*d.sector+d.header+1, 5)
		if err != nil {
			return nature{}, err
		}
		switch string(id) {
		case "CD001", "BEA01", "NSR02", "NSR03":
			return nature{kind: DiskImage, what: "a disc image (ISO 9660 or UDF)"}, nil
		}
	}
	if bootSector(head) {
		return nature{kind: DiskImage, what: "a disk image with a file system"}, nil
	}
	return footer(c)
}

// bootSector recognises the first sector of a FAT or NTFS volume: a jump, the
// file system's name, the signature at the end.
func bootSector(head []byte) bool {
	if len(head) < 512 || string(head[510:512]) != "\x55\xaa" || head[0] != 0xeb && head[0] != 0xe9 {
		return false
	}
	return string(head[54:57]) == "FAT" || string(head[82:87]) == "FAT32" || string(head[3:7]) == "NTFS" || string(head[3:8]) == "EXFAT"
}

// footer recognises images that have their mark at the end.
func footer(c scan.Content) (nature, error) {
	last, err := scratch.ReadAt(c, c.Size()-512, 16)
	if err != nil {
		return nature{}, err
	}
	switch {
	case bytes.HasPrefix(last, []byte("conectix\x00\x00\x00")):
		return nature{kind: DiskImage, what: "a virtual disk (VHD)"}, nil
	case bytes.HasPrefix(last, []byte("koly\x00\x00\x00\x04\x00\x00\x02\x00")):
		return nature{kind: DiskImage, what: "an Apple disk image (DMG)"}, nil
	}
	return nature{}, nil
}

var (
	// shebang is the first line of a script, with the path of its program, which is
	// below a folder that systems have programs in. Blanks may be before it.
	shebang = regexp.MustCompile(`^#![ \t]*/(?:app|bin|sbin|usr|opt|nix|gnu|lib|snap|system|data|home|root|tmp|var|etc|dev|proc|` +
		`run|srv|mnt|media|private|sw|pkg|Applications|Library|System|Users|Volumes)/` +
		`[A-Za-z0-9_./+@-]+(?:[ \t\r\n\x00]|$)`)
	// htmlApplication is the element that makes a web page a program.
	htmlApplication = regexp.MustCompile(`(?i)<hta:application[\s/>]`)
	// scriptHost is the root of a Windows script file.
	scriptHost = regexp.MustCompile(`(?is)^\s*(<\?xml[^>]*>\s*)?(<\?(job|component)[^>]*>\s*)*<(job|package|scriptlet)[\s>].*<script[\s>]`)
)

// script recognises scripts that a text cannot be by chance.
func script(head []byte, _ scan.Content) (nature, error) {
	text := asText(head)
	switch {
	case hasPrefix(text, "REGEDIT4\r\n", "REGEDIT4\n", "Windows Registry Editor Version 5."):
		return nature{kind: Script, what: "a registry file", text: true}, nil
	case hasPrefix(text, "#!") && shebang.Match(text):
		return nature{kind: Script, what: "a script", text: true, source: true}, nil
	case bytes.IndexByte(text, ':') >= 0 && htmlApplication.Match(text):
		return nature{kind: Script, what: "an HTML application", text: true, windows: true}, nil
	case hasPrefix(bytes.TrimLeft(text, " \t\n\f\r"), "<") && scriptHost.Match(text):
		return nature{kind: Script, what: "a Windows script", text: true, windows: true}, nil
	}
	return nature{}, nil
}

func hasPrefix(text []byte, prefixes ...string) bool {
	for _, p := range prefixes {
		if len(text) >= len(p) && string(text[:len(p)]) == p {
			return true
		}
	}
	return false
}

// asText returns the start of a file as text, without a byte order mark; UTF-16 is
// made readable.
func asText(head []byte) []byte {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return head[3:]
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return fromUTF16(head[2:], binary.LittleEndian)
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return fromUTF16(head[2:], binary.BigEndian)
	}
	return head
}

func fromUTF16(b []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}
