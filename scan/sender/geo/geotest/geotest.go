// Package geotest writes databases of addresses for tests, in MaxMind's format.
package geotest

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// Rows are what a database says about networks: values are texts, numbers and further maps.
type Rows map[string]map[string]any

// Country returns a row of a database of countries.
func Country(code string) map[string]any {
	return map[string]any{"country": map[string]any{"iso_code": code}}
}

// ASN returns a row of a database of autonomous systems.
func ASN(number uint32, name string) map[string]any {
	return map[string]any{"autonomous_system_number": number, "autonomous_system_organization": name}
}

// node is a node of the tree: for each bit a child, or the place of a row and 1.
type node struct {
	children [2]*node
	data     [2]int
}

// Database returns a database as it is in a file. The networks of rows must not overlap.
func Database(rows Rows, built time.Time) []byte {
	root := new(node)
	var data []byte
	for _, network := range slices.Sorted(maps.Keys(rows)) {
		p := netip.MustParsePrefix(network)
		address, bits := p.Addr().As16(), p.Bits()
		if p.Addr().Is4() { // which are below ::/96
			four := p.Addr().As4()
			address, bits = [16]byte{}, bits+96
			copy(address[12:], four[:])
		}
		at := root
		for i := range bits - 1 {
			at = at.child(int(address[i/8]>>(7-i%8)) & 1)
		}
		last := bits - 1
		at.data[int(address[last/8]>>(7-last%8))&1] = len(data) + 1
		data = append(data, value(rows[network])...)
	}
	tree, count := root.tree()
	out := append(tree, make([]byte, 16)...)
	out = append(out, data...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	return append(out, value(map[string]any{
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(built.Unix()),
		"database_type": "Test", "description": map[string]any{"en": "made for a test"}, "ip_version": uint16(6),
		"languages": []string{"en"}, "node_count": uint32(count), "record_size": uint16(32),
	})...)
}

func (n *node) child(bit int) *node {
	if n.children[bit] == nil {
		n.children[bit] = new(node)
	}
	return n.children[bit]
}

// tree returns the records of all nodes, and how many nodes there are.
func (n *node) tree() (records []byte, count int) {
	all, number := []*node{n}, map[*node]int{n: 0}
	for i := 0; i < len(all); i++ {
		for _, c := range all[i].children {
			if c != nil {
				number[c] = len(all)
				all = append(all, c)
			}
		}
	}
	for _, one := range all {
		for bit, c := range one.children {
			to := len(all) // which is "nothing"
			if c != nil {
				to = number[c]
			} else if one.data[bit] != 0 {
				to = len(all) + 16 + one.data[bit] - 1
			}
			records = binary.BigEndian.AppendUint32(records, uint32(to))
		}
	}
	return records, len(all)
}

// value returns a value of the data section.
func value(v any) []byte {
	switch v := v.(type) {
	case string:
		return append(control(2, len(v)), v...)
	case uint16:
		return number(5, uint64(v))
	case uint32:
		return number(6, uint64(v))
	case uint64:
		return number(9, v)
	case []string:
		out := control(11, len(v))
		for _, s := range v {
			out = append(out, value(s)...)
		}
		return out
	case map[string]any:
		out := control(7, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(append(out, value(k)...), value(v[k])...)
		}
		return out
	}
	panic(fmt.Sprintf("no database has a %T", v))
}

// number returns a number without the zeros before it.
func number(kind int, n uint64) []byte {
	digits := binary.BigEndian.AppendUint64(nil, n)
	for len(digits) > 0 && digits[0] == 0 {
		digits = digits[1:]
	}
	return append(control(kind, len(digits)), digits...)
}

// control returns the bytes before a value: its kind and size.
func control(kind, size int) []byte {
	first := byte(size)
	var more []byte
	if size >= 29 {
		first, more = 29, []byte{byte(size - 29)}
	}
	if kind > 7 {
		return append([]byte{first, byte(kind - 7)}, more...)
	}
	return append([]byte{byte(kind)<<5 | first}, more...)
}
