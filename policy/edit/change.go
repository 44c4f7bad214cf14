package edit

import (
	"errors"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// change is what becomes of one entity.
type change struct {
	entity  *entity.Entity
	fields  []field
	body    scan.Content // without transfer encoding; nil: as it is
	charset string       // of a body that is text
	with    entity.Encoding
	encoded scan.Content // body with the encoding

	plain     bool // a page that is plain text now
	withdrawn bool // a notice is put in place of the entity
}

// field is a header field that gets a value, or goes.
type field struct {
	name, value string
	gone        bool
}

func (c *change) empty() bool { return c.body == nil && len(c.fields) == 0 }

// set gives a field a value. An entity has it once then.
func (c *change) set(name, value string) {
	for i := range c.fields {
		if strings.EqualFold(c.fields[i].name, name) {
			c.fields[i] = field{name: name, value: value}
			return
		}
	}
	c.fields = append(c.fields, field{name: name, value: value})
}

// inUTF8 says that the new body is in UTF-8 and was not before.
func (c *change) inUTF8() {
	e := c.entity
	c.charset = "utf-8"
	c.set("Content-Type", contentType(e.Type, append(parametersOf(e, "charset", "name"), parameter{"charset", "utf-8"}), e.Names...))
	if c.with == entity.Identity {
		c.with = entity.Base64
	}
}

// remove takes all fields of a name out, if there are any.
func (c *change) remove(name string) {
	if len(c.entity.Header.Values(name)) > 0 {
		c.fields = append(c.fields, field{name: name, gone: true})
	}
}

// of returns the change of the fields of a name.
func (c *change) of(name string) (field, bool) {
	for _, f := range c.fields {
		if strings.EqualFold(f.name, name) {
			return f, true
		}
	}
	return field{}, false
}

// compose puts the new message together.
func (w *work) compose(changes []*change) (*Result, error) {
	raw, root := w.Message.Raw, w.Message.Root
	r := &Result{Message: raw}
	var top, below []splice
	for _, c := range changes {
		switch {
		case c.entity == root && !w.isPlain(c):
			return nil, refusal(errors.New("a field of the header is damaged"), w.Edits)
		case c.entity == root:
			r.Headers = append(r.Headers, w.rootFields(c)...)
			top = append(top, w.headerSplices(c)...)
		default:
			below = append(below, w.headerSplices(c)...)
		}
		if c.encoded != nil {
			below = append(below, splice{c.entity.Body, c.encoded})
			if end := c.entity.Body.End; w.delimited(end) {
				below = append(below, splice{entity.Span{Start: end, End: end}, text(w.newline)})
			}
		}
	}
	if len(below) > 0 {
		body, err := patch(raw, entity.Span{Start: root.Head.End, End: raw.Size()}, below)
		if err != nil {
			return nil, err
		}
		r.Body = body
	}
	whole, err := patch(raw, entity.Span{End: raw.Size()}, append(top, below...))
	if err != nil {
		return nil, err
	}
	r.Message = whole
	return r, nil
}

// delimited reports whether a delimiter follows a body that has no line end itself,
// as after an empty body or a multipart.
func (w *work) delimited(end int64) bool {
	var next [1]byte
	n, _ := w.Message.Raw.ReadAt(next[:], end)
	return n == 1 && next[0] != '\r' && next[0] != '\n'
}

// isPlain reports whether the name of every field of the message's header that changes
// ends in its colon: the MTA finds the fields to change by these names.
func (w *work) isPlain(c *change) bool {
	for _, f := range c.entity.Header.Fields {
		if _, ok := c.of(f.Name); !ok {
			continue
		}
		at := markup.Span{Start: f.Span.Start, End: f.Span.Start + int64(len(f.Name)) + 1}
		if name, err := bytesAt(w.Message.Raw, at); err != nil || string(name) != f.Name+":" {
			return false
		}
	}
	return true
}

// rootFields returns the changes to the message's own header, as the MTA is asked
// for them.
func (w *work) rootFields(c *change) []policy.HeaderChange {
	var list []policy.HeaderChange
	for _, f := range c.fields {
		n := len(c.entity.Header.Values(f.name))
		if !f.gone && n == 0 {
			list = append(list, policy.HeaderChange{Op: policy.AppendBottom, Name: f.name, Value: f.value})
		}
		for i := 1; i <= n; i++ {
			if i == 1 && !f.gone {
				list = append(list, policy.HeaderChange{Op: policy.Change, Name: f.name, Value: f.value, Index: 1})
				continue
			}
			list = append(list, policy.HeaderChange{Op: policy.Delete, Name: f.name, Index: i})
		}
	}
	return list
}

// headerSplices returns the changes to a header, by byte range.
func (w *work) headerSplices(c *change) []splice {
	var list []splice
	done := map[string]bool{}
	at := c.entity.Head.Start
	for _, f := range c.entity.Header.Fields {
		at = f.Span.End
		to, ok := c.of(f.Name)
		if !ok {
			continue
		}
		name := strings.ToLower(f.Name)
		if to.gone || done[name] {
			list = append(list, splice{f.Span, text("")})
			continue
		}
		done[name] = true
		list = append(list, splice{f.Span, text(w.line(to))})
	}
	var more strings.Builder
	for _, f := range c.fields {
		if !f.gone && !done[strings.ToLower(f.name)] {
			more.WriteString(w.line(f))
		}
	}
	if more.Len() > 0 {
		if at == c.entity.Head.End { // nothing ends the header yet
			more.WriteString(w.newline)
		}
		list = append(list, splice{entity.Span{Start: at, End: at}, text(more.String())})
	}
	return list
}

// line returns a field as it is in a header.
func (w *work) line(f field) string {
	return f.name + ": " + strings.ReplaceAll(f.value, "\r\n", w.newline) + w.newline
}

// text returns a string as content.
func text(s string) scan.Content { return strings.NewReader(s) }
