package pipeline

import (
	"bytes"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/hostile"
	"github.com/milterscan/milterscan/tests/bombs"
	"github.com/milterscan/milterscan/tests/corpus"
)

// named is what a reply says of a file: of several that are refused alike, the one that was judged first. Where the work
// for a message is used up by two of its files at once, the reply may name one of them or the message.
var named = regexp.MustCompile(`(the file "[^"]*" in )?attachment "[^"]*"|"[^"]*"`)

// judgedTwice is how many mails TestLoadChangesNoVerdict judges.
const judgedTwice = 1000

// raced reports whether the race detector, which makes judging ten times slower, is in
// the binary.
func raced() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-race" && s.Value == "true" })
}

// TestLoadChangesNoVerdict judges mails one after the other, and again many at once while
// the processors are busy with other things: each gets the same verdict in the same words, or
// is put off.
func TestLoadChangesNoVerdict(t *testing.T) {
	p, mails, turn := pipelineOf(t, ""), thousand(t), 0
	if raced() {
		mails = slices.DeleteFunc(mails, func([]byte) bool { turn++; return turn%5 != 0 })
	}
	idle := make([]verdict, len(mails))
	for i, mail := range mails {
		idle[i] = p.verdictOn(t, mail)
	}
	var stop atomic.Bool
	var busy, judges sync.WaitGroup
	for range 8 {
		busy.Go(func() {
			for n := 1; !stop.Load(); n++ {
				bytes.Count(mails[n%len(mails)], []byte("\n"))
			}
		})
	}
	var next, put, refused atomic.Int64
	for range 16 {
		judges.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(mails)); i = next.Add(1) - 1 {
				switch got := p.verdictOn(t, mails[i]); {
				case got.action == "tempfail", idle[i].action == "tempfail":
					put.Add(1)
				case got != idle[i]:
					t.Errorf("mail %d: %+v when idle, %+v under load", i, idle[i], got)
				case got.action == "reject":
					refused.Add(1)
				}
			}
		})
	}
	judges.Wait()
	stop.Store(true)
	busy.Wait()
	if refused.Load() < int64(len(mails)/10) {
		t.Errorf("only %d are refused, %d are put off", refused.Load(), put.Load())
	}
	t.Logf("of %d mails, %d are refused and %d put off", len(mails), refused.Load(), put.Load())
}

// verdict is what becomes of a mail, and what its sender hears.
type verdict struct {
	action string
	reply  policy.Reply // without the id of the message, and which of several files it names
}

// verdictOn returns the verdict on a mail.
func (p *Pipeline) verdictOn(t *testing.T, mail []byte) verdict {
	raw, err := p.keep(bytes.NewReader(mail))
	if err != nil {
		t.Error(err)
		return verdict{}
	}
	env := scan.Envelope{Sender: "alice@example.org", Recipients: []string{"bob@example.com"}, Received: time.Now()}
	in, err := p.receive(env, raw)
	if err != nil {
		t.Error(err)
		return verdict{}
	}
	r := p.Judge.Examine(t.Context(), in)
	defer r.Close()
	reply := r.Decision.Reply
	reply.Text = named.ReplaceAllString(reply.Text, "it")
	reply.Text, _, _ = strings.Cut(reply.Text, " [")
	return verdict{r.Decision.Action(), reply}
}

// thousand returns ordinary mails, hostile ones and bombs.
func thousand(t *testing.T) (mails [][]byte) {
	ordinary, err := corpus.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range ordinary {
		mails = append(mails, m.Message)
	}
	for _, container := range bombs.Containers() {
		s := bombs.Shape{Container: container, Members: 500, Depth: 1, Name: 10, Letter: "a", Size: 5000, Content: "MZ\x90\x00", Copies: 3, Suffix: ".txt"}
		mails = append(mails, s.Mail())
	}
	turn := 0
	for c := range hostile.Cases() {
		if turn++; c.Huge || turn%5 != 0 {
			continue
		}
		var mail bytes.Buffer
		if err := c.Write(&mail); err != nil {
			t.Fatal(err)
		}
		if mails = append(mails, mail.Bytes()); len(mails) == judgedTwice {
			return mails
		}
	}
	t.Fatalf("only %d mails", len(mails))
	return nil
}
