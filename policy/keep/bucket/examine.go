package bucket

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
)

// Facts are what a look at a bucket shows.
type Facts struct {
	Conditional bool          // an object is not written over, if the put says so
	Checked     bool          // an object with another checksum than the put says is not taken
	Drift       time.Duration // how far the clock of this host is ahead of that of the server
	// Versioned says that what is deleted stays as an old version, and Forgets that a rule removes these.
	Versioned, Forgets bool
	Expires            int       // days after which a rule removes objects that nobody has deleted; 0: none does
	Ends               time.Time // when a rule removes all that there are, and all later ones; zero: none does
}

// Examine looks at the bucket. It writes an object of a few bytes, reads it, tries to write over it, and removes it.
func (b *Bucket) Examine(ctx context.Context) (f Facts, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := b.Check(ctx); err != nil {
		return f, err
	}
	client, err := b.client()
	if err == nil {
		err = b.probe(ctx, client, &f)
	}
	if err != nil {
		return f, b.named(err)
	}
	if v, err := client.GetBucketVersioning(ctx, b.options.Bucket); err == nil {
		f.Versioned = v.Enabled()
	}
	if rules, err := client.GetBucketLifecycle(ctx, b.options.Bucket); err == nil {
		f.read(rules.Rules, b.options.Prefix)
	}
	return f, nil
}

// probe tries with an object how the server behaves.
func (b *Bucket) probe(ctx context.Context, client *minio.Core, f *Facts) error {
	name := "probe/" + rand.Text()
	defer b.Delete(context.WithoutCancel(ctx), name)
	put := func(text, sum string) error {
		s := sha256.Sum256([]byte(sum))
		return b.write(ctx, client, name, strings.NewReader(text), int64(len(text)), s[:])
	}
	var err error
	f.Checked, err = refuses(put("other", "probe"), http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity)
	if err != nil {
		return err
	}
	if !f.Checked {
		if err := b.remove(ctx, name); err != nil {
			return err
		}
	}
	begun := time.Now()
	if err := put("probe", "probe"); err != nil {
		return err
	}
	if f.Conditional, err = refuses(put("other", "other"), http.StatusPreconditionFailed, http.StatusConflict); err != nil {
		return err
	}
	r, _, err := b.Get(ctx, name)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(r, 100))
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	want := []byte("probe")
	if !f.Conditional {
		want = []byte("other")
	}
	if !bytes.Equal(text, want) {
		return errProbe
	}
	if err := b.clock(ctx, client, name, begun, f); err != nil {
		return err
	}
	return b.remove(ctx, name)
}

// refuses reports whether a server has refused a put that it should refuse, which it says by one of some statuses. What else
// went wrong says nothing of that.
func refuses(err error, statuses ...int) (bool, error) {
	if err == nil || slices.Contains(statuses, minio.ToErrorResponse(err).StatusCode) {
		return err != nil, nil
	}
	return false, err
}

var errProbe = errors.New("an object that was just written reads as something else")

// clock compares the clocks, by the time that an object of a moment ago has. The server tells whole seconds.
func (b *Bucket) clock(ctx context.Context, client *minio.Core, name string, begun time.Time, f *Facts) error {
	info, err := client.StatObject(ctx, b.options.Bucket, b.options.Prefix+name, minio.StatObjectOptions{})
	if err != nil {
		return err
	}
	written := info.LastModified
	switch now := time.Now(); {
	case written.Before(begun.Add(-time.Second)):
		f.Drift = begun.Sub(written)
	case written.After(now):
		f.Drift = now.Sub(written)
	}
	return nil
}

// read finds what rules do to our objects. A rule for tagged objects, or for some sizes, concerns none or some of ours: it counts.
func (f *Facts) read(rules []lifecycle.Rule, prefix string) {
	for _, r := range rules {
		of := r.RuleFilter.Prefix + r.RuleFilter.And.Prefix + r.Prefix
		if r.Status != "Enabled" || !strings.HasPrefix(prefix, of) && !strings.HasPrefix(of, prefix) {
			continue
		}
		f.Forgets = f.Forgets || r.NoncurrentVersionExpiration.NoncurrentDays > 0 || r.NoncurrentVersionExpiration.NewerNoncurrentVersions > 0
		if days := int(r.Expiration.Days); days > 0 && (f.Expires == 0 || days < f.Expires) {
			f.Expires = days
		}
		if end := r.Expiration.Date.Time; !end.IsZero() && (f.Ends.IsZero() || end.Before(f.Ends)) {
			f.Ends = end
		}
	}
}
