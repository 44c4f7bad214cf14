package scratch

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// kept is a content that keeps what is learnt of it.
type kept struct {
	Content
	lore Lore
}

func (k *kept) Lore() *Lore { return &k.lore }

type key struct{}

// all remembers what it was shown.
type all struct{ bytes.Buffer }

func (a *all) See(b []byte) { a.Write(b) }

func watching(c Content) *kept {
	k := &kept{Content: c}
	k.lore.Watch([]Watch{{key{}, func(Content) Watcher { return new(all) }}})
	return k
}

// A pass over all of a content shows each byte once to who watches it, whatever windows it has.
func TestWatch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		data := noise(Size + 1 + r.IntN(4*Size))
		var c Content = bytes.NewReader(data)
		if r.IntN(2) == 0 {
			c = pieces{bytes.NewReader(data), data, []int{r.IntN(len(data)), len(data)}}
		}
		k := watching(c)
		wrapped := UntilAt(func() error { return nil }, k)
		if err := Windows(wrapped, 0, r.IntN(Size/4), func([]byte, int64) error { return nil }); err != nil {
			t.Fatal(err)
		}
		got, ok := LoreOf(k).Recall(key{}).(*all)
		if !ok || !bytes.Equal(got.Bytes(), data) {
			t.Fatalf("%d bytes: not shown as they are", len(data))
		}
		Windows(k, 0, 0, func([]byte, int64) error { return nil })
		if LoreOf(k).Recall(key{}) != any(got) || got.Len() != len(data) {
			t.Fatal("the second pass is shown, too")
		}
	}
}

// What was not seen to the end is not learnt.
func TestWatchInVain(t *testing.T) {
	data, stop := noise(3*Size), errors.New("stop")
	for name, pass := range map[string]func(Content){
		"ends early":  func(c Content) { Windows(c, 0, 9, func([]byte, int64) error { return stop }) },
		"begins late": func(c Content) { Windows(c, 1, 9, func([]byte, int64) error { return nil }) },
		"cannot read": func(c Content) {
			Windows(UntilAt(func() error { return stop }, c), 0, 9, func([]byte, int64) error { return nil })
		},
		"is no content": func(Content) {},
	} {
		k := watching(bytes.NewReader(data))
		if pass(k); k.lore.Recall(key{}) != nil {
			t.Errorf("a pass that %s has seen all", name)
		}
	}
	if small := watching(bytes.NewReader(data[:Size])); Windows(small, 0, 0, func([]byte, int64) error { return nil }) != nil || small.lore.Recall(key{}) != nil {
		t.Error("a small content is watched")
	}
	if LoreOf(bytes.NewReader(nil)).Recall(key{}) != nil {
		t.Error("a content without lore has some")
	}
}
