package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/bombs"
)

// What a message may cost with all scanners, rules, the record and its text: bytes that
// are allocated, for the message and for each byte of it; findings; bytes of the record.
const (
	costOfMessage = 900 << 20
	costOfByte    = 30
	mostFound     = 4000
	mostRecord    = 1 << 20
)

// shapesOfAll are bombs of every container, with many members, deep and with long names, and the
// worst of them.
func shapesOfAll() []bombs.Shape {
	var all []bombs.Shape
	for _, container := range bombs.Containers() {
		for _, s := range []bombs.Shape{
			{Members: 1500, Depth: 0, Name: 10, Letter: "a", Size: 100, Content: "MZ\x90\x00", Copies: 1, Suffix: ".exe"},
			{Members: 300, Depth: 7, Name: 3000, Letter: "%", Size: 10, Content: "<p><a href=http://e.example/>x</a>", Copies: 2, Suffix: ".html"},
			{Members: 200, Depth: 1, Name: 100, Letter: "../", Size: 3000, Content: "<</A[1 2 3(x)<41>/B]>>", Copies: 50, Suffix: ".xml.rels"},
		} {
			s.Container = container
			all = append(all, s)
		}
	}
	return append(all, bombs.Shape{Container: "tgz", Members: 600, Depth: 6, Name: 4090, Letter: "a", Size: 5000,
		Content: "<</A[1 2 3(x)<41>/B]>>", Copies: 2, Suffix: ".zip", Beside: "tgz"}) // as tests/bombs/search found it, but smaller
}

// TestNoMessageCostsMore judges bombs of every kind for many recipients with rules of
// their own: no scanner, nor anything after them, takes more than its share.
func TestNoMessageCostsMore(t *testing.T) {
	if raced() {
		t.Skip("the race detector makes pools give nothing back; make unit runs this without it as well")
	}
	const recipients = 100
	env := scan.Envelope{Sender: "alice@example.org", Received: time.Now()}
	var rules strings.Builder
	for i := range recipients {
		env.Recipients = append(env.Recipients, fmt.Sprintf("u@d%d.example", i))
		fmt.Fprintf(&rules, "[[rule]]\nname = \"own %d\"\nto = [\"@d%d.example\"]\nwhen = [\"attachment/*\", \"archive/*\"]\ntag = \"{%d}\"\n", i, i, i)
	}
	p := pipelineOf(t, "profile = \"hosting\"\n"+rules.String())
	for _, s := range shapesOfAll() {
		mail := s.Mail()
		got := p.costOf(t, env, mail)
		if most := uint64(costOfMessage + costOfByte*len(mail)); got.bytes > most || got.found > mostFound || got.record > mostRecord {
			t.Errorf("%+q, %d bytes: %+v; allocated may be %d", fmt.Sprint(s), len(mail), got, most)
		}
	}
}

// messageCost is what judging a message took.
type messageCost struct {
	bytes         uint64 // allocated
	found, record int
}

func (p *Pipeline) costOf(t *testing.T, env scan.Envelope, mail []byte) messageCost {
	t.Helper()
	raw, err := p.keep(bytes.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in, err := p.receive(env, raw)
	if err != nil {
		t.Fatal(err)
	}
	r := p.Judge.Examine(t.Context(), in)
	defer r.Close()
	record, err := json.Marshal(r.Record())
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	return messageCost{after.TotalAlloc - before.TotalAlloc, len(r.Found), len(record)}
}
