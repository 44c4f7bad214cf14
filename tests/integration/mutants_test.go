package integration

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/spool"
	"github.com/milterscan/milterscan/tests/sample"
)

// mark is in the file that is to be found in a changed archive.
const mark = "MZ\x90\x00 these words are in no header"

// opener is a program by which people open archives. FILE and DIR are put into its arguments.
type opener []string

// TestMutants changes archives in one place after the other. Where a program that people use
// still gets the file out, we have to see it as well, or say that we do not see everything.
func TestMutants(t *testing.T) {
	needServers(t)
	files := []sample.File{{Name: "a.txt", Content: []byte("first comes a letter\n")}, {Name: "setup.exe", Content: []byte(mark)}}
	unar, sevenzip := opener{"unar", "-q", "-f", "-o", "DIR", "FILE"}, opener{"7z", "x", "-y", "-oDIR", "FILE"}
	bsdtar, unrar := opener{"bsdtar", "-xf", "FILE", "-C", "DIR"}, opener{"unrar-free", "-x", "-f", "FILE", "DIR/"}
	rpm := opener{"sh", "-c", "rpm2cpio FILE | (cd DIR && cpio -idm --no-absolute-filenames)"}
	for _, c := range []struct {
		name     string
		archive  []byte
		blocks   func([]byte) []block
		programs []opener
	}{
		{"a.rar", sample.Rar4(files...), rar4Blocks, []opener{sevenzip, bsdtar, unar, unrar}},
		{"b.rar", sample.Rar5(files...), rar5Blocks, []opener{sevenzip, bsdtar, unar, unrar}},
		{"a.rpm", sample.RPM(files...), func([]byte) []block { return nil }, []opener{rpm, bsdtar, sevenzip, unar}},
	} {
		t.Run(c.name, func(t *testing.T) {
			trial := newTrial(t, c.name, c.programs)
			for _, p := range c.programs {
				if !trial.opens(p, c.archive) {
					t.Errorf("%s does not open the archive as it is", p[0])
				}
			}
			list := mutants(c.archive, c.blocks(c.archive))
			for _, m := range list {
				trial.try(m)
			}
			t.Logf("%d archives: in %d we see the file, of %d we say that we do not see everything", len(list), trial.seen, trial.told)
			if trial.seen < len(list)/4 {
				t.Error("hardly any is opened")
			}
		})
	}
}

// block is a header with a checksum of four or two bytes at its beginning.
type block struct{ start, end, sum int }

// mend writes the checksum of a block that was changed.
func (b block) mend(archive []byte) {
	sum := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(archive[b.start+b.sum:b.end]))
	copy(archive[b.start:], sum[:b.sum])
}

func rar4Blocks(a []byte) (list []block) {
	for at := 7; at+7 <= len(a); {
		size := int(binary.LittleEndian.Uint16(a[at+5:]))
		list = append(list, block{at, at + size, 2})
		if a[at+2] == 0x74 {
			size += int(binary.LittleEndian.Uint32(a[at+7:]))
		}
		at += size
	}
	return list
}

func rar5Blocks(a []byte) (list []block) {
	for at := 8; at+7 <= len(a); {
		size, n := binary.Uvarint(a[at+4:])
		end := at + 4 + n + int(size)
		list = append(list, block{at, end, 4})
		if at += 4 + n; a[at] == 2 {
			data, _ := binary.Uvarint(a[at+2:])
			end += int(data)
		}
		at = end
	}
	return list
}

// mutant is an archive that was changed.
type mutant struct {
	what    string
	archive []byte
}

