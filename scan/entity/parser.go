package entity

// Limits bound what the structure of one message may cost. Reaching one is a
// Deviation of class Exceeded.
type Limits struct {
	Parts int // entities in all, in every reading
	Depth int // composites inside composites
}

// Parser reads a message that is written to it in chunks of any size. It keeps
// offsets, headers and a bounded amount of state, never bodies.
type Parser struct{}

// NewParser returns a parser for one message.
func NewParser(l Limits) *Parser { return &Parser{} }

// Write takes the next bytes. It never fails.
func (p *Parser) Write(b []byte) (int, error) { return len(b), nil }

// Close ends the message and returns the first reading.
func (p *Parser) Close() *Tree { return &Tree{Root: &Entity{}} }
