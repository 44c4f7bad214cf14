package edit

import (
	"archive/zip"
	"bytes"
	"io"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scratch"
)

// rebuildZip writes a zip without the members that go. All others are copied as
// they are packed.
func (r *rebuilder) rebuildZip(c scan.Content, list *members) (scan.Content, error) {
	old, err := zip.NewReader(c, c.Size())
	if err != nil {
		return nil, errWhole
	}
	out, err := r.keep(func(to io.Writer) error {
		z := zip.NewWriter(to)
		z.SetComment(old.Comment)
		kept := 0
		for _, f := range old.File {
			n, err := r.zipMember(z, f, list.of(f.Name))
			if err != nil {
				return err
			}
			kept += n
		}
		if kept == 0 || !list.allFound() {
			return errWhole
		}
		if text := r.goneNotice(list); text != "" {
			if err := zipText(z, r.NoticeName, text); err != nil {
				return err
			}
		}
		return z.Close()
	})
	if err != nil {
		return nil, err
	}
	return out, proveZip(old, out, list)
}

// zipMember writes one member, if it stays, and says how many files that were.
func (r *rebuilder) zipMember(z *zip.Writer, f *zip.File, m *member) (files int, err error) {
	switch {
	case m != nil && m.gone:
		return 0, nil
	case m == nil:
		if err := r.ctx.Err(); err != nil {
			return 0, err
		}
		if f.FileInfo().IsDir() {
			return 0, z.Copy(f)
		}
		return 1, z.Copy(f)
	}
	h := &zip.FileHeader{Name: f.Name, Comment: f.Comment, NonUTF8: f.NonUTF8, Method: zip.Deflate, Modified: f.Modified,
		ExternalAttrs: f.ExternalAttrs, CreatorVersion: f.CreatorVersion}
	if m.renamed != "" {
		h.Name = m.renamed
	}
	to, err := z.CreateHeader(h)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(to, scratch.Until(r.ctx.Err, scan.Reader(m.content)))
	return 1, err
}

func zipText(z *zip.Writer, name, text string) error {
	to, err := z.Create(name)
	if err != nil {
		return err
	}
	_, err = io.WriteString(to, text)
	return err
}

// proveZip reads the new zip and compares each member that stays, as it is
// packed, with the old one.
func proveZip(old *zip.Reader, c scan.Content, list *members) error {
	now, err := zip.NewReader(c, c.Size())
	if err != nil {
		return err
	}
	next := 0
	for _, f := range old.File {
		m := list.of(f.Name)
		if m != nil && m.gone {
			continue
		}
		if next >= len(now.File) {
			return errDiffers
		}
		g := now.File[next]
		next++
		if m == nil && !samePacked(f, g) {
			return errDiffers
		}
	}
	return nil
}

// samePacked reports whether two members are the same, byte by byte as packed.
func samePacked(a, b *zip.File) bool {
	if a.Name != b.Name || a.Method != b.Method || a.CRC32 != b.CRC32 || a.UncompressedSize64 != b.UncompressedSize64 ||
		a.CompressedSize64 != b.CompressedSize64 {
		return false
	}
	x, errX := a.OpenRaw()
	y, errY := b.OpenRaw()
	if errX != nil || errY != nil {
		return false
	}
	var p, q [32 << 10]byte
	for {
		n, errX := io.ReadFull(x, p[:])
		m, errY := io.ReadFull(y, q[:])
		if !bytes.Equal(p[:n], q[:m]) {
			return false
		}
		if errX != nil || errY != nil {
			return ended(errX) && ended(errY)
		}
	}
}
