package texts

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/format/picture"
	"github.com/milterscan/milterscan/scan/scratch"
)

// Codes reads the codes in pictures, with so much work at most. An error means that this host could not look at all
// of them now.
type Codes func(ctx context.Context, pictures *picture.Set, most time.Duration) ([]picture.Found, error)

// ReadCodes makes the inventory look for codes in pictures by way of f; without it, links
// in pictures are not listed. To be called before the first message.
func (i *Inventory) ReadCodes(f Codes) { i.codes = f }

// Obscure is a part with a picture that was not looked at for codes.
type Obscure struct {
	Part int // index into Message.Parts
	What picture.What
	Why  string
}

// pictures are the pictures of one message.
type pictures struct {
	set   picture.Set
	parts []int           // by item
	flaws []Obscure       // what needs no search to be told
	sums  map[int64]*sums // of parts, by their size
}

// add adds what a part shows as a picture, and returns whether it is one.
func (p *pictures) add(ctx context.Context, m *scan.Message, part int) error {
	this := &m.Parts[part]
	if this.Content == nil || isView(m, part) {
		return nil
	}
	sort := sortOf(this)
	if sort == 0 {
		return nil
	}
	if sort == picture.PDF && !picture.MayShow(this.Content) {
		return nil
	}
	buf := scratch.Lend()
	defer buf.Return()
	head := buf.Head(this.Content, picture.Glance)
	if picture.IsSmall(head) {
		return nil
	}
	again, err := p.again(ctx, m, part)
	if err != nil || again {
		return err
	}
	if why := picture.Flaw(head); why != "" {
		p.flaws = append(p.flaws, Obscure{part, picture.Broken, why})
		return nil
	}
	p.put(part, sort, this.Content)
	return nil
}

func (p *pictures) put(part int, sort picture.Sort, c scan.Content) {
	p.set.Add(sort, c)
	p.parts = append(p.parts, part)
}

// sortOf returns what sort of picture a part is; 0 for none.
func sortOf(p *scan.Part) picture.Sort {
	kind, sub, _ := strings.Cut(p.Sniffed, "/")
	switch {
	case p.Sniffed == "application/pdf":
		return picture.PDF
	case kind != "image":
		return 0
	}
	switch sub {
	case "png", "jpeg", "gif", "webp", "bmp", "tiff", "vnd.mozilla.apng", "x-ms-bmp":
		return picture.Image
	}
	return 0
}

// again reports whether a part with the same content was added before: other readings of a message
// hold it again. Only pictures of the same size are read for that.
func (p *pictures) again(ctx context.Context, m *scan.Message, part int) (bool, error) {
	if p.sums == nil {
		p.sums = map[int64]*sums{}
	}
	size := m.Parts[part].Content.Size()
	same := p.sums[size]
	if same == nil {
		p.sums[size] = &sums{first: part}
		return false, nil
	}
	if same.seen == nil {
		sum, err := m.SHA256(ctx, same.first)
		if err != nil {
			return false, err
		}
		same.seen = map[scan.Sum]bool{sum: true}
	}
	sum, err := m.SHA256(ctx, part)
	if err != nil {
		return false, err
	}
	was := same.seen[sum]
	same.seen[sum] = true
	return was, nil
}

// sums are the hashes of parts of one size. They are asked for once there is a second.
type sums struct {
	first int // index into Message.Parts
	seen  map[scan.Sum]bool
}

// drawn adds what a page draws.
func (p *pictures) drawn(part int, page *markup.Page) {
	for _, d := range page.Drawings {
		m := &picture.Matrix{Width: d.Width, Height: d.Height, Dark: d.Dark}
		p.put(part, picture.Raster, m.Content())
	}
	page.Drawings = nil
}

// read lists the codes as texts of the parts that show them.
func (i *Inventory) read(ctx context.Context, m *scan.Message, p *pictures, all *Texts) error {
	if i.codes == nil {
		return nil
	}
	all.Obscure = append(all.Obscure, p.flaws...)
	if p.set.Len() == 0 {
		return nil
	}
	found, err := i.codes(ctx, p.set.Seal(), i.forPictures(m))
	for _, f := range found {
		if f.Item < 0 || f.Item >= len(p.parts) {
			continue
		}
		part := p.parts[f.Item]
		if f.What != picture.Code {
			all.Obscure = append(all.Obscure, Obscure{part, f.What, f.Text})
			continue
		}
		page, err := readCode(f.Text, i.limits.Limits)
		if err != nil {
			return err
		}
		all.Texts = append(all.Texts, Text{part, QR, placeOfPicture(m, part), page})
	}
	return err
}

// forPictures returns how much work the pictures of a message may take: where more than the limit on
// all was needed to open it, less than for others.
func (i *Inventory) forPictures(m *scan.Message) time.Duration {
	most := time.Duration(i.limits.Pictures)
	if m.Work > 0 {
		most = min(most, m.Work*3/5)
	}
	return most
}

// readCode reads the text of a code. One that is an address as a whole is its link, as
// telephones take it: in capitals, or with the words before it of which some begin.
func readCode(text string, l markup.Limits) (*markup.Page, error) {
	text = strings.ToValidUTF8(text, "\uFFFD")
	page, err := markup.ReadText(markup.NewSource(bytes.NewReader([]byte(text)), int64(len(text)), "utf-8"), l)
	if err != nil {
		return nil, err
	}
	address := strings.TrimSpace(text)
	for _, before := range [...]string{"URL:", "URLTO:"} {
		if len(address) > len(before) && strings.EqualFold(address[:len(before)], before) {
			address = strings.TrimSpace(address[len(before):])
		}
	}
	if u := markup.ParseLink(address); u.Scheme != "" && !strings.ContainsAny(address, " \r\n\t") && (len(page.Links) == 0 || u.Web()) {
		span := markup.Span{End: int64(len(text))}
		page.Links = []markup.Link{{Href: address, Target: address, Text: address, Where: markup.InText, Tag: span, Value: span}}
	}
	return page, nil
}

// placeOfPicture says where a reader meets a picture: clients show those of a message
// below its text.
func placeOfPicture(m *scan.Message, i int) Place {
	if p := &m.Parts[i]; p.Archived || p.Entity != nil && p.Entity.Disposition == "attachment" {
		return Attached
	}
	return Body
}
