package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/scratch"
)

// kept is a document that keeps what is learnt of it. It counts the bytes that are read.
type kept struct {
	*bytes.Reader
	lore scratch.Lore
	read int
}

func (k *kept) Lore() *scratch.Lore { return &k.lore }

func (k *kept) ReadAt(p []byte, off int64) (int, error) {
	n, err := k.Reader.ReadAt(p, off)
	k.read += n
	return n, err
}

func keep(text []byte) *kept { return &kept{Reader: bytes.NewReader(text)} }

// each returns all objects of a document.
func each(t *testing.T, c Content) (all []Object) {
	t.Helper()
	err := NewReader(context.Background(), c, 64*c.Size()).Each(func(o Object) error {
		all = append(all, o)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// randomDocument has objects, halves of marks and noise in any order.
func randomDocument(r *rand.Rand) []byte {
	var b bytes.Buffer
	for range 1 + r.IntN(60) {
		switch r.IntN(8) {
		case 0:
			noise := make([]byte, r.IntN(3*scratch.Size))
			for i := range noise {
				noise[i] = byte(r.Uint32())
			}
			b.Write(noise)
		case 1:
			b.WriteString("obj endobj traile trailer<</Root 1 0 R>>")
		case 2:
			b.WriteString(strings.Repeat(" ", r.IntN(20000)))
		case 3:
			fmt.Fprintf(&b, "<</Subtype/%s>>", []string{"Image", "#49mage", "ImageB"}[r.IntN(3)])
		default:
			fmt.Fprintf(&b, "%d %d obj\n<< /A %d /B [ (x) /C ] >>\nstream\nabc\nendstream\nendobj\n", r.IntN(1e6), r.IntN(3), r.IntN(9))
		}
	}
	return b.Bytes()[:b.Len()-r.IntN(min(b.Len(), 9))]
}

// Who reads a document again meets the same objects as before, and as who reads one that keeps nothing; and pictures
// are named in it as before.
func TestAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		text := randomDocument(r)
		c, want := keep(text), each(t, bytes.NewReader(text))
		for reading := range 3 {
			if got := each(t, c); !reflect.DeepEqual(got, want) {
				t.Fatalf("reading %d of %d bytes: %d objects, want %d", reading, len(text), len(got), len(want))
			}
		}
		if got, want := MayShow(c), MayName(bytes.NewReader(text), PictureName); got != want {
			t.Fatalf("pictures in %d bytes: %v, want %v", len(text), got, want)
		}
	}
}

// A document of few objects is read once, not again.
func TestReadsLittleAgain(t *testing.T) {
	c := keep(sparse(1 << 20))
	first := each(t, c)
	all := c.read
	if MayShow(c) || len(each(t, c)) != len(first) || c.read-all > all/10 {
		t.Errorf("%d objects; %d bytes, then %d more", len(first), all, c.read-all)
	}
}

// sparse is a document of one large stream between small objects.
func sparse(size int) []byte {
	object := "1 0 obj\n<< /A 1 >>\nendobj\n"
	return []byte(object + strings.Repeat("x", size) + object)
}

// What was not read to the end is not known.
func TestNotLearnt(t *testing.T) {
	stop := errors.New("stop")
	for name, read := range map[string]func(c *kept) error{
		"stopped": func(c *kept) error {
			return NewReader(context.Background(), c, 1<<20).Each(func(Object) error { return stop })
		},
		"no room": func(c *kept) error {
			return NewReader(context.Background(), c, 1).Each(func(Object) error { return nil })
		},
		"cancelled": func(c *kept) error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return NewReader(ctx, c, 1<<20).Each(func(Object) error { return nil })
		},
	} {
		c := keep(sparse(200 << 10))
		err := read(c)
		if c.lore.Recall(surveyKey{}) != nil {
			t.Errorf("%s (%v): learnt", name, err)
		}
		if n := len(each(t, c)); n != 2 {
			t.Errorf("%s: %d objects afterwards", name, n)
		}
	}
}

// Of more marks than are remembered, all are met again.
func TestManyMarks(t *testing.T) {
	text := []byte(strings.Repeat("1 0 obj 2 ", mostMarks+5))
	c := keep(text)
	for reading := range 2 {
		n := 0
		NewReader(context.Background(), c, 1<<40).Each(func(Object) error { n++; return nil })
		if n != mostMarks+5 {
			t.Errorf("reading %d: %d objects", reading, n)
		}
	}
}

// A document that cannot be read a second time says so.
func TestUnreadableAgain(t *testing.T) {
	c := keep(sparse(200 << 10))
	each(t, c)
	c.Reader = bytes.NewReader(nil)
	broken := struct {
		io.ReaderAt
		loreAndSize
	}{c, loreAndSize{c, 200 << 10}}
	if err := NewReader(context.Background(), broken, 1<<20).Each(func(Object) error { return nil }); err == nil {
		t.Error("no error")
	}
}

type loreAndSize struct {
	c    *kept
	size int64
}

func (l loreAndSize) Lore() *scratch.Lore { return &l.c.lore }
func (l loreAndSize) Size() int64         { return l.size }
