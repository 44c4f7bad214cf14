package feed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/format/listing"
)

// Bounds of fetching.
const (
	mostRedirects = 5
	mostSignature = 8 << 10
	ahead         = 24 * time.Hour // how far clocks may differ
	leastShare    = 10             // of a hundred entries that the last list had
)

// version is what a publisher says of a list, to tell whether there is a newer one.
type version struct {
	ETag     string    `json:"etag,omitempty"`
	Modified time.Time `json:"modified,omitzero"` // as the server says
	Signed   time.Time `json:"signed,omitzero"`   // as the signature says
}

// list is a list that was fetched.
type list struct {
	version
	table  *listing.Table
	counts listing.Counts
	bytes  int
}

// errSame says that the list is the one that is known.
var errSame = errors.New("the list has not changed")

// newClient returns a client that follows no redirection to where no list may be fetched.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // they are asked once an hour
	transport.MaxResponseHeaderBytes = 64 << 10
	return &http.Client{Transport: transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > mostRedirects || !fetchable(r.URL.String()) || via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
			return fmt.Errorf("it is redirected to %s, which is not followed", r.URL.Redacted())
		}
		return nil
	}}
}

// fetch fetches a list. known describes the last one; the error is errSame if it is still there.
func (c Config) fetch(ctx context.Context, client *http.Client, known version) (*list, error) {
	answer, err := get(ctx, client, c.URL, known)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	l := &list{version: version{ETag: answer.Header.Get("ETag")}}
	if at, err := http.ParseTime(answer.Header.Get("Last-Modified")); err == nil && at.Before(time.Now().Add(ahead)) {
		l.Modified = at
	}
	text, err := read(answer.Body, int64(c.MaxSize))
	if err != nil {
		return nil, err
	}
	if err := c.prove(ctx, client, l, text); err != nil {
		return nil, err
	}
	l.bytes = len(text)
	l.table, l.counts, err = listing.Read(bytes.NewReader(text), c.syntax())
	return l, err
}

// get asks for a file. The error is errSame if it is the one that is known.
func get(ctx context.Context, client *http.Client, url string, known version) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "milterscan")
	if known.ETag != "" {
		r.Header.Set("If-None-Match", known.ETag)
	}
	if !known.Modified.IsZero() {
		r.Header.Set("If-Modified-Since", known.Modified.UTC().Format(http.TimeFormat))
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	answer.Body.Close()
	if answer.StatusCode == http.StatusNotModified && (known.ETag != "" || !known.Modified.IsZero()) {
		return nil, errSame
	}
	return nil, fmt.Errorf("%s: the server answers %s", url, answer.Status)
}

// read reads a file of no more than a number of bytes.
func read(r io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("after %d bytes: %w", len(text), err)
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("it has more than %d bytes", most)
	}
	return text, nil
}

// prove returns an error unless a text has the sum or the signature that the configuration asks
// for.
func (c Config) prove(ctx context.Context, client *http.Client, l *list, text []byte) error {
	if sum := sha256.Sum256(text); c.SHA256 != "" && hex.EncodeToString(sum[:]) != strings.ToLower(c.SHA256) {
		return fmt.Errorf("its SHA-256 is %x, and not the one of the configuration", sum)
	}
	key, err := c.key()
	if key == nil || err != nil {
		return err
	}
	answer, err := get(ctx, client, c.URL+".minisig", version{})
	if err != nil {
		return fmt.Errorf("the signature: %w", err)
	}
	defer answer.Body.Close()
	signature, err := read(answer.Body, mostSignature)
	if err != nil {
		return fmt.Errorf("the signature: %w", err)
	}
	l.Signed, err = verify(key, text, signature)
	if err == nil && l.Signed.After(time.Now().Add(ahead)) {
		err = fmt.Errorf("it was signed in the future, at %v", l.Signed.UTC())
	}
	return err
}

// errDoubtful says that a list is one, and not what follows the last one. An administrator may
// have it taken all the same.
var errDoubtful = errors.New("\"milterscan feed update --force\" takes it all the same")

// follows returns an error if a list goes back in time, or has lost nearly all of its entries.
func (l *list) follows(last version, entries int) error {
	switch {
	case l.Signed.Before(last.Signed):
		return fmt.Errorf("it was signed at %v, before the last one, at %v; %w", l.Signed.UTC(), last.Signed.UTC(), errDoubtful)
	case last.Signed.IsZero() && !l.Modified.IsZero() && l.Modified.Before(last.Modified):
		return fmt.Errorf("it is of %v, older than the last one, of %v; %w", l.Modified.UTC(), last.Modified.UTC(), errDoubtful)
	case l.table.Len()*100 < entries*leastShare:
		return fmt.Errorf("it has %d entries, and the last one had %d; %w", l.table.Len(), entries, errDoubtful)
	case l.table.Len() == 0 && entries == 0:
		return fmt.Errorf("it has no entries; %w", errDoubtful)
	}
	return nil
}
