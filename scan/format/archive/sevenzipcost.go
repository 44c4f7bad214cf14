package archive

// sevenZipCost is what a folder of a 7z costs, by its coders.
type sevenZipCost struct {
	codec
	rounds int64 // of the hash that makes its key
	window int64 // bytes that are allocated to unpack it, for others than LZMA
}

// The price of a round of SHA-256, and how many are counted at most.
const (
	priceRound Price = 150_000
	mostRounds       = 1 << 30
)

// sevenZipCodecs are the coders that take time, by their numbers (Methods.txt of the
// LZMA SDK). The others are filters, which pass on what they read.
var sevenZipCodecs = map[string]codec{
	"\x21": codecLZMA, "\x03\x01\x01": codecLZMA, "\x03\x03\x01\x1b": codecBranch, "\x03\x04\x01": codecGuess,
	"\x04\x01\x08": codecDeflate, "\x04\x01\x09": codecBits, "\x04\x02\x02": codecApart,
}

const sevenZipAES = "\x06\xf1\x07\x01"

// add adds a coder.
func (s *sevenZipCost) add(method, properties []byte) {
	c, ok := sevenZipCodecs[string(method)]
	if !ok {
		c = codecFast
	}
	s.in, s.out = max(s.in, c.in), max(s.out, c.out)
	s.window += sevenZipWindow(method, properties)
	if string(method) == sevenZipAES && len(properties) > 0 {
		s.rounds = min(int64(1)<<min(properties[0]&0x3f, 40), mostRounds)
	}
}

// sevenZipWindow returns how many bytes a coder allocates.
func sevenZipWindow(method, properties []byte) int64 {
	if sevenZipCodecs[string(method)] == codecGuess && len(properties) >= 5 {
		return int64(le32(properties[1:]))
	}
	return 0
}

// sevenZipCosts returns what the folders cost, as far as the directory can be read.
func sevenZipCosts(c Content, w *windows) []sevenZipCost {
	h := &sevenZipHeader{b: bareDirectory(c, max(0, findEarly(c, sevenZipMagic)), w)}
	if h.byte() != sevenMain {
		return nil
	}
	for !h.bad {
		switch h.byte() {
		case sevenArchiveProperties:
			for h.byte() != sevenEnd && !h.bad {
				h.skip(h.number())
			}
		case sevenAdditional:
			h.streams()
			h.coded = nil
		case sevenStreams:
			h.streams()
			return h.coded
		default:
			return nil
		}
	}
	return nil
}

// charged is a content of which each byte read is charged for as the walk says.
type charged struct {
	Content
	w *walk
}

func (c charged) ReadAt(p []byte, off int64) (int, error) {
	if err := c.w.ctx.Err(); err != nil {
		return 0, err
	}
	c.w.budget.Work(int64(len(p)), c.w.cost.in)
	return c.Content.ReadAt(p, off)
}
