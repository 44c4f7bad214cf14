package unpack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/spool"
)

// cost is what a message takes that was opened, in bytes that anything about its
// parts multiplies.
type cost struct{ paths, names, details, notes int }

func costOf(m *scan.Message) (c cost) {
	for _, p := range m.Parts {
		c.paths += len(p.Path)
		for _, n := range p.Names {
			c.names += len(n)
		}
	}
	for _, n := range m.Notes {
		c.details += len(n.Detail)
	}
	c.notes = len(m.Notes)
	return c
}

// TestNamesCostLittle opens archives of every depth, number of members and length
// of names: what their names cost is bounded by the number of members alone.
func TestNamesCostLittle(t *testing.T) {
	l := testLimits
	l.Parts, l.Archive.Entries, l.Archive.Depth, l.Archive.Ratio = 10_000, 10_000, 8, 1<<40
	for _, depth := range []int{1, 7} {
		for _, members := range []int{10, 1200} {
			for _, letter := range []string{"%", "a", "\xff", "../", "日"} {
				name := strings.Repeat(letter, 4000/len(letter))
				var files []string
				for i := range members {
					files = append(files, fmt.Sprintf("%s%d.exe", name, i), "")
				}
				file := zipped(t, files...)
				for range depth - 1 {
					file = zipped(t, name+".zip", string(file))
				}
				m := open(t, l, leaf("Content-Type: application/zip", file))
				if len(m.Parts) != members+depth {
					t.Fatalf("%d parts, want %d", len(m.Parts), members+depth)
				}
				c := costOf(m)
				if c.paths > 1600*len(m.Parts) || c.names > 2*nameBytes || c.details > 1<<20 {
					t.Errorf("%d members called %q…, %d deep: %+v", members, letter, depth, c)
				}
				if last := m.Parts[len(m.Parts)-1].Name(); !strings.HasSuffix(last, ".exe") {
					t.Errorf("a name was cut to %q", last)
				}
				cut := slices.ContainsFunc(m.Notes, func(f scan.Finding) bool { return f.Rule == "mime/names-size" && f.Kind == scan.Unscannable })
				if long := members*len(name) > nameBytes; cut != long {
					t.Errorf("%d members called %q…: names cut: %v", members, letter, cut)
				}
			}
		}
	}
}

// TestEveryPartIsNotedOnce has more archives than findings of one rule are kept
// whole: what is odd about each is still known.
func TestEveryPartIsNotedOnce(t *testing.T) {
	l := testLimits
	l.Parts, l.Archive.Entries = 10_000, 10_000
	sealed := zipped(t, "a.txt", "hello")
	for _, mark := range []string{"PK\x03\x04", "PK\x01\x02"} { // the flag that says so
		at := bytes.Index(sealed, []byte(mark)) + 6 + 2*strings.Count(mark, "\x02")
		sealed[at] |= 1
	}
	var parts []string
	for i := range 600 {
		parts = append(parts, leaf(fmt.Sprintf("Content-Type: application/zip; name=%d.zip", i), sealed))
	}
	m := open(t, l, multipart("out", parts...))
	about := map[int]bool{}
	for _, f := range m.Notes {
		if f.Rule == "archive/encryption-lie" {
			about[f.Part] = true
		}
	}
	if len(about) != 600 {
		t.Errorf("%d of 600 members are known to lie about their encryption", len(about))
	}
}

// TestHeavyMessagesWaitForEachOther has one message take the only place: another that
// needs it waits and fails when its time is over, and a light one does not notice.
func TestHeavyMessagesWaitForEachOther(t *testing.T) {
	room := spool.New(t.TempDir(), 8<<20, 64<<20)
	room.Heavy = spool.NewGate(1)
	leave := room.Heavy.Enter(t.Context())
	o := NewOpener(testLimits, archive.Formats(), room)
	for name, mail := range map[string]string{
		"light": leaf("Content-Type: application/zip; name=a.zip", zipped(t, "a.txt", "hello")),
		"heavy": leaf("Content-Type: application/octet-stream", make([]byte, 5<<20)),
	} {
		p := o.NewParser()
		io.WriteString(p, mail)
		raw := room.Buffer()
		io.WriteString(raw, mail)
		ctx, cancel := context.WithCancel(t.Context())
		if name == "heavy" {
			ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
		}
		m := o.Open(ctx, scan.Received{Raw: raw, Tree: p.Close(), Size: int64(len(mail))})
		cancel()
		if waited := noted(m, scan.Failed, "mime/failed"); waited != (name == "heavy") {
			t.Errorf("%s: waited in vain: %v, %+v", name, waited, m.Notes)
		}
		m.Close()
	}
	leave()
}
