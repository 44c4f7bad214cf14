package bucket_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/bucket"
	"github.com/milterscan/milterscan/tests/fakes"
)

// open returns a bucket on a server, for mail of some patience.
func open(t *testing.T, s *fakes.S3, patience time.Duration) *bucket.Bucket {
	t.Helper()
	o := options(s.Start(t))
	o.Patience = patience
	return bucket.New(o)
}

func options(endpoint string) bucket.Options {
	word := func(s string) func() (string, error) { return func() (string, error) { return s, nil } }
	return bucket.Options{Endpoint: endpoint, Bucket: "mail", Region: "us-east-1", Prefix: "here/", PathStyle: true,
		AccessKey: word("key"), SecretKey: word("secret"), Patience: time.Minute}
}

func content(text string) bucket.Content {
	sum := sha256.Sum256([]byte(text))
	return bucket.Content{Size: int64(len(text)), SHA256: sum[:], Open: func() (io.Reader, error) { return strings.NewReader(text), nil }}
}

func read(b *bucket.Bucket, name string) (string, error) {
	r, _, err := b.Get(context.Background(), name)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), errors.Join(err, r.Close())
}

func list(t *testing.T, b *bucket.Bucket, begin string) (all []bucket.Object) {
	t.Helper()
	err := b.List(t.Context(), begin, func(page []bucket.Object) error { all = append(all, page...); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestObjects: what is written is read, each under its own name, until it is deleted.
func TestObjects(t *testing.T) {
	b := open(t, &fakes.S3{}, time.Minute)
	large := string(bytes.Repeat([]byte("0123456789abcdef"), 100_000))
	names := map[string]string{}
	for _, text := range []string{"x", "x", large} {
		name, err := b.Put(t.Context(), "day/", ".eml.gz", content(text))
		if err != nil || !strings.HasPrefix(name, "day/") || !strings.HasSuffix(name, ".eml.gz") {
			t.Fatalf("%q, %v", name, err)
		}
		names[name] = text
	}
	if len(names) != 3 {
		t.Fatalf("the names are %v", names)
	}
	for name, want := range names {
		if got, err := read(b, name); got != want || err != nil {
			t.Errorf("%s has %d bytes; want %d, %v", name, len(got), len(want), err)
		}
	}
	for _, o := range list(t, b, "day/") {
		if o.Size != int64(len(names[o.Name])) || time.Since(o.Time).Abs() > time.Hour {
			t.Errorf("listed: %+v", o)
		}
		for range 2 {
			if err := b.Delete(t.Context(), o.Name); err != nil {
				t.Error(err)
			}
		}
		if _, err := read(b, o.Name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("deleted: %v", err)
		}
	}
	if left := list(t, b, ""); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

// TestList: pages come in order and whole, however many there are.
func TestList(t *testing.T) {
	b := open(t, &fakes.S3{}, time.Minute)
	const objects = 1100
	for n := range objects {
		if _, err := b.Put(t.Context(), fmt.Sprintf("%05d-", n), "", content("x")); err != nil {
			t.Fatal(err)
		}
	}
	all := list(t, b, "")
	for n, o := range all {
		if !strings.HasPrefix(o.Name, fmt.Sprintf("%05d-", n)) {
			t.Fatalf("object %d is %s", n, o.Name)
		}
	}
	if len(all) != objects {
		t.Errorf("%d are listed", len(all))
	}
	stop := errors.New("enough")
	if err := b.List(t.Context(), "", func([]bucket.Object) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a list that was to end: %v", err)
	}
}

// TestFaults: a put that the server did not confirm is an error, in the time that mail has, and the next ones wait for
// nothing. One that was refused for a moment only succeeds.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		fault fakes.S3Fault
		want  string // in the error, "" for none
		puts  int
	}{
		{fakes.S3Busy, "", 3}, {fakes.S3SlowDown, "SlowDown", 3}, {fakes.S3Denies, "AccessDenied", 1}, {fakes.S3Cuts, "", 0},
		{fakes.S3Loses, "", 0}, {fakes.S3Hangs, "it did nothing for", 1}, {fakes.S3Stalls, "it did nothing for", 1},
	} {
		s, patience := &fakes.S3{}, time.Minute
		if strings.Contains(test.want, "nothing") {
			patience = time.Second
		}
		b := open(t, s, patience)
		s.Fail(test.fault)
		large := string(bytes.Repeat([]byte("0123456789abcdef"), 200_000))
		_, err := b.Put(t.Context(), "a", "", content(large))
		if fails := test.fault != fakes.S3Busy; (err != nil) != fails || fails && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.fault, err)
		}
		if got := s.Puts(); test.puts > 0 && got != test.puts {
			t.Errorf("%s: %d puts; want %d", test.fault, got, test.puts)
		}
		if err == nil {
			continue
		}
		before := s.Puts()
		if _, err := b.Put(t.Context(), "a", "", content("x")); err == nil || s.Puts() != before {
			t.Errorf("%s: the next message asked as well: %v", test.fault, err)
		}
	}
}

