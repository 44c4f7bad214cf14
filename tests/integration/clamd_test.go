package integration

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/procstat"
	"github.com/milterscan/milterscan/tests/sample"
)

// askClamd returns the clamd engine by itself, at the addresses.
func askClamd(t testing.TB, feed virus.Feed, addresses ...string) *virus.Engine {
	t.Helper()
	engines, err := virus.New([]virus.Config{{Name: "clamd", Type: virus.TypeClamd, Feed: feed, Address: addresses, Timeout: units.Duration(30 * time.Second)}})
	if err != nil {
		t.Fatal(err)
	}
	return engines[1].(*virus.Engine)
}

func addressesOf(c *servers.Clamd) []string { return []string{"unix:" + c.Socket, "tcp:" + c.Addr} }

// takeApart opens a mail as far as these tests need it: leaves decoded, zip
// archives unpacked.
func takeApart(t testing.TB, raw []byte) *scan.Message {
	t.Helper()
	p := entity.NewParser(entity.Limits{Parts: 1000, Depth: 50})
	p.Write(raw)
	tree := p.Close()
	m := &scan.Message{Raw: bytes.NewReader(raw), Root: tree.Root, Header: tree.Root.Header}
	addLeaves(t, m, raw, tree.Root)
	for i := 0; i < len(m.Parts); i++ {
		addMembers(t, m, i)
	}
	return m
}

func addLeaves(t testing.TB, m *scan.Message, raw []byte, e *entity.Entity) {
	for _, child := range e.Children {
		addLeaves(t, m, raw, child)
	}
	if e.Composite() {
		return
	}
	var b bytes.Buffer
	if _, err := entity.Decode(&b, bytes.NewReader(raw[e.Body.Start:e.Body.End]), e.Encoding); err != nil {
		t.Fatal(err)
	}
	m.Parts = append(m.Parts, scan.Part{Parent: -1, Path: e.Number, Names: e.Names, Type: e.Type, Entity: e, Content: bytes.NewReader(b.Bytes())})
}

func addMembers(t testing.TB, m *scan.Message, i int) {
	r, err := zip.NewReader(m.Parts[i].Content, m.Parts[i].Content.Size())
	if err != nil {
		return
	}
	m.Parts[i].Opened = true
	for _, f := range r.File {
		member, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(member)
		if err != nil {
			t.Fatal(err)
		}
		m.Parts = append(m.Parts, scan.Part{Parent: i, Path: m.Parts[i].Path + "/" + f.Name, Names: []string{f.Name}, Content: bytes.NewReader(b), Archived: true})
	}
}

// virusMails are mails with the test virus in every place where an honest mail
// may have it.
func virusMails() map[string][]byte {
	file := sample.EicarFile()
	mails := map[string][]byte{
		"attached":       sample.Attached("attached", file),
		"second":         sample.Attached("second", sample.Noise("a.jpg", 5000, 1), file, sample.Noise("b.jpg", 5000, 2)),
		"zip":            sample.Attached("zip", sample.Zip("a.zip", file)),
		"zip among":      sample.Attached("zip among", sample.Zip("a.zip", sample.Noise("a.jpg", 5000, 1), file)),
		"zip in zip":     sample.Attached("zip in zip", sample.Zip("b.zip", sample.Zip("a.zip", file))),
		"four zips deep": sample.Attached("deep", sample.Zip("d.zip", sample.Zip("c.zip", sample.Zip("b.zip", sample.Zip("a.zip", file))))),
		"six zips deep":  sample.Attached("deep", sample.Zip("f.zip", sample.Zip("e.zip", sample.Zip("d.zip", sample.Zip("c.zip", sample.Zip("b.zip", sample.Zip("a.zip", file))))))),
		"office file": sample.Attached("office", sample.Zip("a.docx", sample.File{Name: "[Content_Types].xml", Content: []byte("<?xml version=\"1.0\"?><Types/>")},
			sample.File{Name: "word/document.xml", Content: []byte("<w:document/>")}, sample.File{Name: "word/embeddings/o.bin", Content: file.Content})),
		"with text behind": sample.Attached("large", sample.File{Name: "a.bin", Type: "application/octet-stream", Content: append([]byte(sample.EICAR), bytes.Repeat([]byte("text "), 60_000)...)}),
	}
	for _, encoding := range []string{"7bit", "8bit", "base64", "quoted-printable"} {
		for _, mediaType := range []string{"text/plain", "text/plain; charset=utf-8", "text/html", "text/calendar"} {
			for shape, mail := range bodyShapes(mediaType, encoding) {
				mails[shape+" "+mediaType+" "+encoding] = mail
			}
		}
	}
	return mails
}

