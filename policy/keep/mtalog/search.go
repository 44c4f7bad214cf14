package mtalog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// Found is events that were looked for in log files. It is a timeline.Events.
type Found []Event

// Queue returns the events of a queue id.
func (f Found) Queue(_ context.Context, id string) (list []Event, err error) {
	for _, e := range f {
		if e.Queue == id {
			list = append(list, e)
		}
	}
	return list, nil
}

// MessageID returns the queue ids of messages with a Message-ID.
func (f Found) MessageID(_ context.Context, id string) ([]string, error) {
	return f.queues(func(e Event) bool { return id != "" && e.MessageID == strings.Trim(id, "<>") }), nil
}

// Linked returns the queue ids whose events lead to one, or come from it.
func (f Found) Linked(_ context.Context, id string) ([]string, error) {
	return f.queues(func(e Event) bool { return id != "" && (e.Next == id || e.Parent == id) }), nil
}

func (f Found) queues(want func(Event) bool) (list []string) {
	for _, e := range f {
		if want(e) && !slices.Contains(list, e.Queue) {
			list = append(list, e.Queue)
		}
	}
	return list
}

// Search looks in a log file, and in those that were it before, for what they tell of
// messages with some queue ids or Message-IDs, and of those as which they went on. Files
// that were changed last before since are not read.
func Search(ctx context.Context, path string, zone *time.Location, since time.Time, keys ...string) (Found, error) {
	files, err := Rotated(path)
	if err != nil {
		return nil, err
	}
	s := &search{zone: zone, since: since, files: append(files, path)}
	for _, key := range keys {
		s.want(key)
	}
	const steps = 3 // from one queue id to the next
	for range steps {
		known := len(s.keys)
		if err := s.pass(ctx); err != nil {
			return s.found, err
		}
		if len(s.keys) == known {
			break
		}
	}
	return s.found, nil
}

type search struct {
	zone  *time.Location
	since time.Time
	files []string
	keys  [][]byte
	found Found
}

// mostKeys is how many ids are looked for at once.
const mostKeys = 50

func (s *search) want(key string) {
	k := []byte(strings.Trim(key, "<>"))
	if len(k) > 2 && len(s.keys) < mostKeys && !slices.ContainsFunc(s.keys, func(known []byte) bool { return bytes.Equal(known, k) }) {
		s.keys = append(s.keys, k)
	}
}

// pass reads all files once, and takes what it finds instead of what was found before.
func (s *search) pass(ctx context.Context) error {
	s.found = nil
	for _, path := range s.files {
		err := s.file(ctx, path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // renamed in between
			return err
		}
	}
	for _, e := range s.found {
		for _, key := range []string{e.Next, e.Parent} {
			s.want(key)
		}
		if e.MessageID != "" || e.Parent != "" {
			s.want(e.Queue)
		}
	}
	return nil
}

func (s *search) file(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil || info.ModTime().Before(s.since) {
		return err
	}
	t, err := openText(path, 0)
	if err != nil {
		return err
	}
	defer t.Close()
	parser := NewParser(s.zone, info.ModTime())
	in := bufio.NewReaderSize(t, maxLine)
	for ctx.Err() == nil {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = drop(in)
			line = nil
		}
		if s.wanted(line) {
			if e, verdict := parser.Line(string(bytes.TrimSuffix(line, []byte("\n")))); verdict == Told {
				s.found = append(s.found, e)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &fs.PathError{Op: "read", Path: path, Err: err}
		}
	}
	return ctx.Err()
}

func (s *search) wanted(line []byte) bool {
	return slices.ContainsFunc(s.keys, func(key []byte) bool { return bytes.Contains(line, key) })
}