// TestOwnFault: what the server has no part in keeps no other mail from it.
func TestOwnFault(t *testing.T) {
	b := open(t, &fakes.S3{}, time.Minute)
	unreadable := errors.New("unreadable")
	c := content("text")
	c.Open = func() (io.Reader, error) {
		return io.MultiReader(strings.NewReader("te"), failing{unreadable}), nil
	}
	if _, err := b.Put(t.Context(), "a", "", c); !errors.Is(err, unreadable) {
		t.Errorf("unreadable content: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Put(ctx, "a", "", content("x")); err == nil {
		t.Error("a message whose sender has gone is kept")
	}
	if _, err := b.Put(t.Context(), "a", "", content("x")); err != nil {
		t.Errorf("the next message: %v", err)
	}
}

// failing is content that cannot be read.
type failing struct{ err error }

// Read fails.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestChecksum: content that has changed on its way is not taken.
func TestChecksum(t *testing.T) {
	b := open(t, &fakes.S3{}, time.Minute)
	c := content("text")
	c.SHA256 = bytes.Repeat([]byte{1}, sha256.Size)
	if _, err := b.Put(t.Context(), "a", "", c); err == nil || !strings.Contains(err.Error(), "Mismatch") {
		t.Errorf("another checksum: %v", err)
	}
	if all := list(t, b, ""); len(all) > 0 {
		t.Errorf("there is %v", all)
	}
}

// TestBrokenOff: what is read of an object that ends in the middle ends with an error.
func TestBrokenOff(t *testing.T) {
	s := &fakes.S3{}
	b := open(t, s, time.Minute)
	name, err := b.Put(t.Context(), "a", ".eml.gz", content(strings.Repeat("x", 100_000)))
	if err != nil {
		t.Fatal(err)
	}
	s.Fail(fakes.S3Breaks)
	if text, err := read(b, name); err == nil {
		t.Errorf("%d bytes are read as if they were all", len(text))
	}
}

// TestKeys: the key is read for each request, and is in no error.
func TestKeys(t *testing.T) {
	s := &fakes.S3{}
	o := options(s.Start(t))
	secret, asked := errors.New("no such file"), 0
	o.SecretKey = func() (string, error) { asked++; return "very-secret", secret }
	b := bucket.New(o)
	if err := b.Check(t.Context()); !errors.Is(err, secret) || !strings.Contains(err.Error(), "secret_key_file") {
		t.Errorf("without a key: %v", err)
	}
	secret = nil
	if err := b.Check(t.Context()); err != nil || asked < 2 {
		t.Errorf("with one: %v, asked %d times", err, asked)
	}
	s.Fail(fakes.S3Denies)
	if err := b.Check(t.Context()); err == nil || strings.Contains(err.Error(), "very-secret") {
		t.Errorf("a key that is refused: %v", err)
	}
}

// date returns the end that a rule sets to all objects.
func date(year int) string {
	return fmt.Sprintf("<Expiration><Date>%d-01-01T00:00:00Z</Date></Expiration>", year)
}

// rules is a lifecycle of a bucket.
const rules = `<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix>%s</Prefix></Filter>%s</Rule></LifecycleConfiguration>`

// TestExamine: a look at a bucket says what its server does and what its rules do, and leaves nothing in it.
func TestExamine(t *testing.T) {
	versions := `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`
	good := bucket.Facts{Conditional: true, Checked: true}
	with := func(change func(*bucket.Facts)) bucket.Facts { f := good; change(&f); return f }
	expire, old := `<Expiration><Days>3</Days></Expiration>`, `<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>`
	for name, test := range map[string]struct {
		server *fakes.S3
		want   bucket.Facts
	}{
		"good":      {&fakes.S3{}, good},
		"blind":     {&fakes.S3{Blind: true}, with(func(f *bucket.Facts) { f.Conditional = false })},
		"lax":       {&fakes.S3{Lax: true}, with(func(f *bucket.Facts) { f.Checked = false })},
		"lax blind": {&fakes.S3{Lax: true, Blind: true}, bucket.Facts{}},
		"versions": {&fakes.S3{Answers: map[string]string{"versioning": versions}},
			with(func(f *bucket.Facts) { f.Versioned = true })},
		"versions that go": {&fakes.S3{Answers: map[string]string{"versioning": versions, "lifecycle": fmt.Sprintf(rules, "", old)}},
			with(func(f *bucket.Facts) { f.Versioned, f.Forgets = true, true })},
		"expiry": {&fakes.S3{Answers: map[string]string{"lifecycle": fmt.Sprintf(rules, "here/", expire)}},
			with(func(f *bucket.Facts) { f.Expires = 3 })},
		"expiry by dates": {&fakes.S3{Answers: map[string]string{"lifecycle": fmt.Sprintf(rules, "here/", date(2031)+"</Rule><Rule><ID>b</ID><Status>Enabled</Status><Filter><Prefix>here/</Prefix></Filter>"+date(2030))}},
			with(func(f *bucket.Facts) { f.Ends = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) })},
		"expiry below": {&fakes.S3{Answers: map[string]string{"lifecycle": fmt.Sprintf(rules, "here/x", expire)}},
			with(func(f *bucket.Facts) { f.Expires = 3 })},
		"expiry elsewhere": {&fakes.S3{Answers: map[string]string{"lifecycle": fmt.Sprintf(rules, "there/", expire)}}, good},
	} {
		b := open(t, test.server, time.Minute)
		got, err := b.Examine(t.Context())
		if err != nil || got != test.want {
			t.Errorf("%s: %+v; want %+v, %v", name, got, test.want, err)
		}
		if left := list(t, b, ""); len(left) > 0 {
			t.Errorf("%s: left are %v", name, left)
		}
	}
	for fault, want := range map[fakes.S3Fault]string{fakes.S3Tires: "SlowDown", fakes.S3Clings: "AccessDenied"} {
		s := &fakes.S3{Blind: true}
		b := open(t, s, time.Minute)
		s.Fail(fault)
		if f, err := b.Examine(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", fault, f, err)
		}
	}
	o := options((&fakes.S3{Bucket: "other"}).Start(t))
	b := bucket.New(o)
	if _, err := b.Examine(t.Context()); err == nil || !strings.Contains(err.Error(), "no such bucket") {
		t.Errorf("without the bucket: %v", err)
	}
}

