package document

import (
	"bufio"
	"bytes"
	"strings"
)

// element reads a tag after its "<".
func (x *xmlReader) element() error {
	x.tag = element{attributes: x.tag.attributes[:0]}
	b, err := x.r.ReadByte()
	if err != nil {
		return err
	}
	if b == '/' {
		x.tag.end = true
	} else {
		x.r.UnreadByte()
	}
	if x.tag.name, err = x.name(); err != nil {
		return err
	}
	x.tag.prefix = x.prefix
	return x.attributes()
}

// attributes reads to the end of the tag.
func (x *xmlReader) attributes() error {
	for {
		b, err := x.r.ReadByte()
		switch {
		case err != nil:
			return err
		case b == '>':
			return nil
		case b == '/':
			x.tag.empty = true
			continue
		case !nameStart(b):
			continue
		}
		x.r.UnreadByte()
		if err := x.attribute(); err != nil {
			return err
		}
	}
}

func (x *xmlReader) attribute() error {
	x.tag.empty = false
	name, err := x.name()
	if err != nil {
		return err
	}
	prefix := x.prefix
	b, err := x.afterBlanks()
	if err != nil {
		return err
	}
	var value string
	if b == '=' {
		if value, err = x.value(); err != nil {
			return err
		}
	} else {
		x.r.UnreadByte()
	}
	if len(x.tag.attributes) >= mostAttributes {
		x.cut = true
		return nil
	}
	x.tag.attributes = append(x.tag.attributes, attribute{prefix, name, value})
	return nil
}

// afterBlanks returns the next byte that is no blank.
func (x *xmlReader) afterBlanks() (byte, error) {
	for {
		b, err := x.r.ReadByte()
		if err != nil || b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, err
		}
	}
}

// inName are the bytes a name may have.
var inName = func() (in [256]bool) {
	for b := range in {
		in[b] = nameStart(byte(b)) || strings.IndexByte(":-.0123456789", byte(b)) >= 0
	}
	return in
}()

// name reads a name, mostly one that is in the buffer, and takes off its prefix.
func (x *xmlReader) name() (string, error) {
	buffered, _ := x.r.Peek(min(x.r.Buffered(), longestXMLName))
	for n, b := range buffered {
		if !inName[b] {
			name := x.known(buffered[:n])
			x.r.Discard(n)
			return name, nil
		}
	}
	return x.longName()
}

// xmlName is a name with and without its prefix.
type xmlName struct{ whole, local string }

// known returns a name without its prefix, made again only if it was not met lately.
func (x *xmlReader) known(name []byte) string {
	if len(name) == 0 {
		x.prefix = ""
		return ""
	}
	last := len(name) - 1
	slot := &x.names[(last+7*int(name[0])+int(name[last])+3*int(name[last/2]))%knownNames]
	if slot.whole != string(name) {
		whole := string(name)
		*slot = xmlName{whole, local(whole)}
	}
	return x.apart(slot.whole, slot.local)
}

// apart notes the prefix of a name.
func (x *xmlReader) apart(whole, local string) string {
	x.prefix = strings.TrimSuffix(whole[:len(whole)-len(local)], ":")
	return local
}

// longName reads a name byte by byte; those over the limit are not kept.
func (x *xmlReader) longName() (string, error) {
	var name []byte
	for {
		b, err := x.r.ReadByte()
		if err != nil {
			return x.apart(string(name), local(string(name))), err
		}
		if !inName[b] {
			return x.apart(string(name), local(string(name))), x.r.UnreadByte()
		}
		if len(name) < longestXMLName {
			name = append(name, b)
		}
	}
}

// value reads an attribute's value, quoted or, as HTML has it, not.
func (x *xmlReader) value() (string, error) {
	quoteMark, err := x.afterBlanks()
	if err != nil {
		return "", err
	}
	if quoteMark == '"' || quoteMark == '\'' {
		return x.quoted(quoteMark)
	}
	x.r.UnreadByte()
	var value []byte
	for {
		b, err := x.r.ReadByte()
		if err != nil {
			return "", err
		}
		if b == '>' || b == ' ' || b == '\n' || b == '\t' || b == '\r' {
			return unescape(value), x.r.UnreadByte()
		}
		if len(value) < longestValue {
			value = append(value, b)
		}
	}
}

// quoted reads a value up to the mark it began with.
func (x *xmlReader) quoted(mark byte) (string, error) {
	b, err := x.r.ReadSlice(mark)
	if err == nil {
		return unescape(b[:min(len(b)-1, longestValue)]), nil
	}
	value := bytes.Clone(b[:min(len(b), longestValue)])
	for err == bufio.ErrBufferFull {
		_, err = x.r.ReadSlice(mark) // by now there is more than is kept
	}
	return unescape(value), err
}
