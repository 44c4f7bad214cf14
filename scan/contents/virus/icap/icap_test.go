package icap

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/fakes"
)

// asking returns a client of the fake.
func asking(t *testing.T, fake *fakes.ICAP) *Client {
	t.Helper()
	c, err := New(fake.Start(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func text(s string) Content { return bytes.NewReader([]byte(s)) }

// sizes are contents below, at and above a preview of 1024 bytes.
func sizes() []string {
	var all []string
	for _, n := range []int{4, 1023, 1024, 1025, 70_000, 300_000} {
		all = append(all, strings.Repeat("x", n-4)+"evil")
	}
	return all
}

// TestVerdicts: whatever manners a service has, its verdict is understood.
func TestVerdicts(t *testing.T) {
	for name, manners := range map[string]*fakes.ICAP{
		"no preview":    {Preview: -1},
		"empty preview": {},
		"preview":       {Preview: 1024},
		"echo":          {Preview: 1024, Echo: true},
		"REQMOD":        {Preview: 1024, RequestOnly: true},
		"REQMOD echo":   {Preview: -1, RequestOnly: true, Echo: true},
		"hangs up":      {Preview: 1024, Once: true},
		"page only":     {Preview: 1024, Page: true},
		"violations":    {Found: "X-Violations-Found: 1\r\n\t-\r\n\tFake-Virus\r\n\t0\r\n\t0\r\n"},
		"X-Virus-ID":    {Found: "X-Virus-ID: Fake-Virus\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			manners.Virus = "evil"
			c := asking(t, manners)
			for _, s := range sizes() {
				v, err := c.Scan(context.Background(), text(s))
				if err != nil || !v.Infected || !manners.Page && v.Threat != "Fake-Virus" {
					t.Errorf("%d bytes: %+v, error %v; want it infected", len(s), v, err)
				}
				clean := strings.Replace(s, "evil", "well", 1)
				if v, err := c.Scan(context.Background(), text(clean)); err != nil || v.Infected {
					t.Errorf("%d clean bytes: %+v, error %v", len(s), v, err)
				}
			}
		})
	}
}

// TestChanged: a content that comes back as another is not clean, whether or not
// anybody says why.
func TestChanged(t *testing.T) {
	for _, requests := range []bool{false, true} {
		c := asking(t, &fakes.ICAP{Change: true, RequestOnly: requests})
		if v, err := c.Scan(context.Background(), text("content")); err != nil || !v.Infected {
			t.Errorf("%+v, error %v", v, err)
		}
	}
}

// TestKeepsConnections: the second content goes over the connection of the first,
// and a connection that the server closed meanwhile is no failure.
func TestKeepsConnections(t *testing.T) {
	fake := &fakes.ICAP{Preview: 1024}
	c := asking(t, fake)
	for range 10 {
		for _, s := range sizes() {
			if _, err := c.Scan(context.Background(), text(s)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := fake.Dialled(); n > 3 { // a busy machine may be too slow to see that all was sent
		t.Errorf("%d connections for %d contents", n, fake.Asked())
	}
}

// TestMisbehaves: what is no clear verdict is an error.
func TestMisbehaves(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	ok := "ICAP/1.0 200 OK\r\n"
	for name, c := range map[string]struct {
		fake *fakes.ICAP
		want error
	}{
		"hangs up":            {&fakes.ICAP{Hangup: true}, ErrNoReply},
		"drops in content":    {&fakes.ICAP{DropAfter: 1}, ErrNoReply},
		"no such service":     {&fakes.ICAP{Options: "ICAP/1.0 404 Service not found\r\n\r\n"}, ErrService},
		"HTTP":                {&fakes.ICAP{Options: "HTTP/1.1 200 OK\r\n\r\n"}, ErrGarbage},
		"500":                 {&fakes.ICAP{Answer: "ICAP/1.0 500 Server error\r\n\r\n"}, ErrService},
		"503":                 {&fakes.ICAP{Answer: "ICAP/1.0 503 Overloaded\r\n\r\n"}, ErrService},
		"continue for ever":   {&fakes.ICAP{Preview: 1024, Answer: "ICAP/1.0 100 Continue\r\n\r\n"}, ErrService},
		"binary":              {&fakes.ICAP{Answer: "\x00\xff\xfe\n"}, ErrGarbage},
		"an endless line":     {&fakes.ICAP{Answer: long + long}, ErrGarbage},
		"endless fields":      {&fakes.ICAP{Answer: ok + strings.Repeat("A: b\r\n", 1000)}, ErrGarbage},
		"no field":            {&fakes.ICAP{Answer: ok + "what\r\n\r\n"}, ErrGarbage},
		"no Encapsulated":     {&fakes.ICAP{Answer: ok + "\r\n"}, ErrGarbage},
		"odd Encapsulated":    {&fakes.ICAP{Answer: ok + "Encapsulated: res-hdr=0, res-body=-1\r\n\r\n"}, ErrGarbage},
		"huge Encapsulated":   {&fakes.ICAP{Answer: ok + "Encapsulated: res-hdr=0, res-body=999999999\r\n\r\n"}, ErrGarbage},
		"two bodies":          {&fakes.ICAP{Answer: ok + "Encapsulated: req-body=0, res-body=0\r\n\r\n"}, ErrGarbage},
		"cut in the status":   {&fakes.ICAP{Answer: "ICAP/1.0 20", Once: true}, ErrNoReply},
		"cut in the header":   {&fakes.ICAP{Answer: ok + "Encapsulated: res-hdr=0, res-body=40\r\n\r\nHTTP", Once: true}, ErrNoReply},
		"cut in the body":     {&fakes.ICAP{Answer: ok + "Encapsulated: res-body=0\r\n\r\n7\r\ncon", Once: true}, nil},
		"no chunk":            {&fakes.ICAP{Answer: ok + "Encapsulated: res-hdr=0, res-body=19\r\n\r\nHTTP/1.1 200 OK\r\n\r\nzzz\r\n", Once: true}, ErrNoReply},
		"a verdict too early": {&fakes.ICAP{Preview: -1, Options: "ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\n\r\n"}, ErrGarbage},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := asking(t, c.fake).Scan(context.Background(), text("content that is longer than nothing"+long))
			if c.want == nil && v.Infected {
				return
			}
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%+v, error %v; want %v", v, err, c.want)
			}
		})
	}
}

func TestHangs(t *testing.T) {
	for name, fake := range map[string]*fakes.ICAP{
		"mute":               {Mute: true},
		"mute after options": {Preview: 10, Answer: "ICAP/1.0 2"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			v, err := asking(t, fake).Scan(ctx, text(strings.Repeat("content", 500_000)))
			if err == nil || ctx.Err() == nil {
				t.Errorf("%+v, error %v", v, err)
			}
		})
	}
}

// TestEarly: a verdict in mid-content counts, and nobody waits for the rest.
func TestEarly(t *testing.T) {
	c := asking(t, &fakes.ICAP{Virus: "evil", Preview: 100, Early: true})
	if v, err := c.Scan(context.Background(), text("evil"+strings.Repeat("x", 1<<20))); err != nil || !v.Infected {
		t.Errorf("%+v, error %v", v, err)
	}
}

// unreadable fails in the middle.
type unreadable struct{ size int64 }

var errDisk = errors.New("the disk is broken")

func (u unreadable) Size() int64 { return u.size }

func (u unreadable) ReadAt(p []byte, off int64) (int, error) {
	if off >= u.size/2 {
		return 0, errDisk
	}
	return int(min(int64(len(p)), u.size/2-off)), nil
}

func TestUnreadable(t *testing.T) {
	for _, preview := range []int{-1, 0, 1024} {
		for _, size := range []int64{10, 1 << 20} {
			c := asking(t, &fakes.ICAP{Preview: preview})
			if _, err := c.Scan(context.Background(), unreadable{size}); !errors.Is(err, errDisk) {
				t.Errorf("preview %d, %d bytes: error %v", preview, size, err)
			}
		}
	}
}

func TestOptions(t *testing.T) {
	answer := "ICAP/1.0 200 OK\r\nMethods: RESPMOD, REQMOD\r\nService: AV/1\r\nISTag: \"db-7\"\r\nPreview: 999999999\r\nAllow: 204, 206\r\nOptions-TTL: 10\r\n\r\n"
	c := asking(t, &fakes.ICAP{Options: answer})
	o, err := c.Options(context.Background())
	want := Options{Service: "AV/1", ISTag: "db-7", Preview: mostPreview, Allow204: true, Method: "RESPMOD"}
	if err != nil || o != want {
		t.Errorf("%+v, error %v; want %+v", o, err, want)
	}
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"icap://scan.example.com/av":         "icap://scan.example.com:1344/av",
		"icaps://scan.example.com/av?x=1":    "icaps://scan.example.com:11344/av?x=1",
		"icap://[2001:db8::1]:1345/respmod":  "icap://[2001:db8::1]:1345/respmod",
		"icap://192.0.2.1:1344/avscan":       "icap://192.0.2.1:1344/avscan",
		"http://scan.example.com/av":         "",
		"icap://scan.example.com":            "",
		"icap://scan.example.com/":           "",
		"icap:///av":                         "",
		"icap://user@scan.example.com/av":    "",
		"unix:/run/clamav/clamd.ctl":         "",
		"icap://scan.example.com:notaport/x": "",
	} {
		c, err := New(address, nil)
		if (err != nil) != (want == "") || err == nil && c.String() != want {
			t.Errorf("%s: %v, error %v", address, c, err)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	c := asking(t, &fakes.ICAP{Virus: "evil", Preview: 1024})
	results := make(chan error, 64)
	for i := range cap(results) {
		go func() {
			s := strings.Repeat("x", i*1000)
			v, err := c.Scan(context.Background(), text(s+"evil"))
			if err == nil && !v.Infected {
				err = fmt.Errorf("%d bytes are clean", len(s))
			}
			results <- err
		}()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// inOrder reports whether s holds the bytes of want, in their order.
func inOrder(s, want string) bool {
	for _, b := range []byte(want) {
		i := strings.IndexByte(s, b)
		if i < 0 {
			return false
		}
		s = s[i+1:]
	}
	return true
}

// FuzzAnswer: no answer makes the client crash, wait or call clean what the server
// did not.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"ICAP/1.0 204 Unmodified\r\n\r\n", "ICAP/1.0 100 Continue\r\n\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=19\r\n\r\nHTTP/1.1 200 OK\r\n\r\n7\r\ncontent\r\n0\r\n\r\n",
		"ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; Threat=x;\r\n\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x := &conn{in: bufio.NewReaderSize(strings.NewReader(s), longestLine)}
		a, err := x.answer()
		if err != nil {
			return
		}
		v, err := x.verdict(a, request{body: responseBody, size: 7, may204: true}, text("content"))
		if err == nil && !v.Infected && a.status != statusUnmodified && !inOrder(s, "content") {
			t.Errorf("%q is clean", s)
		}
	})
}