// bodyShapes are mails that have the test virus as a text body.
func bodyShapes(mediaType, encoding string) map[string][]byte {
	const (
		top   = "From: a@example.org\r\nSubject: body\r\nMIME-Version: 1.0\r\n"
		plain = "Content-Type: text/plain\r\n\r\nnothing here\r\n"
		pdf   = "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n"
	)
	body := "Content-Type: " + mediaType + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" + encoded(encoding) + "\r\n"
	multi := func(kind string, parts ...string) string {
		all := "Content-Type: multipart/" + kind + "; boundary=" + kind + "\r\n\r\n"
		for _, p := range parts {
			all += "--" + kind + "\r\n" + p
		}
		return all + "--" + kind + "--\r\n"
	}
	return map[string][]byte{
		"only":        []byte(top + body),
		"no From":     []byte("X-Odd: y\r\nMIME-Version: 1.0\r\n" + body),
		"alternative": []byte(top + multi("alternative", plain, body)),
		"first":       []byte(top + multi("alternative", body, plain)),
		"mixed":       []byte(top + multi("mixed", plain, pdf, body)),
		"nested":      []byte(top + multi("mixed", multi("related", multi("alternative", plain, body)), pdf)),
		"forwarded":   []byte(top + multi("mixed", plain, "Content-Type: message/rfc822\r\n\r\n"+top+body)),
		"report":      []byte(top + multi("report", plain, body)),
	}
}

// encoded is the test virus in a transfer encoding.
func encoded(encoding string) string {
	switch encoding {
	case "base64":
		return "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNU\r\nLUZJTEUhJEgrSCo="
	case "quoted-printable":
		return strings.NewReplacer("$", "=24", "-", "=\r\n-").Replace(sample.EICAR)
	}
	return sample.EICAR
}

// clamd finds the test virus wherever it is, by its own knowledge alone, in each
// feed and over each kind of socket.
func TestClamdFinds(t *testing.T) {
	needServers(t)
	clamd := servers.StartClamd(t)
	mails := virusMails()
	for _, address := range addressesOf(clamd) {
		for _, feed := range []virus.Feed{virus.FeedAuto, virus.FeedRaw, virus.FeedBoth} {
			e := askClamd(t, feed, address)
			for name, mail := range mails {
				if feed == virus.FeedRaw && strings.HasPrefix(name, "forwarded") {
					continue // clamd makes no file of its own of such a body
				}
				m := takeApart(t, mail)
				found, err := e.Scan(context.Background(), m)
				if err != nil || len(found) == 0 || found[0].Kind != scan.Infected {
					t.Errorf("%s, %s, feed %s: found %v, error %v", name, address, feed, found, err)
				}
			}
		}
	}
}

func TestClamdPassesClean(t *testing.T) {
	needServers(t)
	clamd := servers.StartClamd(t)
	for _, address := range addressesOf(clamd) {
		e := askClamd(t, virus.FeedBoth, address)
		for name, mail := range map[string][]byte{
			"newsletter": sample.Newsletter(),
			"photo":      sample.Attached("photo", sample.Noise("a.jpg", 8<<20, 3)),
			"zip":        sample.Attached("zip", sample.Zip("a.zip", sample.Noise("a.jpg", 1<<20, 4))),
			"empty":      {},
		} {
			if found, err := e.Scan(context.Background(), takeApart(t, mail)); err != nil || len(found) != 0 {
				t.Errorf("%s, %s: found %v, error %v", name, address, found, err)
			}
		}
	}
}

// Part 1 of 3 stays unsuspected when part 2 is infected.
func TestClamdPointsAtThePart(t *testing.T) {
	needServers(t)
	clamd := servers.StartClamd(t)
	m := takeApart(t, virusMails()["second"])
	for _, address := range addressesOf(clamd) {
		found, err := askClamd(t, virus.FeedAuto, address).Scan(context.Background(), m)
		if err != nil || len(found) != 1 || m.PathOf(found[0]) != "3" || found[0].Rule != "virus/Eicar-Test.UNOFFICIAL" {
			t.Errorf("%s: found %v, error %v", address, found, err)
		}
	}
}

