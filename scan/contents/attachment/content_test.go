package attachment

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

// windowsExe is a DOS header that points at a PE header with these flags.
func windowsExe(flags, subsystem uint16) string {
	b := make([]byte, 256)
	copy(b, "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff")
	binary.LittleEndian.PutUint32(b[60:], 128)
	copy(b[128:], "PE\x00\x00\x4c\x01")
	binary.LittleEndian.PutUint16(b[128+22:], flags)
	binary.LittleEndian.PutUint16(b[128+24+68:], subsystem)
	return string(b)
}

func elfFile(kind byte) string {
	return "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + string([]byte{kind, 0}) + strings.Repeat("\x00", 46)
}

// compound is a compound file whose root storage has that class identifier.
func compound(clsid string) string {
	b := make([]byte, 2048)
	copy(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	binary.LittleEndian.PutUint16(b[30:], 9)
	binary.LittleEndian.PutUint32(b[48:], 1) // the directory is in sector 1, at 1,024
	copy(b[1024+80:], clsid)
	return string(b)
}

// at puts a mark into zeros.
func at(off int, mark string, size int) string {
	b := make([]byte, size)
	copy(b[off:], mark)
	return string(b)
}

func utf16LE(s string) string {
	b := []byte("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

func bootable(name string, off int) string {
	b := []byte(at(off, name, 512))
	copy(b, "\xeb\x3c\x90")
	copy(b[510:], "\x55\xaa")
	return string(b)
}

const registry = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Software]\r\n"

var contentTests = []struct{ label, name, content, want, member string }{
	{"text", "a.txt", "plain text\n", "", ""},
	{"empty", "a.bin", "", "", ""},
	{"text that begins with MZ", "a.txt", "MZ is the mark of Mark Zbikowski, who wrote the format; and so on and on and on.\n", "", ""},
	{"short text that begins with MZ", "a.txt", "MZ", "", ""},
	{"binary that begins with MZ", "a.dat", "MZ" + strings.Repeat("\xc3\x91\x7f", 50), "", ""},
	{"pdf", "a.pdf", "%PDF-1.7\n1 0 obj\n", "", ""},
	{"zip", "a.zip", "PK\x03\x04\x14\x00\x00\x00\x08\x00", "", ""},
	{"Word document", "a.doc", compound("\x06\x09\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"), "", ""},
	{"Java class", "A.class", "\xca\xfe\xba\xbe\x00\x00\x00\x34\x00\x10", "", ""},
	{"page that speaks of hta", "a.html", "<html><p>An hta:application is dangerous</p></html>", "", ""},
	{"xml", "a.xml", "<?xml version=\"1.0\"?><jobs><job>cook</job></jobs>", "", ""},
	{"hash mark", "a.txt", "#! not a path\n", "", ""},
	{"tar of zeros", "a.bin", at(100, "x", 70_000), "", ""},

	{"PE", "a.dat", windowsExe(0x0102, 2), "program", "member-program"},
	{"PE named as picture", "pic.jpg", windowsExe(0x0102, 2), "program", "member-program"},
	{"DLL", "a.dat", windowsExe(0x2102, 2), "program", "member-program"},
	{"honest DLL", "user32.dll", windowsExe(0x2102, 2), "old-name program", ""},
	{"driver", "disk.sys", windowsExe(0x0102, 1), "old-name program", ""},
	{"program named as library", "user32.dll", windowsExe(0x0102, 2), "old-name program", "member-program"},
	{"cut program", "a.dat", windowsExe(0x0102, 2)[:100], "program", "member-program"},
	{"DOS program", "a.dat", "MZ\x50\x00\x02\x00\x00\x00\x04\x00\x0f\x00\xff\xff\x00\x00" + strings.Repeat("\x00\xb4", 500), "program", "member-program"},
	{"NE", "a.dat", at(0, "MZ", 64)[:60] + "\x40\x00\x00\x00NE\x05\x00" + strings.Repeat("\x00", 40), "program", "member-program"},
	{"ELF", "a.dat", elfFile(2), "program", "member-program"},
	{"ELF library", "libc.so.6", elfFile(3), "program", ""},
	{"ELF object", "a.o", elfFile(1), "program", ""},
	{"Mach-O", "a.dat", "\xcf\xfa\xed\xfe\x07\x00\x00\x01", "program", "member-program"},
	{"fat Mach-O", "a.dat", "\xca\xfe\xba\xbe\x00\x00\x00\x02", "program", "member-program"},
	{"MSI", "a.doc", compound("\x84\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"), "program", "member-program"},
	{"LNK", "a.txt", "\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46\x9b", "shortcut", "member-program"},
	{"library", "a.xml", "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- x -->\n<libraryDescription xmlns=\"x\">", "shortcut", "member-program"},
	{"search connector", "a.xml", "<searchConnectorDescription>", "shortcut", "member-program"},
	{"settings", "a.xml", utf16LE("<?xml version=\"1.0\"?><PCSettings>"), "shortcut", "member-program"},
	{"ISO", "a.dat", at(0x8001, "CD001", 0x9000), "disk-image", "member-program"},
	{"raw ISO", "a.dat", at(16*2352+25, "CD001", 0x10000), "disk-image", "member-program"},
	{"UDF", "a.dat", at(0x8001, "BEA01", 0x9000), "disk-image", "member-program"},
	{"FAT", "a.dat", bootable("FAT12   ", 54), "disk-image", "member-program"},
	{"NTFS", "a.dat", bootable("NTFS    ", 3), "disk-image", "member-program"},
	{"VHD", "a.dat", at(4096, "conectix\x00\x00\x00\x02", 4096+512), "disk-image", "member-program"},
	{"VHDX", "a.dat", "vhdxfile" + strings.Repeat("\x00", 100), "disk-image", "member-program"},
	{"WIM", "a.dat", "MSWIM\x00\x00\x00\xd0", "disk-image", "member-program"},
	{"DMG", "a.dat", at(4096, "koly\x00\x00\x00\x04\x00\x00\x02\x00", 4096+512), "disk-image", "member-program"},
	{"CHM", "a.dat", "ITSF\x03\x00\x00\x00\x60", "denied-type", ""},
	{"ACE", "a.dat", "\x00\x00\x00\x00\x00\x00\x00**ACE**", "denied-type", ""},
	{"OneNote", "a.dat", "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3\x00", "denied-type", ""},
	{"registry", "a.txt", registry, "script", ""},
	{"registry in UTF-16", "a.txt", utf16LE(registry), "script", ""},
	{"shebang", "a.txt", "#!/bin/sh\nrm -rf /\n", "script", ""},
	{"shebang with blank", "a.txt", "#! /usr/bin/env python3\n", "script", ""},
	{"HTA", "a.html", "<html><head><HTA:APPLICATION ID=x></head>", "script", "member-program"},
	{"encoded script", "a.txt", "#@~^EQAAAA==", "script", "member-program"},
	{"wsf", "a.xml", "<?xml version='1.0'?><job id=x><script language=JScript>x</script></job>", "script", "member-program"},
}

func TestContent(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for _, tt := range contentTests {
		t.Run(tt.label, func(t *testing.T) {
			if got := rulesOf(t, s, attach(tt.content, tt.name)); got != tt.want {
				t.Errorf("attached: %q, want %q", got, tt.want)
			}
			if got := rulesOf(t, s, inArchive(tt.content, tt.name)...); got != tt.member {
				t.Errorf("in an archive: %q, want %q", got, tt.member)
			}
		})
	}
}

func TestContentsAreConfigured(t *testing.T) {
	c := DefaultConfig()
	c.DenyContents = []Kind{Script}
	if got := rulesOf(t, newScanner(t, c), attach(windowsExe(0x0102, 2), "a.dat")); got != "" {
		t.Errorf("a program where only scripts are refused: %q", got)
	}
}

func TestMismatch(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for _, tt := range []struct{ name, declared, sniffed, want string }{
		{"a.pdf", "application/pdf", "application/pdf", ""},
		{"a.pdf", "application/octet-stream", "application/pdf", ""},
		{"a.jpg", "image/jpeg", "image/png", ""},
		{"a.xls", "application/vnd.ms-excel", "text/html", ""}, // half the world's shops
		{"a.doc", "application/msword", "text/rtf", ""},
		{"a.doc", "application/msword", "application/zip", ""},
		{"a.txt", "text/plain", "text/html", ""},
		{"a.csv", "text/plain", "text/csv", ""},
		{"a.jpg", "image/jpeg", "application/octet-stream", ""},
		{"a.svg", "image/svg+xml", "text/html", ""},
		{"a.docx", "application/pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "type-mismatch"},
		{"a.pdf", "application/pdf", "text/html", "type-mismatch"},
		{"a.jpg", "application/octet-stream", "application/zip", "type-mismatch"},
		{"a.bin", "image/png", "application/x-ole-storage", "type-mismatch"},
		{"a.txt", "text/plain", "application/x-rar-compressed", "type-mismatch"},
	} {
		p := attach("x", tt.name)
		p.Type, p.Sniffed = tt.declared, tt.sniffed
		if got := rulesOf(t, s, p); got != tt.want {
			t.Errorf("%s, declared %s, is %s: %q, want %q", tt.name, tt.declared, tt.sniffed, got, tt.want)
		}
	}
}
