// Package picture finds codes in pictures (QR codes, ISO/IEC 18004), which telephones read
// as links. Decoders of pictures allocate what a header asks for, and looking for codes in a
// picture that is made for it takes long: it is meant to run in a separate process.
package picture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/scratch"
)

// Found is what was found in, or about, an item of a set.
type Found struct {
	Item int // see Set.Add
	What What
	Text string // of a code; or why something was not looked at
}

// What tells the nature of something found.
type What string

// What there is to find.
const (
	Code        What = "code"
	Over        What = "over"        // not all was looked at: it would have taken too much
	Damaged     What = "damaged"     // something could not be read
	Broken      What = "broken"      // it does not say how large it is: no program shows it
	Unsupported What = "unsupported" // it is of a kind that is not read
)

// Format reads the codes in the pictures of a Set. Each thing found is a member; ReadFound
// returns it.
type Format struct{}

// Name returns the name by which a child knows what to do.
func (Format) Name() string { return "pictures" }

// Match reports that nothing in a mail is a set.
func (Format) Match([]byte, archive.Content) bool { return false }

// ReadFound returns what a member of the format is.
func ReadFound(m archive.Member, body io.Reader) (Found, error) {
	if len(m.Names) == 0 || body == nil {
		return Found{}, errSet
	}
	number, what, _ := strings.Cut(m.Names[0], " ")
	item, err := strconv.Atoi(number)
	if err != nil {
		return Found{}, errSet
	}
	text, err := io.ReadAll(body)
	return Found{item, What(what), string(text)}, err
}

// Prices, in picoseconds.
const (
	priceLook    archive.Price = 4_000      // to make a pixel black or white and look for marks in it, once
	priceStep    archive.Price = 1_500      // a step of reading a code
	priceScale   archive.Price = 2_500      // a pixel that is made part of a smaller picture
	priceChannel archive.Price = 40_000     // a pixel of one colour
	priceOpen    archive.Price = 30_000_000 // the header of a picture
	priceByte    archive.Price = 400        // a byte of a file that is searched for the frames of a picture
)

// mostMemory bounds what decoding a picture may allocate, in bytes.
const mostMemory = 80 << 20

// candidate is a picture that may show a code.
type candidate struct {
	item  int
	w, h  int
	price int64 // picoseconds to decode a pixel
	bytes int64 // that a pixel takes
	open  func() (*picture, error)
}

func (c candidate) pixels() int64 { return int64(c.w) * int64(c.h) }

// search is a walk over a set.
type search struct {
	ctx    context.Context
	budget *archive.Budget
	visit  archive.Visit
	said   map[Found]bool
	over   map[int]bool // items that were said to have cost too much
	spent  bool         // there was too little left for what came
	later  int64        // picoseconds that the pictures to come cost at least
	err    error
}

// Walk looks for codes in all pictures of a set, in the smallest first, and in all of them
// once before it tries anything harder.
func (Format) Walk(ctx context.Context, c archive.Content, b *archive.Budget, visit archive.Visit) ([]archive.Note, error) {
	items, err := parseSet(c)
	if err != nil {
		return []archive.Note{archive.NoteOf(archive.DecoderFailed, archive.Container, err.Error())}, nil
	}
	s := &search{ctx: ctx, budget: b, visit: visit, said: map[Found]bool{}, over: map[int]bool{}}
	var all []candidate
	for i, e := range items {
		all = append(all, s.candidates(i, e)...)
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return int(a.pixels()>>10 - b.pixels()>>10) })
	for _, c := range all {
		s.later += c.cost()
	}
	for _, c := range all {
		if s.err != nil {
			break
		}
		s.later -= c.cost()
		s.look(c)
	}
	return nil, s.err
}

// cost returns what it takes to look at a picture once, in picoseconds.
func (c candidate) cost() int64 {
	return c.pixels()*(c.price+int64(priceScale)) + 4*min(c.pixels(), mostPixels)*int64(priceLook)
}