// TestCheck names what is wrong with options.
func TestCheck(t *testing.T) {
	for _, test := range []struct {
		change func(*bucket.Options)
		want   string // the key, "" for none
	}{
		{func(*bucket.Options) {}, ""},
		{func(o *bucket.Options) { o.Endpoint = "http://127.0.0.1:9000" }, ""},
		{func(o *bucket.Options) { o.Endpoint = "http://s3.example.com" }, "endpoint"},
		{func(o *bucket.Options) { o.Endpoint = "https://key:secret@s3.example.com" }, "endpoint"},
		{func(o *bucket.Options) { o.Endpoint = "s3.example.com" }, "endpoint"},
		{func(o *bucket.Options) { o.Endpoint = "https://s3.example.com/mail" }, "endpoint"},
		{func(o *bucket.Options) { o.Bucket = "A B" }, "bucket"},
		{func(o *bucket.Options) { o.Prefix = "" }, ""},
		{func(o *bucket.Options) { o.Prefix = "/x/" }, "prefix"},
		{func(o *bucket.Options) { o.Prefix = "x" }, "prefix"},
		{func(o *bucket.Options) { o.Prefix = strings.Repeat("x", 600) + "/" }, "prefix"},
		{func(o *bucket.Options) { o.Key = "arn" }, "encryption_key"},
		{func(o *bucket.Options) { o.Key, o.Encryption = "arn", bucket.EncryptKMS }, ""},
	} {
		o := options("https://s3.example.com")
		test.change(&o)
		err := o.Check()
		if (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want+": ") {
			t.Errorf("want an error of %q, got %v", test.want, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret@") {
			t.Errorf("the error has the key: %v", err)
		}
	}
}
