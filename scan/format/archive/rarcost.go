package archive

import "encoding/binary"

// How a RAR 5 says that it is one, and what its records are (RAR 5.0 archive format).
const (
	rar5Magic      = rarMagic + "\x01\x00"
	rar5Encryption = 4 // header: all that follow it are encrypted
	rar5Extra      = 1 // flag: there are records at the end of the header
	rar5Data       = 2 // flag: data follow the header
	rar5Encrypted  = 1 // record: the data are encrypted
	rar5Headers    = 256
	rar5Most       = 64 << 10 // bytes of a header that are looked at
	rar5Slowest    = 24       // logarithm of the rounds, beyond which nothing is tried by anybody
)

// rounds returns what trying a password takes: how many steps, and their price. An archive
// says so for itself from RAR 5 on.
func (w *rarWalk) rounds() (int64, Price) {
	at := findEarly(w.walk.c, rarMagic)
	if string(fixed(w.walk.c, at, int64(len(rar5Magic)))) != rar5Magic {
		return 1, priceRAR3
	}
	slowest := int64(0)
	at += int64(len(rar5Magic))
	for range rar5Headers {
		head := piece(w.walk.c, at, 16)
		if len(head) < 5 {
			break
		}
		size, n := binary.Uvarint(head[4:])
		if n <= 0 || size > rar5Most {
			break
		}
		body := fixed(w.walk.c, at+4+int64(n), int64(size))
		if body == nil {
			break
		}
		h := rar5Header(body)
		slowest = max(slowest, h.slowness())
		if h.kind() == rar5Encryption {
			break
		}
		at += 4 + int64(n) + int64(size) + h.data()
	}
	return 1 << min(slowest, rar5Slowest+1), priceRAR5
}

// rar5Header is a header without its checksum and size.
type rar5Header []byte

// fields returns the first numbers of a header: type, flags, and the sizes that the flags
// tell of.
func (h rar5Header) fields() (kind, extra, data uint64, rest []byte) {
	b := []byte(h)
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		b = b[max(n, 0):]
		return v
	}
	kind = next()
	flags := next()
	if flags&rar5Extra != 0 {
		extra = next()
	}
	if flags&rar5Data != 0 {
		data = next()
	}
	return kind, extra, data, b
}

func (h rar5Header) kind() uint64 { kind, _, _, _ := h.fields(); return kind }

func (h rar5Header) data() int64 {
	_, _, data, _ := h.fields()
	return int64(min(data, 1<<40))
}

// slowness returns the logarithm of the rounds that a header asks for, 0 for none.
func (h rar5Header) slowness() (log int64) {
	kind, extra, _, rest := h.fields()
	if kind == rar5Encryption {
		return slowness(rest)
	}
	if extra == 0 || extra > uint64(len(h)) {
		return 0
	}
	for b := h[uint64(len(h))-extra:]; len(b) > 0; {
		size, n := binary.Uvarint(b)
		if n <= 0 || size == 0 || size > uint64(len(b)-n) {
			break
		}
		if record := b[n : uint64(n)+size]; record[0] == rar5Encrypted {
			log = max(log, slowness(record[1:]))
		}
		b = b[uint64(n)+size:]
	}
	return log
}

// slowness returns the number after version and flags of an encryption.
func slowness(b []byte) int64 {
	for range 2 {
		_, n := binary.Uvarint(b)
		b = b[max(n, 0):]
	}
	if len(b) == 0 {
		return 0
	}
	return int64(b[0])
}