// A clamd with a lower limit than it is said to have does not make anything
// clean.
func TestClamdStreamLimit(t *testing.T) {
	needServers(t)
	clamd := servers.StartClamd(t, "StreamMaxLength 1M")
	m := takeApart(t, sample.Attached("photo", sample.Noise("a.jpg", 3<<20, 3)))
	found, err := askClamd(t, virus.FeedAuto, "tcp:"+clamd.Addr).Scan(context.Background(), m)
	if err == nil && !scan.Incomplete(found) {
		t.Errorf("found %v, no error", found)
	}
}

// A clamd that tells of its own limits and of what it cannot read is heard.
func TestClamdOwnLimits(t *testing.T) {
	needServers(t)
	clamd := servers.StartClamd(t, "MaxFileSize 1M")
	m := takeApart(t, sample.Attached("photo", sample.Noise("a.jpg", 3<<20, 3)))
	found, err := askClamd(t, virus.FeedAuto, "unix:"+clamd.Socket).Scan(context.Background(), m)
	if err != nil || len(found) != 1 || found[0].Rule != "virus/limits-exceeded" {
		t.Errorf("found %v, error %v", found, err)
	}
}

// While one clamd is away the other is asked; when both are, nothing is clean.
func TestClamdFailover(t *testing.T) {
	needServers(t)
	first, second := servers.StartClamd(t), servers.StartClamd(t)
	e := askClamd(t, virus.FeedAuto, "unix:"+first.Socket, "tcp:"+second.Addr)
	ask := func(what string, wantError bool) {
		t.Helper()
		found, err := e.Scan(context.Background(), takeApart(t, virusMails()["attached"]))
		if (err != nil) != wantError || !wantError && len(found) == 0 {
			t.Errorf("%s: found %v, error %v", what, found, err)
		}
	}
	ask("both there", false)
	first.Kill()
	ask("first gone", false)
	second.Stop()
	ask("both gone", true)
	first.Start(t)
	ask("first back", false)
}

func TestClamdHealth(t *testing.T) {
	needServers(t)
	clamd := servers.StartClamd(t)
	e := askClamd(t, virus.FeedAuto, addressesOf(clamd)...)
	for what, do := range map[string]func() error{"before": func() error { return nil }, "after a reload": func() error { return e.Reload(context.Background()) }} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		all, err := e.Health(context.Background())
		if err != nil || len(all) != 2 || !strings.HasPrefix(all[0].Version, "ClamAV ") {
			t.Errorf("%s: %+v, error %v", what, all, err)
		}
	}
}

// BenchmarkClamd is what mixed mail costs clamd and us in each feed, with
// clamd's own memory of clean files off.
func BenchmarkClamd(b *testing.B) {
	needServers(b)
	clamd := servers.StartClamd(b, "DisableCache yes")
	var mails []*scan.Message
	for _, raw := range sample.Mixed(100) {
		mails = append(mails, takeApart(b, raw))
	}
	for _, feed := range []virus.Feed{virus.FeedAuto, virus.FeedRaw, virus.FeedBoth} {
		b.Run(string(feed), func(b *testing.B) { benchFeed(b, clamd, feed, mails) })
	}
}

func benchFeed(b *testing.B, clamd *servers.Clamd, feed virus.Feed, mails []*scan.Message) {
	theirs, ours, n := cpu(b, clamd.Pid()), cpu(b, os.Getpid()), 0
	for b.Loop() {
		e := askClamd(b, feed, "unix:"+clamd.Socket) // a new one remembers nothing
		for _, m := range mails {
			if _, err := e.Scan(context.Background(), m); err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	theirs, ours = cpu(b, clamd.Pid())-theirs, cpu(b, os.Getpid())-ours // clamd is a child of ours
	b.ReportMetric(float64(theirs.Microseconds())/1000/float64(n), "clamd-ms/mail")
	b.ReportMetric(float64((ours-theirs).Microseconds())/1000/float64(n), "own-ms/mail")
}

func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	u, err := procstat.Read(pid)
	if err != nil {
		b.Fatal(err)
	}
	return u.CPU
}
