package integration

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// askICAP returns an engine that asks ICAP services, each message within the
// given time.
func askICAP(t testing.TB, timeout time.Duration, addresses ...string) *virus.Engine {
	t.Helper()
	engines, err := virus.New([]virus.Config{{Name: "icap", Type: virus.TypeICAP, Address: addresses, Timeout: units.Duration(timeout)}})
	if err != nil {
		t.Fatal(err)
	}
	return engines[1].(*virus.Engine)
}

// c-icap finds the test virus in every kind of mail, and nothing in others.
func TestICAPFinds(t *testing.T) {
	needServers(t)
	e := askICAP(t, 30*time.Second, servers.StartICAP(t, servers.StartClamd(t)).URL("avscan"))
	for name, mail := range virusMails() {
		found, err := e.Scan(context.Background(), takeApart(t, mail))
		if err != nil || len(found) == 0 || found[0].Rule != "virus/Eicar-Test.UNOFFICIAL" {
			t.Errorf("%s: found %v, error %v", name, found, err)
		}
	}
	for name, mail := range map[string][]byte{
		"newsletter": sample.Newsletter(),
		"photo":      sample.Attached("photo", sample.Noise("a.jpg", 8<<20, 3)), // comes back whole
		"zip":        sample.Attached("zip", sample.Zip("a.zip", sample.Noise("a.jpg", 1<<20, 4))),
	} {
		if found, err := e.Scan(context.Background(), takeApart(t, mail)); err != nil || len(found) != 0 {
			t.Errorf("%s: found %v, error %v", name, found, err)
		}
	}
	if h, err := e.Health(context.Background()); err != nil || len(h) != 1 || h[0].Database == "" {
		t.Errorf("health %+v, error %v", h, err)
	}
}

// interrupted is a content that is read to be hashed first; when it is read for the
// second time, something happens in the middle.
type interrupted struct {
	scan.Content
	reached int
	happen  func()
}

func (i *interrupted) ReadAt(p []byte, off int64) (int, error) {
	if middle := i.Size() / 2; off <= middle && middle < off+int64(len(p)) {
		if i.reached++; i.reached == 2 {
			i.happen()
		}
	}
	return i.Content.ReadAt(p, off)
}

// interrupt is a mail during whose last and largest part something happens.
func interrupt(t *testing.T, happen func()) *scan.Message {
	t.Helper()
	m := takeApart(t, sample.Attached("photo", sample.Noise("a.jpg", 16<<20, 3)))
	last := &m.Parts[len(m.Parts)-1]
	last.Content = &interrupted{Content: last.Content, happen: happen}
	return m
}

// A service that dies or hangs in mid-content has called nothing clean, takes no
// more than its time, and is asked again when it is back.
func TestICAPInterrupted(t *testing.T) {
	needServers(t)
	clamd := servers.StartClamd(t)
	server := servers.StartICAP(t, clamd)
	e := askICAP(t, 3*time.Second, server.URL("avscan"))
	for name, c := range map[string]struct{ happen, repair func() }{
		"killed":     {server.Kill, func() { server.Start(t) }},
		"hangs":      {server.Pause, server.Resume},
		"clamd away": {clamd.Stop, func() { clamd.Start(t) }},
	} {
		if found, err := e.Scan(context.Background(), interrupt(t, c.happen)); err == nil {
			t.Errorf("%s: found %v, no error", name, found)
		}
		c.repair()
		servers.Await(t, "the service to find the virus again", func() bool {
			found, err := e.Scan(context.Background(), takeApart(t, virusMails()["attached"]))
			return err == nil && len(found) > 0
		})
	}
	if _, err := askICAP(t, 3*time.Second, server.URL("nothing")).Scan(context.Background(), takeApart(t, virusMails()["attached"])); err == nil {
		t.Error("a service that does not exist finds nothing, and no error")
	}
}

// While one service is away the other is asked.
func TestICAPFailover(t *testing.T) {
	needServers(t)
	clamd := servers.StartClamd(t)
	first, second := servers.StartICAP(t, clamd), servers.StartICAP(t, clamd)
	e := askICAP(t, 10*time.Second, first.URL("avscan"), second.URL("avscan"))
	first.Kill()
	if found, err := e.Scan(context.Background(), takeApart(t, virusMails()["attached"])); err != nil || len(found) == 0 {
		t.Errorf("found %v, error %v", found, err)
	}
}

// BenchmarkICAP is what mixed mail costs us, and the others, over ICAP.
func BenchmarkICAP(b *testing.B) {
	needServers(b)
	clamd := servers.StartClamd(b, "DisableCache yes")
	server := servers.StartICAP(b, clamd)
	var mails []*scan.Message
	for _, raw := range sample.Mixed(100) {
		mails = append(mails, takeApart(b, raw))
	}
	others := func() time.Duration { return cpu(b, clamd.Pid()) + cpu(b, server.Pid()) }
	theirs, ours, n := others(), cpu(b, os.Getpid()), 0
	for b.Loop() {
		e := askICAP(b, 30*time.Second, server.URL("avscan")) // a new one remembers nothing
		for _, m := range mails {
			if _, err := e.Scan(context.Background(), m); err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	theirs, ours = others()-theirs, cpu(b, os.Getpid())-ours // they are children of ours
	b.ReportMetric(float64(theirs.Microseconds())/1000/float64(n), "others-ms/mail")
	b.ReportMetric(float64((ours-theirs).Microseconds())/1000/float64(n), "own-ms/mail")
}
