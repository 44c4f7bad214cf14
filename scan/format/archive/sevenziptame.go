package archive

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// tamed returns the directory without what the library refuses, ok if it was understood
// and something was left out.
func (h *sevenZipHeader) tamed() (out []byte, ok bool) {
	whole := h.b
	out = append(out, h.byte())
	for !h.bad {
		rest := h.b
		switch kind := h.byte(); kind {
		case sevenEnd:
			out = append(out, sevenEnd)
			return out, !h.bad && !bytes.Equal(out, whole)
		case sevenArchiveProperties:
			for h.byte() != sevenEnd && !h.bad {
				h.skip(h.number())
			}
		case sevenAdditional:
			begin := h.b
			h.streams()
			h.additional = begin[:len(begin)-len(h.b)]
		case sevenStreams:
			h.streams()
			out = append(out, rest[:len(rest)-len(h.b)]...)
		case sevenFiles:
			out = append(out, kind)
			out = append(out, h.files()...)
		default:
			h.bad = true
		}
	}
	return nil, false
}

// files returns the description of the files with their names and attributes alone.
func (h *sevenZipHeader) files() []byte {
	begin := h.b
	h.count()
	out := slices.Clone(begin[:len(begin)-len(h.b)])
	for !h.bad {
		rest := h.b
		kind := h.byte()
		if kind == sevenEnd {
			return append(out, sevenEnd)
		}
		body := h.skip(h.number())
		switch kind {
		case sevenName:
			if len(body) > 0 && body[0] != 0 {
				out = append(out, h.elsewhere(body[1:])...)
				continue
			}
			fallthrough
		case sevenEmptyStream, sevenEmptyFile, sevenWinAttributes:
			out = append(out, rest[:len(rest)-len(h.b)]...)
		}
	}
	return out
}

// elsewhere returns the names of files that are in the first of the additional streams,
// which is all that 7-Zip asks for.
func (h *sevenZipHeader) elsewhere(index []byte) []byte {
	if h.unpack == nil || len(index) != 1 || index[0] != 0 {
		h.bad = true
		return nil
	}
	names := h.unpack(h.additional)
	if len(names) == 0 {
		h.bad = true
		return nil
	}
	out := binary.LittleEndian.AppendUint64([]byte{sevenName, 0xff}, uint64(len(names)+1))
	return append(append(out, 0), names...)
}

// tameSevenZip returns the archive with a directory that the library reads, nil if that
// cannot be made.
func tameSevenZip(c Content, w *windows) Content {
	at := max(0, findEarly(c, sevenZipMagic))
	h := &sevenZipHeader{b: bareDirectory(c, at, w), unpack: func(streams []byte) []byte { return unpackedDirectory(c, at, streams, w) }}
	if out, ok := h.tamed(); ok {
		return withDirectory(c, at, out)
	}
	return nil
}
