package archive

import "io"

// summed hands m over and compares the CRC-32 of what src yields with the stated
// one.
func (w *walk) summed(m Member, src io.Reader, crc uint32) error {
	sum := &summed{r: src}
	b, err := w.hand(m, sum)
	if err != nil {
		return err
	}
	w.noteEnd(m, b)
	if b.whole() && !sum.agrees(crc) {
		w.noteLast(checksumMismatch, "%s", m.name())
	}
	return nil
}
