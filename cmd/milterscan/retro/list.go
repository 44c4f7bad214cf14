// Package retro looks for earlier mail with files and hosts that are on a list now, and were recorded
// when the mail came.
package retro

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/format/listing"
	"github.com/milterscan/milterscan/scan/units"
)

// List is a list that records are compared with.
type List struct {
	Name    string // of a feed, or of a file
	Sort    history.Sort
	Entries int      // that can be compared
	Notes   []string // about those that cannot

	has   func(value string) bool
	entry func(value string, size int64) (entry string, ok bool) // by which a value is listed
	// found returns the rule of the finding by which mail with an entry would be judged.
	found func(entry string) string
}

// largest is how many bytes a file may have.
const largest = 512 * units.MB

// Errors of lists that cannot be compared.
var (
	errEmpty = errors.New("it holds no entry that can be compared")
	errPages = errors.New("it lists pages; the history has the hosts of links, and not their pages")
	errOther = errors.New("it has MD5 and SHA-1 only, and the history has SHA-256")
)

// Comparable reports whether a list that cannot be compared now may be at another time.
func Comparable(err error) bool {
	return !errors.Is(err, errEmpty) && !errors.Is(err, errPages) && !errors.Is(err, errOther)
}

// FromTable makes a list of a table.
func FromTable(name string, t *listing.Table) (List, error) {
	l := List{Name: name, Entries: t.Len()}
	switch t.Kind {
	case listing.URLs:
		return l, errPages
	case listing.Hosts:
		l.Sort, l.entry = history.Hosts, func(v string, _ int64) (string, bool) { return t.Host(v) }
	case listing.Networks:
		l.Sort, l.entry = history.Clients, func(v string, _ int64) (string, bool) { return v, t.Has(v) }
	case listing.Hashes:
		l.Sort, l.entry = history.Parts, func(v string, _ int64) (string, bool) { return "", t.Sum([]byte(v)) }
		if t.Len() > 0 && !t.HasSums(len(scan.Sum{})) {
			return l, errOther
		}
		if t.HasSums(16) || t.HasSums(20) {
			l.Notes = append(l.Notes, "its MD5 and SHA-1 are not compared: the history has SHA-256")
		}
	}
	if l.Entries == 0 {
		return l, errEmpty
	}
	l.has = func(v string) bool { _, ok := l.entry(v, 0); return ok }
	l.found = func(string) string { return "" }
	return l, nil
}

// FromFeed makes a list of the table of a feed.
func FromFeed(name string, t *listing.Table) (List, error) {
	l, err := FromTable(name, t)
	rule := map[history.Sort]string{
		history.Parts: "feed/file/", history.Hosts: "feed/link/", history.Clients: "feed/client/",
	}[l.Sort] + name
	l.found = func(string) string { return rule }
	return l, err
}

// FromSignatures makes a list of a file with hashes and names, as ClamAV's .hdb and .hsb.
func FromSignatures(file string) (List, error) {
	l := List{Name: file, Sort: history.Parts, found: virus.Signature}
	k, err := virus.LoadKnown(file)
	if err != nil {
		return l, err
	}
	var others int
	l.Entries, others = k.Len()
	switch {
	case l.Entries == 0 && others > 0:
		return l, errOther
	case l.Entries == 0:
		return l, errEmpty
	case others > 0:
		l.Notes = append(l.Notes,
			fmt.Sprintf("%d entries are MD5 or SHA-1 and are not compared: the history has SHA-256", others))
	}
	l.has = func(v string) bool { return len(v) == len(scan.Sum{}) && k.Has(scan.Sum([]byte(v))) }
	l.entry = func(v string, size int64) (string, bool) {
		if !l.has(v) {
			return "", false
		}
		return k.Name(scan.Sum([]byte(v)), size)
	}
	return l, nil
}

// FromFile makes a list of a file, "-" for standard input. Without a kind it goes by the content.
func FromFile(file string, kind listing.Kind, in io.Reader) (List, error) {
	if kind == "" && isSignatures(file) {
		l, err := FromSignatures(file)
		return l, naming(file, err)
	}
	text, err := load(file, in)
	if err != nil {
		return List{}, err
	}
	kinds := []listing.Kind{kind}
	if kind == "" {
		kinds = []listing.Kind{listing.Hashes, listing.Hosts}
	}
	var wrong []string
	for _, k := range kinds {
		t, n, err := listing.Read(bytes.NewReader(text), listing.Syntax{Kind: k, Format: listing.Plain})
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("as a list of %s: %v", k, err))
			continue
		}
		l, err := FromTable(file, t)
		if n.Wrong > 0 {
			l.Notes = append(l.Notes, fmt.Sprintf("%d of %d lines hold no entry and are left out, such as %q",
				n.Wrong, n.Lines, n.Sample[0]))
		}
		return l, naming(file, err)
	}
	return List{}, naming(file, errors.New(strings.Join(wrong, "; ")))
}

// naming adds the name of the file to an error that does not have it.
func naming(file string, err error) error {
	if err == nil || strings.Contains(err.Error(), file) {
		return err
	}
	return fmt.Errorf("%s: %w", file, err)
}

// isSignatures reports whether a file is one of ClamAV's, by its name.
func isSignatures(file string) bool {
	return slices.Contains([]string{".hdb", ".hsb", ".hdu", ".hsu"}, strings.ToLower(filepath.Ext(file)))
}

// load reads a file that is not too large.
func load(file string, in io.Reader) ([]byte, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, int64(largest)+1))
	if err == nil && len(text) > int(largest) {
		err = fmt.Errorf("it has more than %v", largest)
	}
	return text, naming(file, err)
}

// Hit is a file, host or client of a message that is on a list.
type Hit struct {
	List  string       `json:"list"`
	Sort  history.Sort `json:"what"`
	Value string       `json:"value"` // a hash, a host or an address
	Entry string       `json:"entry,omitempty"`
	Name  string       `json:"name,omitempty"` // of the file
	Size  int64        `json:"size,omitempty"`
	Known bool         `json:"known"` // the list had it when the message was judged
}

// Hits returns the files, hosts and clients of a message that are on the list.
func (l List) Hits(r policy.Record) (hits []Hit) {
	add := func(value, shown, name string, size int64) {
		entry, ok := l.entry(value, size)
		if !ok {
			return
		}
		rule := l.found(entry)
		known := rule != "" && slices.ContainsFunc(r.Findings,
			func(f policy.RecordFinding) bool { return f.Rule == rule })
		hits = append(hits, Hit{
			List: l.Name, Sort: l.Sort, Value: shown, Entry: entry, Name: name, Size: size, Known: known,
		})
	}
	if l.Sort != history.Parts {
		values, _, _ := l.Sort.Values(r)
		for _, v := range values {
			add(v, v, "", 0)
		}
		return hits
	}
	if r.Contents == nil {
		return nil
	}
	for _, p := range r.Contents.Parts {
		if sum, err := hex.DecodeString(p.SHA256); err == nil {
			add(string(sum), p.SHA256, p.Name, p.Size)
		}
	}
	return hits
}