// found hands something over, once.
func (s *search) found(item int, what What, text string) {
	f := Found{item, what, text}
	if s.err != nil || s.said[f] || what == Over && s.over[item] {
		return
	}
	s.said[f] = true
	s.over[item] = s.over[item] || what == Over
	m := archive.Member{Names: []string{fmt.Sprintf("%d %s", item, what)}, Size: int64(len(text))}
	s.err = s.visit(m, strings.NewReader(text))
}

// affords charges n steps of a price, if they may be charged.
func (s *search) affords(n int64, price archive.Price) bool {
	if s.spent = s.spent || s.ctx.Err() != nil || !s.budget.Affords(n, price); s.spent && n > 0 {
		return false
	}
	s.budget.Work(n, price)
	return true
}

const tooMuch = "to look for codes takes more work than is done for the pictures of one message"

// candidates returns the pictures in an item.
func (s *search) candidates(item int, e entry) []candidate {
	if s.err != nil {
		return nil
	}
	if !s.affords(1, priceOpen) {
		s.found(item, Over, tooMuch)
		return nil
	}
	switch e.sort {
	case PDF:
		return s.inDocument(item, e.content)
	case Raster:
		p := rasterPlane(e.content)
		if p == nil {
			return nil
		}
		return []candidate{{item: item, w: p.w, h: p.h, open: func() (*picture, error) { return &picture{luma: p}, nil }}}
	}
	return s.inFile(item, e.content)
}

// inFile returns the pictures in a file.
func (s *search) inFile(item int, c scratch.Content) (list []candidate) {
	head, _ := scratch.ReadAt(c, 0, 16)
	f := formatOf(head)
	if f == nil {
		s.found(item, Unsupported, "no known format of pictures")
		return nil
	}
	if f.name == "jpeg" && isProgressive(c) {
		f = &progressive
	}
	if f.name != "png" && f.name != "jpeg" && !s.affords(c.Size(), priceByte) {
		s.found(item, Over, tooMuch)
		return nil
	}
	frames, more := framesOf(f, c)
	for _, frame := range frames {
		if len(list) > 0 && !s.affords(1, priceOpen/4) {
			more = true
			break
		}
		w, h, err := f.sizeOf(frame.content)
		if err != nil {
			s.found(item, Broken, f.flaw(err))
			continue
		}
		list = append(list, candidate{item, w, h, f.price, f.bytes, func() (*picture, error) { return f.open(frame.content) }})
	}
	if more {
		s.found(item, Over, tooMuch)
	}
	return list
}

// open decodes a picture.
func (f *format) open(c scratch.Content) (*picture, error) {
	m, err := f.decode(scratch.Reader(c))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return newPicture(m), nil
}

var errUnsupported = errors.New("not read")

// inDocument returns the pictures in a PDF.
func (s *search) inDocument(item int, c scratch.Content) (list []candidate) {
	trouble, err := archive.PDFPictures(s.ctx, archive.Watched(c, s.budget), s.budget, func(p archive.PDFPicture) error {
		c, err := documentPicture(p)
		c.item = item
		switch {
		case errors.Is(err, errUnsupported):
			s.found(item, Unsupported, err.Error())
		case err != nil:
			s.found(item, Damaged, err.Error())
		case !s.affords(1, priceOpen/4):
			return archive.ErrLimit
		default:
			list = append(list, c)
		}
		return s.err
	})
	switch {
	case err != nil && s.err == nil:
		s.found(item, Over, tooMuch)
	case trouble != "":
		s.found(item, Damaged, trouble)
	}
	return list
}

// look looks for codes in one picture.
func (s *search) look(c candidate) {
	if tooSmall(c.w, c.h) {
		return
	}
	if c.pixels() > math.MaxInt32 || c.pixels()*c.bytes > mostMemory {
		s.found(c.item, Over, fmt.Sprintf("a picture says it is %d by %d pixels large", c.w, c.h))
		return
	}
	if !s.affords(c.pixels(), archive.Price(c.price)+priceScale) {
		s.found(c.item, Over, tooMuch)
		return
	}
	p, err := safely(c.open)
	switch {
	case errors.Is(err, errUnsupported):
		s.found(c.item, Unsupported, err.Error())
	case err != nil:
		s.found(c.item, Damaged, err.Error())
	default:
		s.inPicture(c.item, p)
	}
}
