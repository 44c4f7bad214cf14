// Package bucket keeps bytes as objects in a bucket of S3. An object is written once, under a name that was never used.
package bucket

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"github.com/milterscan/milterscan/scan/breaker"
)

// Bucket is where objects are. It may be used by any number of goroutines.
type Bucket struct {
	options Options
	puts    breaker.Breaker

	mu        sync.Mutex
	opened    *minio.Core // nil until it is used
	transport *http.Transport
}

// New returns a bucket, of which nothing is asked yet.
func New(o Options) *Bucket { return &Bucket{options: o} }

// client returns what makes requests.
func (b *Bucket) client() (*minio.Core, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opened != nil {
		return b.opened, nil
	}
	t, err := b.options.transport()
	if err != nil {
		return nil, err
	}
	if b.opened, err = b.options.client(t); err == nil {
		b.transport = t
	}
	return b.opened, err
}

// Close closes all connections. They are opened again if they are used again.
func (b *Bucket) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opened != nil {
		b.transport.CloseIdleConnections()
		b.opened = nil
	}
	return nil
}

// Place returns where the bucket is: "s3.example.com/mail".
func (b *Bucket) Place() string { return b.options.place() }

// Content is what becomes an object.
type Content struct {
	Size   int64
	SHA256 []byte
	Open   func() (io.Reader, error) // called for each try
}

// Times of calls.
const (
	callTime = 20 * time.Second // that other work than mail waits for each piece of an answer
	tries    = 3                // of a put that the server was too busy for
	pause    = 200 * time.Millisecond
)

// Put writes an object, whose name begins and ends with some letters, and returns the name. It returns when the server
// has it on its disks. Mail waits for it: between two pieces of 512 KB, and for the answer, no longer than its patience,
// and not at all while the server makes others wait in vain. After an error an object may be there that nothing names.
func (b *Bucket) Put(ctx context.Context, begin, end string, c Content) (name string, err error) {
	if !b.puts.MayTry(time.Now()) {
		return "", b.named(breaker.ErrRests)
	}
	for try := 1; ; try++ {
		name = begin + rand.Text() + end
		if err = b.put(ctx, name, c); err == nil || try == tries || !busy(err) {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + mathrand.N(pause)):
		}
	}
	var ours refusal
	if errors.As(err, &ours) {
		b.puts.Note(time.Now(), false)
		return name, ours.error
	}
	b.puts.Note(time.Now(), err != nil && ctx.Err() == nil)
	return name, b.named(err)
}

// refusal is an error that is none of the server's.
type refusal struct{ error }

// Unwrap returns the error.
func (r refusal) Unwrap() error { return r.error }

// put tries once.
func (b *Bucket) put(ctx context.Context, name string, c Content) error {
	client, err := b.client()
	if err != nil {
		return err
	}
	from, err := c.Open()
	if err != nil {
		return refusal{err}
	}
	ctx, r := patiently(ctx, b.options.Patience, from)
	defer r.end()
	err = b.write(ctx, client, name, r, c.Size, c.SHA256)
	if err != nil && r.failed != nil {
		return refusal{r.failed}
	}
	return r.why(err)
}

// write asks the server for a new object of so many bytes with a checksum.
func (b *Bucket) write(ctx context.Context, client *minio.Core, name string, r io.Reader, size int64, sha256 []byte) error {
	o := minio.PutObjectOptions{ContentType: "application/octet-stream", DisableMultipart: true, DisableContentSha256: true,
		ServerSideEncryption: b.options.encryption()}
	o.SetMatchETagExcept("*")
	_, err := client.PutObject(ctx, b.options.Bucket, b.options.Prefix+name, r, size, "", hex.EncodeToString(sha256), o)
	return err
}

// encryption returns the header by which the server is asked to encrypt an object; nil for none.
func (o Options) encryption() encrypt.ServerSide {
	switch o.Encryption {
	case EncryptOwn:
		return encrypt.NewSSE()
	case EncryptKMS:
		if s, err := encrypt.NewSSEKMS(o.Key, nil); err == nil {
			return s
		}
	}
	return nil
}

