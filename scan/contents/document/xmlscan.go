package document

import (
	"bufio"
	"bytes"
	"io"
	"sync"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/charset"
)

// xmlReader cuts XML into tags and text as it streams by, in constant memory. It
// accepts whatever is not well formed, and expands no entities but the five of
// XML itself and characters by number, so that there is nothing to explode.
type xmlReader struct {
	r      *bufio.Reader
	tag    element
	prefix string          // of the name that was read last
	text   []byte          // the text before the tag
	keep   int             // bytes kept of one text
	cut    bool            // a tag had more attributes than are kept
	work   *archive.Budget // charged for tags

	names [knownNames]xmlName // some that were met: the same few come again and again
}

// Bounds of what we keep of one tag. The rest of a longer value is read over:
// attributes may hold whole pictures.
const (
	longestValue   = 16 << 10
	longestXMLName = 256
	mostAttributes = 256
	// longestText bounds what we keep of one text between two tags.
	longestText = 64 << 10
	// knownNames is how many names are kept; a power of two.
	knownNames = 64
)

// element is a start or end tag. Names are without their prefixes, since anyone
// may choose those.
type element struct {
	prefix     string // of the name, without its colon
	name       string
	attributes []attribute
	end        bool // </a>
	empty      bool // <a/>
}

type attribute struct{ prefix, name, value string }

// get returns the value of the first attribute of that name.
func (t *element) get(name string) string {
	for _, a := range t.attributes {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// xmlBuffers holds the buffers not in use: most XML is smaller than its buffer.
var xmlBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 32<<10) }}

// newXMLReader reads XML in UTF-8, a charset that has ASCII in it, or UTF-16, until
// it is closed.
func newXMLReader(r io.Reader, head []byte) *xmlReader {
	if label := wideXML(head); label != "" {
		if wide, ok := charset.NewReader(label, r); ok {
			r = wide
		}
	}
	buffered := xmlBuffers.Get().(*bufio.Reader)
	buffered.Reset(r)
	return &xmlReader{r: buffered, keep: longestText}
}

func (x *xmlReader) close() {
	x.r.Reset(nil)
	xmlBuffers.Put(x.r)
}

// wideXML returns the label of UTF-16 in which the start of a document is written, ""
// if it is not.
func wideXML(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "utf-16"
	case bytes.HasPrefix(head, []byte("<\x00")):
		return "utf-16le"
	case bytes.HasPrefix(head, []byte("\x00<")):
		return "utf-16be"
	}
	return ""
}

// next reads up to the end of the next tag. The fields tag and text are good
// until it is called again. It returns io.EOF after the last tag.
func (x *xmlReader) next() error {
	x.text = x.text[:0]
	for {
		if err := x.upTo('<'); err != nil {
			return err
		}
		b, err := x.r.Peek(1)
		if err != nil {
			return err
		}
		switch b[0] {
		case '!':
			err = x.declaration()
		case '?':
			err = x.skipTo("?>", io.Discard)
		default:
			if nameStart(b[0]) || b[0] == '/' {
				err := x.element()
				x.work.Work(1+int64(len(x.tag.attributes)), priceTag)
				return err
			}
			x.addText([]byte("<"))
		}
		if err != nil {
			return err
		}
	}
}

// nameStart reports whether a name may begin with b.
func nameStart(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' || b >= 0x80
}

// upTo keeps text until the byte end, which is read too.
func (x *xmlReader) upTo(end byte) error {
	for {
		b, err := x.r.ReadSlice(end)
		if err == nil {
			b = b[:len(b)-1]
		}
		x.addText(b)
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}

// addText keeps text, as far as there is room for it.
func (x *xmlReader) addText(text []byte) {
	room := max(x.keep-len(x.text), 0)
	x.text = append(x.text, text[:min(room, len(text))]...)
}

// declaration reads what begins with "<!". What CDATA holds is text; so are the
// values of entities, which are looked at where they are declared.
func (x *xmlReader) declaration() error {
	begins := func(mark string) bool {
		b, _ := x.r.Peek(len(mark))
		return string(b) == mark
	}
	switch {
	case begins("!--"):
		return x.skipTo("-->", io.Discard)
	case begins("![CDATA["):
		x.r.Discard(len("![CDATA["))
		return x.skipTo("]]>", textKeeper{x})
	}
	return x.doctype()
}

// textKeeper is a writer that keeps text.
type textKeeper struct{ x *xmlReader }

// Write keeps p.
func (k textKeeper) Write(p []byte) (int, error) { k.x.addText(p); return len(p), nil }

// doctype reads to the end of a declaration; its quoted values are kept as text.
func (x *xmlReader) doctype() error {
	for {
		b, err := x.r.ReadByte()
		if err != nil {
			return err
		}
		switch b {
		case '>', '[':
			return nil // what an internal subset declares is read as declarations
		case '"', '\'':
			x.addText([]byte(" "))
			if err := x.upTo(b); err != nil {
				return err
			}
		}
	}
}

// skipTo reads up to and with the mark, and writes the text before it to w.
func (x *xmlReader) skipTo(mark string, w io.Writer) error {
	last := mark[len(mark)-1]
	var tail []byte
	for {
		b, err := x.r.ReadSlice(last)
		tail = append(tail, b...)
		if bytes.HasSuffix(tail, []byte(mark)) {
			w.Write(tail[:len(tail)-len(mark)])
			return nil
		}
		if over := len(tail) - len(mark); over > 0 {
			w.Write(tail[:over])
			tail = append(tail[:0], tail[over:]...)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return err
		}
	}
}
