package integration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/bucket"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/quarantinetest"
	vault "github.com/milterscan/milterscan/policy/keep/quarantine/shared"
	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// s3Text returns a section [store.s3] for a server.
func s3Text(t *testing.T, s *fakes.S3) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"access", "secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name+" key\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("[store.s3]\nendpoint = %q\nbucket = \"mail\"\nprefix = \"milterscan/\"\npath_style = true\naccess_key_file = %q\nsecret_key_file = %q\n",
		s.Start(t), filepath.Join(dir, "access"), filepath.Join(dir, "secret"))
}

// boxOf returns the bucket of a section, for mail of some patience.
func boxOf(t *testing.T, pg *servers.Postgres, text, patience string) *bucket.Bucket {
	t.Helper()
	return storeSection(t, pg, fmt.Sprintf("timeout = %q\n%s", patience, text)).Objects()
}

// boxed returns the store of a host that has messages in a bucket.
func boxed(s *vault.Store, b vault.Bucket) *vault.Store { return s.WithObjects(vault.NewObjects(b)) }

// objectsOf lists the objects of a bucket.
func objectsOf(t *testing.T, b *bucket.Bucket) (names []string) {
	t.Helper()
	err := b.List(context.WithoutCancel(t.Context()), "", func(page []bucket.Object) error {
		for _, o := range page {
			names = append(names, o.Name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestSharedQuarantineInBucket: what every store promises, two hosts with one database and one bucket promise, also where
// one of them has yet to be told of the bucket. No object is left that no entry has.
func TestSharedQuarantineInBucket(t *testing.T) {
	needServers(t)
	pg, s := servers.StartPostgres(t, ""), &fakes.S3{}
	here, there := prepared(t, pg), prepared(t, pg)
	text := s3Text(t, s)
	one, two := boxOf(t, pg, text, "10s"), boxOf(t, pg, text, "10s")
	quarantinetest.Run(t, func(t *testing.T) (quarantine.Store, quarantine.Store) {
		pg.SQL(t, quarantineTables)
		for _, name := range objectsOf(t, one) {
			if err := one.Delete(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		mx1 := boxed(vault.New(here, "mx1"), one)
		t.Cleanup(func() {
			if _, err := mx1.Expire(context.WithoutCancel(t.Context()), quarantine.Retention{}, time.Now()); err != nil {
				t.Error(err)
			}
			rows := pg.SQL(t, "SELECT count(*) FROM quarantine_object")
			if got := fmt.Sprint(len(objectsOf(t, one))); got != rows || pg.SQL(t, "SELECT count(*) FROM quarantine_object WHERE id IS NULL") != "0" {
				t.Errorf("%s objects are left, and %s rows of objects", got, rows)
			}
			if got := pg.SQL(t, "SELECT count(*) FROM quarantine_body"); got != "0" {
				t.Errorf("%s pieces are in the database", got)
			}
		})
		return mx1, boxed(vault.New(there, "mx2"), two)
	})
}

// TestBucketFaults: a message is kept as a whole, with its entry and its object, or not at all. It is read only as it was.
func TestBucketFaults(t *testing.T) {
	needServers(t)
	pg, server := servers.StartPostgres(t, ""), &fakes.S3{}
	text, state := s3Text(t, server), prepared(t, pg)
	box := boxOf(t, pg, text, "10s")
	s := boxed(vault.New(state, "mx1"), box)
	keep := func(s *vault.Store, n int) error {
		return s.Keep(t.Context(), policy.Copy{Record: quarantinetest.Record(n), Raw: &repeated{size: 700_000}})
	}
	for i, fault := range []fakes.S3Fault{fakes.S3Hangs, fakes.S3Stalls, fakes.S3SlowDown, fakes.S3Denies, fakes.S3Cuts, fakes.S3Loses} {
		impatient := boxed(vault.New(state, "mx1"), boxOf(t, pg, text, "1s"))
		if err := keep(impatient, 100+i); err != nil {
			t.Fatalf("before it %s: %v", fault, err)
		}
		server.Fail(fault)
		if err := keep(impatient, 200+i); err == nil {
			t.Errorf("%s: a message is kept", fault)
		}
		server.Fail("")
		if _, err := s.Entry(t.Context(), quarantinetest.ID(200+i)); !errors.Is(err, quarantine.ErrUnknown) {
			t.Errorf("%s: it has an entry: %v", fault, err)
		}
		if got := readMessage(s, 100+i); got != nil {
			t.Errorf("%s: the one before: %v", fault, got)
		}
	}
	for n := range 5 {
		if err := keep(s, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := keep(s, 0); err == nil {
		t.Error("two messages have one id")
	}
	lose(t, pg, box, 1)
	change(t, pg, box, 2, func(b []byte) []byte { b[len(b)/2]++; return b })
	change(t, pg, box, 3, func(b []byte) []byte { return b[:len(b)-1] })
	for n, bad := range map[int]bool{0: false, 1: true, 2: true, 3: true, 4: false} {
		err := readMessage(s, n)
		if (err != nil) != bad {
			t.Errorf("message %d: %v", n, err)
		}
		x := quarantine.Releaser{Store: s, Sender: refusing{t}, Key: func() ([]byte, error) { return make([]byte, 32), nil }, Now: time.Now}
		if !bad {
			continue
		}
		if _, err := x.Release(t.Context(), quarantine.Order{ID: quarantinetest.ID(n)}); err == nil {
			t.Errorf("message %d is released", n)
		}
		if e, err := s.Entry(t.Context(), quarantinetest.ID(n)); err != nil || e.State != quarantine.Kept {
			t.Errorf("message %d: then %s, %v", n, e.State, err)
		}
	}
	if err := readMessage(vault.New(state, "mx2"), 0); err == nil || !strings.Contains(err.Error(), "[store.s3]") {
		t.Errorf("a host without the bucket: %v", err)
	}
	server.Fail(fakes.S3Breaks)
	if err := readMessage(s, 0); err == nil {
		t.Error("half of a message is read as if it were all")
	}
}

// TestOrphans: an object without an entry is removed when it is old, and not before; an entry that comes late does not get it.
// What belongs to others in the same bucket stays, and what was deleted while the bucket was away goes later.
func TestOrphans(t *testing.T) {
	needServers(t)
	pg, server := servers.StartPostgres(t, ""), &fakes.S3{}
	text, state := s3Text(t, server), prepared(t, pg)
	box := boxOf(t, pg, text, "10s")
	s := boxed(vault.New(state, "mx1"), box)
	for n := range 3 {
		quarantinetest.Keep(t, s, quarantinetest.Record(n))
	}
	folder, _, _ := strings.Cut(objectOf(t, pg, 0), "/")
	var names []string
	for _, begin := range []string{folder + "/2026-03-04/06h08cfwgrgb0009-", "another/2026-03-04/06h08cfwgrgb0009-"} {
		name, err := box.Put(t.Context(), begin, ".eml.gz", putting([]byte("x")))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	orphan, others := names[0], names[1]
	expire := func(ahead time.Duration) {
		t.Helper()
		pg.SQL(t, "UPDATE quarantine_folder SET swept = '-infinity'; UPDATE quarantine_object SET tried = NULL")
		if _, err := s.Expire(t.Context(), quarantine.Retention{}, time.Now().Add(ahead)); err != nil {
			t.Error(err)
		}
	}
	for _, ahead := range []time.Duration{0, 6 * 24 * time.Hour, 1000 * time.Hour} { // the clock of the database does not say so
		if expire(ahead); len(objectsOf(t, box)) != 5 {
			t.Errorf("%v later: the objects are %v", ahead, objectsOf(t, box))
		}
	}
	server.Fail(fakes.S3Denies)
	if err := s.Delete(t.Context(), quarantinetest.ID(1), quarantine.Event{Time: time.Now(), What: "delete", By: "ann"}); err != nil {
		t.Errorf("while the bucket is away: %v", err)
	}
	if _, err := s.Expire(t.Context(), quarantine.Retention{}, time.Now()); err == nil || !strings.Contains(err.Error(), "not removed yet") {
		t.Errorf("while the bucket is away: %v", err)
	}
	server.Fail("")
	if expire(0); len(objectsOf(t, box)) != 4 {
		t.Errorf("after a deletion: the objects are %v", objectsOf(t, box))
	}
	aged := boxed(vault.New(state, "mx2"), oldBucket{box})
	pg.SQL(t, "UPDATE quarantine_folder SET swept = '-infinity'")
	if _, err := aged.Expire(t.Context(), quarantine.Retention{}, time.Now()); err != nil {
		t.Error(err)
	}
	left := objectsOf(t, box)
	if slices.Contains(left, orphan) || !slices.Contains(left, others) || len(left) != 3 {
		t.Errorf("when it is old: the objects are %v", left)
	}
	for _, n := range []int{0, 2} {
		if err := readMessage(s, n); err != nil {
			t.Errorf("message %d: %v", n, err)
		}
	}
	late := lateBucket{box, func(name string) { pg.SQL(t, fmt.Sprintf("INSERT INTO quarantine_object (name) VALUES ('%s')", name)) }}
	err := boxed(vault.New(state, "mx1"), late).Keep(t.Context(), policy.Copy{Record: quarantinetest.Record(7), Raw: strings.NewReader("x")})
	if _, unknown := s.Entry(t.Context(), quarantinetest.ID(7)); err == nil || !errors.Is(unknown, quarantine.ErrUnknown) {
		t.Errorf("an object that is to be removed gets an entry: %v, %v", err, unknown)
	}
}

// oldBucket is a bucket whose objects are all eight days old.
type oldBucket struct{ *bucket.Bucket }

// List says so.
func (b oldBucket) List(ctx context.Context, begin string, use func([]bucket.Object) error) error {
	return b.Bucket.List(ctx, begin, func(page []bucket.Object) error {
		for i := range page {
			page[i].Time = page[i].Time.Add(-8 * 24 * time.Hour)
		}
		return use(page)
	})
}

// lateBucket is a bucket after whose puts something happens.
type lateBucket struct {
	*bucket.Bucket
	after func(name string)
}

// Put does so.
func (b lateBucket) Put(ctx context.Context, begin, end string, c bucket.Content) (string, error) {
	name, err := b.Bucket.Put(ctx, begin, end, c)
	b.after(name)
	return name, err
}

// readMessage reads a message to its end.
func readMessage(s quarantine.Store, n int) error {
	r, err := s.Open(context.Background(), quarantinetest.ID(n))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}

// objectOf returns the name of the object of a message.
func objectOf(t *testing.T, pg *servers.Postgres, n int) string {
	t.Helper()
	return pg.SQL(t, fmt.Sprintf("SELECT name FROM quarantine_object WHERE id = '%s'", quarantinetest.ID(n)))
}

// lose removes the object of a message, as others may.
func lose(t *testing.T, pg *servers.Postgres, b *bucket.Bucket, n int) {
	t.Helper()
	if err := b.Delete(t.Context(), objectOf(t, pg, n)); err != nil {
		t.Fatal(err)
	}
}

// change puts something else in place of the object of a message, as others may.
func change(t *testing.T, pg *servers.Postgres, b *bucket.Bucket, n int, alter func([]byte) []byte) {
	t.Helper()
	name := objectOf(t, pg, n)
	r, _, err := b.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	lose(t, pg, b, n)
	other, err := b.Put(t.Context(), strings.TrimSuffix(name, ".eml.gz"), ".eml.gz", putting(alter(text)))
	if err != nil {
		t.Fatal(err)
	}
	pg.SQL(t, fmt.Sprintf("UPDATE quarantine_object SET name = '%s' WHERE name = '%s'", other, name))
}

// putting returns what becomes an object.
func putting(text []byte) bucket.Content {
	sum := sha256.Sum256(text)
	return bucket.Content{Size: int64(len(text)), SHA256: sum[:], Open: func() (io.Reader, error) { return bytes.NewReader(text), nil }}
}
