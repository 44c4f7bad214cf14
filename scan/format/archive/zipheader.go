package archive

import "math"

// zipHeader is what a central or a local header says of a member.
type zipHeader struct {
	offset       int64 // of the local header: as stored in a central one, the true place in a local one
	data         int64 // where the data begins; local headers only
	flags        uint16
	method       uint16
	modified     uint16 // DOS time: the check byte of encrypted members
	crc          uint32
	packed, size int64
	name         string
	unicode      string // name in the Unicode path extra field
	aes          *zipAES
	link         bool
}

// Flags of a member, APPNOTE 4.4.4.
const (
	zipEncrypted  = 1 << 0
	zipDescriptor = 1 << 3 // sizes and checksum follow the data
	zipStrong     = 1 << 6
	zipMasked     = 1 << 13
)

// zipAES is the AES extra field 0x9901 of WinZip.
type zipAES struct {
	version  uint16
	strength byte
	method   uint16
}

// centralHeader reads a central directory header, APPNOTE 4.3.12.
func centralHeader(b, name, extra []byte) *zipHeader {
	h := &zipHeader{
		flags: le16(b[8:]), method: le16(b[10:]), modified: le16(b[12:]), crc: le32(b[16:]),
		packed: int64(le32(b[20:])), size: int64(le32(b[24:])), offset: int64(le32(b[42:])), name: string(name),
	}
	const unix, typeMask, symlink = 3, 0xf000, 0xa000
	h.link = b[5] == unix && le16(b[40:])&typeMask == symlink
	h.extra(extra, &h.size, &h.packed, &h.offset)
	return h
}

// localHeader reads a local file header, APPNOTE 4.3.7.
func localHeader(pos int64, b, name, extra []byte) *zipHeader {
	h := &zipHeader{
		flags: le16(b[6:]), method: le16(b[8:]), modified: le16(b[10:]), crc: le32(b[14:]),
		packed: int64(le32(b[18:])), size: int64(le32(b[22:])), name: string(name),
		offset: pos, data: pos + zipLocalSize + int64(len(name)+len(extra)),
	}
	h.extra(extra, &h.size, &h.packed)
	return h
}

// extra reads the extra fields that matter. The zip64 field holds those of wide,
// in this order, that have no room in the header.
func (h *zipHeader) extra(extra []byte, wide ...*int64) {
	for len(extra) >= 4 {
		id, n := le16(extra), int(le16(extra[2:]))
		body := extra[4:]
		if n > len(body) {
			return
		}
		body, extra = body[:n], body[n:]
		switch id {
		case 0x0001:
			fill64(body, wide)
		case 0x7075: // version, CRC of the name in the header, name
			if len(body) > 5 {
				h.unicode = string(body[5:])
			}
		case 0x9901:
			if len(body) >= 7 {
				h.aes = &zipAES{version: le16(body), strength: body[4], method: le16(body[5:])}
			}
		}
	}
}

func fill64(body []byte, wide []*int64) {
	for _, v := range wide {
		if *v == zipAsk64 && len(body) >= 8 {
			*v = int64(min(le64(body), math.MaxInt64/4))
			body = body[8:]
		}
	}
}

// plausible tells a header from bytes that look like one: outside a directory
// there is nothing else to go by.
func (h *zipHeader) plausible() bool {
	return h.name != "" && (h.method <= 20 || h.method >= 90 && h.method <= 99)
}

// sizeKnown reports whether the sizes are in the header and not after the data.
func (h *zipHeader) sizeKnown() bool {
	return h.flags&zipDescriptor == 0 || h.packed > 0
}

// headers returns those of the entry that exist, the one most programs go by first.
func (e *zipEntry) headers() []*zipHeader {
	all := e.room[:0]
	if e.central != nil {
		all = append(all, e.central)
	}
	if e.local != nil {
		all = append(all, e.local)
	}
	return all
}

// member returns the entry as the caller of Walk gets it.
func (e *zipEntry) member() Member {
	m := Member{Hidden: e.dir != 0, Size: -1}
	var names [2 * len(e.room)]string
	for i, h := range e.headers() {
		names[2*i], names[2*i+1] = h.name, h.unicode
		m.Link = m.Link || h.link
	}
	m.Names = distinct(names[:]...)
	if h := e.headers()[0]; h.sizeKnown() {
		m.Size = h.size
	}
	return m
}

// directory reports whether the entry is a directory: a name is not enough where
// there are data after it.
func (e *zipEntry) directory() bool {
	for _, h := range e.headers() {
		if n := len(h.name); n == 0 || h.name[n-1] != '/' && h.name[n-1] != '\\' || h.packed > 2 || h.flags&zipEncrypted != 0 && h.packed > 0 {
			return false
		}
	}
	return true
}

// methods returns the compression methods that the headers state, each once.
func (e *zipEntry) methods() []uint16 {
	h := e.headers()
	methods := []uint16{h[0].method}
	if last := h[len(h)-1].method; last != methods[0] {
		methods = append(methods, last)
	}
	return methods
}

// flagged reports whether all headers have the flag, and whether any has.
func (e *zipEntry) flagged(flag uint16) (all, any bool) {
	all = true
	for _, h := range e.headers() {
		all = all && h.flags&flag != 0
		any = any || h.flags&flag != 0
	}
	return all, any
}

// crc returns the stated checksum, 0 if none is known before the data is read.
func (e *zipEntry) crc() uint32 {
	for _, h := range e.headers() {
		if h.crc != 0 {
			return h.crc
		}
	}
	return 0
}
