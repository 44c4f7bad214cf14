package archive

import (
	"bufio"
	"io"
)

// unlzhuf undoes LHarc's -lh1-: LZSS in a window of 4096 bytes, whose literals
// and lengths are coded by a Huffman tree that follows their frequency as it goes
// on, and the high bits of distances by a fixed code.
type unlzhuf struct {
	in        *bits
	distances prefixCode
	// The tree, its nodes in the order of their frequency, the root last. A child
	// below lzhufNodes is the first of a pair of nodes, any other a leaf.
	freq   [lzhufNodes + 1]int
	child  [lzhufNodes]int
	parent [lzhufNodes + lzhufSymbols]int
}

const (
	lzhufSymbols = 256 + 58 // literals, and lengths from lzhThreshold to 60
	lzhufNodes   = 2*lzhufSymbols - 1
	lzhufRoot    = lzhufNodes - 1
	lzhufMost    = 0x8000 // frequency of the root at which all are halved
)

func newUnlzhuf(in io.Reader) *windowed {
	u := &unlzhuf{in: &bits{in: bufio.NewReader(in)}}
	u.grow()
	var lengths []uint8
	for i, n := range [...]int{1, 3, 8, 12, 24, 16} {
		for range n {
			lengths = append(lengths, uint8(3+i))
		}
	}
	u.distances.build(lengths)
	return newWindowed(u, 1<<12, ' ')
}

func (u *unlzhuf) step() (literal byte, length, distance int, err error) {
	symbol := u.symbol()
	if symbol >= 256 {
		high, err := u.distances.read(u.in)
		if err != nil {
			return 0, 0, 0, err
		}
		length, distance = symbol-256+lzhThreshold, (high<<6|u.in.take(6))+1
	}
	if u.in.over() {
		return 0, 0, 0, unexpected(u.in.err)
	}
	return byte(symbol), length, distance, nil
}

// grow makes the tree in which all symbols have the same frequency.
func (u *unlzhuf) grow() {
	for i := range lzhufSymbols {
		u.freq[i], u.child[i], u.parent[i+lzhufNodes] = 1, i+lzhufNodes, i
	}
	for i, j := 0, lzhufSymbols; j <= lzhufRoot; i, j = i+2, j+1 {
		u.freq[j], u.child[j] = u.freq[i]+u.freq[i+1], i
		u.parent[i], u.parent[i+1] = j, j
	}
	u.freq[lzhufNodes] = 0xffff
	u.parent[lzhufRoot] = 0
}

// symbol reads a symbol and counts it.
func (u *unlzhuf) symbol() int {
	node := u.child[lzhufRoot]
	for node < lzhufNodes {
		node = u.child[node+u.in.take(1)]
	}
	u.count(node)
	return node - lzhufNodes
}

// count raises the frequency of a leaf and of all nodes above it. A node that
// becomes more frequent than those after it changes its place with the last of
// them.
func (u *unlzhuf) count(leaf int) {
	if u.freq[lzhufRoot] == lzhufMost {
		u.halve()
	}
	for at := u.parent[leaf]; ; at = u.parent[at] {
		u.freq[at]++
		if more := u.freq[at]; more > u.freq[at+1] {
			last := at + 1
			for more > u.freq[last+1] {
				last++
			}
			u.exchange(at, last)
			at = last
		}
		if at == lzhufRoot {
			return
		}
	}
}

// exchange swaps the places of two nodes with all below them.
func (u *unlzhuf) exchange(a, b int) {
	u.freq[a], u.freq[b] = u.freq[b], u.freq[a]
	u.child[a], u.child[b] = u.child[b], u.child[a]
	for _, at := range [...]int{a, b} {
		u.parent[u.child[at]] = at
		if u.child[at] < lzhufNodes {
			u.parent[u.child[at]+1] = at
		}
	}
}

// halve halves all frequencies and makes the tree again.
func (u *unlzhuf) halve() {
	n := 0
	for i := range lzhufNodes {
		if u.child[i] >= lzhufNodes {
			u.freq[n], u.child[n] = (u.freq[i]+1)/2, u.child[i]
			n++
		}
	}
	for i, j := 0, lzhufSymbols; j < lzhufNodes; i, j = i+2, j+1 {
		u.insert(u.freq[i]+u.freq[i+1], i, j)
	}
	for i, c := range u.child {
		u.parent[c] = i
		if c < lzhufNodes {
			u.parent[c+1] = i
		}
	}
}

// insert puts a node with the children at child after the last of the first n
// nodes that is not more frequent.
func (u *unlzhuf) insert(freq, child, n int) {
	at := n
	for at > 0 && freq < u.freq[at-1] {
		at--
	}
	copy(u.freq[at+1:n+1], u.freq[at:n])
	copy(u.child[at+1:n+1], u.child[at:n])
	u.freq[at], u.child[at] = freq, child
}
