package archive

import (
	"bytes"
	"io"
)

// manifest looks, while members go by, whether the one that describes an
// OpenDocument file (ODF 1.3, part 2, section 4) says that others are encrypted:
// the zip itself knows nothing of that.
type manifest struct {
	visit     Visit
	encrypted bool
}

const (
	manifestName = "META-INF/manifest.xml"
	manifestHead = 256 << 10 // bytes of it that are looked at
	manifestMark = "encryption-data"
)

// member hands a member on to the caller's Visit and notes whether the manifest tells
// of encryption.
func (m *manifest) member(f Member, body io.Reader) error {
	if body == nil || len(f.Names) == 0 || f.Names[0] != manifestName {
		return m.visit(f, body)
	}
	head := &beginning{most: manifestHead}
	err := m.visit(f, io.TeeReader(body, head))
	m.encrypted = m.encrypted || bytes.Contains(head.b, []byte(manifestMark))
	return err
}

// beginning keeps the first bytes that are written to it.
type beginning struct {
	b    []byte
	most int
}

// Write never fails.
func (h *beginning) Write(p []byte) (int, error) {
	h.b = append(h.b, p[:min(len(p), h.most-len(h.b))]...)
	return len(p), nil
}
