package attachment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scratch"
)

// headSize is how much of the start of a part is looked at.
const headSize = 4 << 10

// judgeContent looks at what the part is.
func (s *Scanner) judgeContent(r *report) error {
	if r.Content == nil || r.Content.Size() == 0 || r.place == attached && isComposite(r.Type) {
		return nil
	}
	found, err := recognise(r.Content)
	if err != nil {
		return err
	}
	if found.kind == Harmless {
		s.judgeMismatch(r)
		return nil
	}
	if found.source && isSource(r.Names) {
		return nil
	}
	if !s.contents[found.kind] || found.text && !r.isFile() || r.place != attached && passesAsMember(r, found) {
		return nil
	}
	r.add(rule(found.kind), fmt.Sprintf("%s is %s", r.label(), found.what))
	return nil
}

// passesAsMember reports whether an archive may hold such content: sources hold
// scripts and objects, drivers hold libraries under their own names.
func passesAsMember(r *report, found nature) bool {
	switch {
	case found.kind == DeniedType, found.text && !found.windows:
		return true
	case !found.library || len(r.Names) == 0:
		return false
	}
	for _, n := range r.Names {
		if !libraryExtensions[extension(bareName(n))] && !bytes.Contains([]byte(n), []byte(".so.")) {
			return false
		}
	}
	return true
}

// nature is what content is.
type nature struct {
	kind    Kind
	what    string // for the detail
	library bool   // part of a program that does not run by itself
	text    bool   // of such a kind only where a client shows it as a file
	windows bool   // a text that Windows runs
	source  bool   // a script that says which program runs it
}

// isSource reports whether every name of a part is that of a script as people send
// them.
func isSource(names []string) bool {
	named := false
	for _, n := range names {
		if n == "" {
			continue
		}
		if named = sourceExtensions[extension(bareName(n))]; !named {
			return false
		}
	}
	return named
}

// recognise tells what content is, by its structure and not only by its first
// bytes where a text may begin with the same. The error is the content's own.
func recognise(c scan.Content) (nature, error) {
	buf := scratch.Lend()
	defer buf.Return()
	n, err := c.ReadAt(buf[:headSize], 0)
	if err != nil && err != io.EOF {
		return nature{}, err
	}
	head := buf[:n]
	for _, try := range [...]func([]byte, scan.Content) (nature, error){program, shortcut, container, diskImage, script} {
		if n, err := try(head, c); err != nil || n.kind != Harmless {
			return n, err
		}
	}
	return nature{}, nil
}

// program recognises executables.
func program(head []byte, c scan.Content) (nature, error) {
	switch {
	case bytes.HasPrefix(head, []byte("MZ")), bytes.HasPrefix(head, []byte("ZM")):
		return windowsProgram(head, c)
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return elf(head), nil
	case machO(head):
		return nature{kind: Program, what: "a Mach-O program"}, nil
	}
	return nature{}, nil
}

// windowsProgram tells a program from a text that begins with MZ: a PE, NE, LE
// or LX header is where the DOS header says, or that header is plausible.
func windowsProgram(head []byte, c scan.Content) (nature, error) {
	if len(head) < 28 {
		return nature{}, nil
	}
	if len(head) >= 64 {
		at := int64(binary.LittleEndian.Uint32(head[60:]))
		inner, err := scratch.ReadAt(c, at, 96)
		if err != nil {
			return nature{}, err
		}
		if n := innerProgram(inner); n.kind != Harmless {
			return n, nil
		}
	}
	if plausibleDOS(head, c.Size()) {
		return nature{kind: Program, what: "a DOS program, or a damaged Windows one"}, nil
	}
	return nature{}, nil
}

// innerProgram reads the header after the DOS stub.
func innerProgram(h []byte) nature {
	switch {
	case bytes.HasPrefix(h, []byte("PE\x00\x00")):
		const isDLL, native = 0x2000, 1
		n := nature{kind: Program, what: "a Windows program"}
		if len(h) >= 24+70 {
			n.library = binary.LittleEndian.Uint16(h[22:])&isDLL != 0 || binary.LittleEndian.Uint16(h[24+68:]) == native
		}
		return n
	case bytes.HasPrefix(h, []byte("NE")):
		const isLibrary = 0x8000
		return nature{kind: Program, what: "a 16-bit Windows program", library: len(h) >= 14 && binary.LittleEndian.Uint16(h[12:])&isLibrary != 0}
	case bytes.HasPrefix(h, []byte("LE")), bytes.HasPrefix(h, []byte("LX")):
		return nature{kind: Program, what: "a 32-bit OS/2 program or a virtual driver"}
	}
	return nature{}
}

// plausibleDOS holds the DOS header against the size: bytes in the last page,
// pages, relocations, header paragraphs. Letters in their places are far too
// large.
func plausibleDOS(head []byte, size int64) bool {
	last, pages := binary.LittleEndian.Uint16(head[2:]), binary.LittleEndian.Uint16(head[4:])
	paragraphs := int64(binary.LittleEndian.Uint16(head[8:]))
	return last < 512 && pages > 0 && paragraphs >= 2 && paragraphs*16 <= size && bytes.IndexByte(head[:28], 0) >= 0
}

// elf reads the identification and the type of an ELF file.
func elf(head []byte) nature {
	if len(head) < 18 || head[4] < 1 || head[4] > 2 || head[5] < 1 || head[5] > 2 || head[6] != 1 {
		return nature{}
	}
	const executable = 2
	kind := binary.LittleEndian.Uint16(head[16:])
	if head[5] == 2 {
		kind = binary.BigEndian.Uint16(head[16:])
	}
	return nature{kind: Program, what: "an ELF program", library: kind != executable}
}

// machO reports whether a file is a program of macOS, for one processor or for
// several. Java's class files share a magic number with the latter, but have a
// version where it has a small count.
func machO(head []byte) bool {
	if len(head) < 8 {
		return false
	}
	magic, count := binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[4:])
	switch magic {
	case 0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe:
		return true
	case 0xcafebabe, 0xcafebabf:
		return count > 0 && count < 30
	}
	return false
}

// allowedHash reports whether the part, or a file around it, is on the list.
func (s *Scanner) allowedHash(ctx context.Context, m *scan.Message, i int) (Hash, bool, error) {
	for depth := 0; i >= 0 && i < len(m.Parts) && depth <= len(m.Parts); depth++ {
		if c := m.Parts[i].Content; c != nil {
			h, err := hashOf(ctx, c)
			if err != nil || s.allowed[h] {
				return h, err == nil, err
			}
		}
		i = m.Parts[i].Parent
	}
	return Hash{}, false, nil
}

// hashOf reads all of c, and stops when ctx is done.
func hashOf(ctx context.Context, c scan.Content) (h Hash, err error) {
	sum := sha256.New()
	r := scan.Reader(c)
	for {
		if err := ctx.Err(); err != nil {
			return h, err
		}
		if _, err := io.CopyN(sum, r, 1<<20); err == io.EOF {
			return Hash(sum.Sum(nil)), nil
		} else if err != nil {
			return h, err
		}
	}
}