// mutants changes an archive byte by byte, with checksums as they were and as they should be, cuts it,
// and puts it after and before other things.
func mutants(a []byte, blocks []block) (list []mutant) {
	add := func(archive []byte, format string, args ...any) {
		list = append(list, mutant{fmt.Sprintf(format, args...), archive})
	}
	for at := range a {
		values := []byte{0, 0xff, a[at] ^ 1}
		if long() {
			values = append(values, a[at]^0x80, a[at]+2, a[at]^4)
		}
		for _, to := range values {
			changed := bytes.Clone(a)
			changed[at] = to
			add(changed, "byte %d is %#x", at, to)
			for _, b := range blocks {
				if at >= b.start+b.sum && at < b.end {
					right := bytes.Clone(changed)
					b.mend(right)
					add(right, "byte %d is %#x, with the right checksum", at, to)
				}
			}
		}
		add(a[:at], "cut at %d", at)
		add(slices.Delete(bytes.Clone(a), at, at+1), "without byte %d", at)
		add(slices.Insert(bytes.Clone(a), at, 0), "with a byte before %d", at)
	}
	for _, n := range []int{1, 100, 512, 1000, 70_000, 1_000_000} {
		add(append(make([]byte, n), a...), "after %d zeros", n)
		add(slices.Concat([]byte("MZ"), make([]byte, n), a), "after a program of %d bytes", n)
		add(append(bytes.Clone(a), make([]byte, n)...), "before %d zeros", n)
	}
	add(append(bytes.Clone(a), a...), "twice")
	return list
}

// trial compares what we see in archives with what programs get out of them.
type trial struct {
	*testing.T
	name     string
	programs []opener
	opener   *unpack.Opener
	spool    *spool.Spool
	dir      string

	seen, told int // archives in which we see the file; those of which we say that we do not see all
}

func newTrial(t *testing.T, name string, programs []opener) *trial {
	sp := spool.New(t.TempDir(), 64<<20, 1<<30)
	l := config.Default().Limits
	return &trial{T: t, name: name, programs: programs, dir: t.TempDir(), spool: sp,
		opener: unpack.NewOpener(unpack.Limits{Entity: l.MIME, Archive: l.Archive, Parts: l.Parts, Nesting: l.Nesting}, archive.Formats(), sp)}
}

// try has an archive opened by us, and where we neither see the file nor say that we might not, by all programs.
func (t *trial) try(m mutant) {
	t.Helper()
	switch seen, told := t.ours(m.archive); {
	case seen:
		t.seen++
	case told:
		t.told++
	default:
		for _, p := range t.programs {
			if t.opens(p, m.archive) {
				t.Errorf("%s: %s opens it, and we see nothing", m.what, p[0])
			}
		}
	}
}

// ours reports whether we see the file in a mail with an archive, and whether we say that
// we do not see everything.
func (t *trial) ours(packed []byte) (seen, told bool) {
	mail := sample.Attached("papers", sample.File{Name: t.name, Type: "application/octet-stream", Content: packed})
	raw, parser := t.spool.Buffer(), t.opener.NewParser()
	if _, err := io.MultiWriter(raw, parser).Write(mail); err != nil {
		t.Fatal(err)
	}
	m := t.opener.Open(context.Background(), scan.Received{Raw: raw, Size: int64(len(mail)), Tree: parser.Close()})
	defer m.Close()
	for _, p := range m.Parts {
		if p.Content == nil || p.Path == "2" {
			continue // the archive itself
		}
		content, err := io.ReadAll(io.NewSectionReader(p.Content, 0, p.Content.Size()))
		if err != nil {
			t.Fatal(err)
		}
		seen = seen || bytes.Contains(content, []byte(mark))
	}
	told = slices.ContainsFunc(m.Notes, func(f scan.Finding) bool { return f.Kind == scan.Unscannable || f.Kind == scan.Failed })
	return seen, told
}

// opens reports whether a program gets the file out of an archive.
func (t *trial) opens(program opener, packed []byte) bool {
	file, dir := filepath.Join(t.dir, t.name), filepath.Join(t.dir, "out")
	os.RemoveAll(dir)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(file, packed, 0o600)); err != nil {
		t.Fatal(err)
	}
	names := strings.NewReplacer("FILE", file, "DIR", dir)
	var args []string
	for _, a := range program {
		args = append(args, names.Replace(a))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := exec.CommandContext(ctx, args[0], args[1:]...).Run() // which fails for many, and may have written the file all the same
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%s is not installed (.ci/packages installs it)", args[0])
	}
	found := false
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			os.Chmod(path, 0o600)
			content, _ := os.ReadFile(path)
			found = found || bytes.Contains(content, []byte(mark))
		}
		return nil
	})
	return found
}
