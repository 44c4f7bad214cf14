package document

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// Records of the dir stream (MS-OVBA, section 2.3.4.2) that matter here.
const (
	recVersion    = 0x0009
	recModule     = 0x0019
	recStreamName = 0x001a
	recStreamWide = 0x0032
	recOffset     = 0x0031
	recModuleEnd  = 0x002b
)

// moduleEntry is what the dir stream says about a module.
type moduleEntry struct {
	name    string
	streams []string // names of its stream: in the project's code page and in Unicode
	offset  int      // where its source begins in the stream
}

// parseDir reads the list of modules from an unpacked dir stream, as far as it
// makes sense.
func parseDir(b []byte) []moduleEntry {
	var all []moduleEntry
	var m *moduleEntry
	for {
		id, data, rest, ok := dirRecord(b)
		if !ok {
			return all
		}
		b = rest
		if id == recModule {
			all = append(all, moduleEntry{name: string(data)})
			m = &all[len(all)-1]
			continue
		}
		if m != nil {
			m.take(id, data)
		}
		if id == recModuleEnd {
			m = nil
		}
	}
}

func (m *moduleEntry) take(id uint16, data []byte) {
	switch id {
	case recStreamName:
		m.streams = append(m.streams, string(data))
	case recStreamWide:
		m.streams = append(m.streams, wide(data))
	case recOffset:
		if len(data) >= 4 {
			m.offset = int(binary.LittleEndian.Uint32(data))
		}
	}
}

// dirRecord cuts one record off. The version's record alone states a size other
// than it has (section 2.3.4.2.1.11).
func dirRecord(b []byte) (id uint16, data, rest []byte, ok bool) {
	if len(b) < 6 {
		return 0, nil, nil, false
	}
	id = binary.LittleEndian.Uint16(b)
	size := int64(binary.LittleEndian.Uint32(b[2:]))
	if id == recVersion {
		size = 6
	}
	b = b[6:]
	if size > int64(len(b)) {
		return 0, nil, nil, false
	}
	return id, b[:size], b[size:], true
}

// is reports whether a stream is that of the module.
func (m moduleEntry) is(stream string) bool {
	for _, n := range m.streams {
		if strings.EqualFold(n, stream) {
			return true
		}
	}
	return false
}

// wide returns text from UTF-16, little end first.
func wide(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