// Get opens an object; the error is fs.ErrNotExist if there is none. The caller closes it. Reading it fails where the
// server gives nothing for twenty seconds.
func (b *Bucket) Get(ctx context.Context, name string) (r io.ReadCloser, size int64, err error) {
	client, err := b.client()
	if err != nil {
		return nil, 0, b.named(err)
	}
	ctx, p := patiently(ctx, callTime, nil)
	body, info, _, err := client.GetObject(ctx, b.options.Bucket, b.options.Prefix+name, minio.GetObjectOptions{})
	if err != nil {
		defer p.end()
		return nil, 0, b.named(p.why(err))
	}
	return b.reading(p, body), info.Size, nil
}

// reading returns an object whose reading begins whenever its reader likes.
func (b *Bucket) reading(p *patient, body io.ReadCloser) *object {
	p.impatience.Stop()
	p.from = body
	return &object{p, body, b}
}

// object is one that is being read.
type object struct {
	*patient
	body io.Closer
	b    *Bucket
}

// Read reads, and names the bucket in its errors. What its reader does until the next one may take any time.
func (o *object) Read(p []byte) (int, error) {
	n, err := o.patient.Read(p)
	o.impatience.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = o.b.named(o.why(err))
	}
	return n, err
}

// Close ends the reading.
func (o *object) Close() error {
	o.end()
	return o.body.Close()
}

// Delete removes an object. One that is not there is removed.
func (b *Bucket) Delete(ctx context.Context, name string) error { return b.named(b.remove(ctx, name)) }

func (b *Bucket) remove(ctx context.Context, name string) error {
	client, err := b.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = client.RemoveObject(ctx, b.options.Bucket, b.options.Prefix+name, minio.RemoveObjectOptions{})
	if errors.Is(known(err), fs.ErrNotExist) {
		return nil
	}
	return err
}

// Object is one of a list.
type Object struct {
	Name string
	Size int64
	Time time.Time // when it was written, by the clock of the server
}

// pageSize is how many objects are asked for at once.
const pageSize = 1000

// List calls use with objects whose names begin with some letters, in pages and in the order of their bytes.
func (b *Bucket) List(ctx context.Context, begin string, use func([]Object) error) error {
	client, err := b.client()
	if err != nil {
		return b.named(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	impatience := time.AfterFunc(callTime, cancel)
	defer impatience.Stop()
	var page []Object
	o := minio.ListObjectsOptions{Prefix: b.options.Prefix + begin, Recursive: true, MaxKeys: pageSize}
	for one := range client.ListObjectsIter(ctx, b.options.Bucket, o) {
		if one.Err != nil {
			return b.named(one.Err)
		}
		page = append(page, Object{strings.TrimPrefix(one.Key, b.options.Prefix), one.Size, one.LastModified})
		if len(page) < pageSize {
			continue
		}
		impatience.Stop()
		if err := use(page); err != nil {
			return err
		}
		page = nil
		impatience.Reset(callTime)
	}
	if err := ctx.Err(); err != nil {
		return b.named(err)
	}
	if len(page) == 0 {
		return nil
	}
	return use(page)
}

// Check returns why the bucket cannot be used now.
func (b *Bucket) Check(ctx context.Context) error {
	client, err := b.client()
	if err != nil {
		return b.named(err)
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	there, err := client.BucketExists(ctx, b.options.Bucket)
	if err == nil && !there {
		err = errNoBucket
	}
	return b.named(err)
}

var errNoBucket = errors.New("there is no such bucket; make it, or correct store.s3.bucket")

// named returns an error with the name of the bucket.
func (b *Bucket) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("bucket %s: %w", b.Place(), known(err))
}

// known returns fs.ErrNotExist for an object that is not there.
func known(err error) error {
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// busy reports whether a put may succeed a moment later, under another name.
func busy(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	switch minio.ToErrorResponse(err).StatusCode {
	case 0: // no answer: the connection ended
		return minio.IsNetworkOrHostDown(err, false)
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
