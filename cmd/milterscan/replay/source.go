package replay

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
)

// Source finds mail in files and directories.
type Source struct {
	Envelope scan.Envelope // for mail whose own is not known
	Given    bool          // the envelope was given, and is not to be read from the mail
	// Since and Before bound when kept messages came; zero: they do not.
	Since, Before time.Time
	// Left is told of files in directories that are no mail.
	Left func(path, why string)
}

// In returns the mails of all paths, those of each directory in the order of their names: an
// error for one that cannot be read, and then the next. A path is a file with one mail or with many
// (mbox), a maildir, a quarantine, or a directory with any of these below it.
func (s Source) In(ctx context.Context, paths []string) iter.Seq2[Mail, error] {
	return func(yield func(Mail, error) bool) {
		for _, path := range paths {
			info, err := os.Stat(path)
			switch {
			case err != nil:
				err = &Unreadable{path, err}
			case info.IsDir():
				if !s.directory(ctx, path, yield) {
					return
				}
				continue
			case !info.Mode().IsRegular():
				err = &Unreadable{path, fmt.Errorf("it is neither a file nor a directory")}
			}
			if err != nil {
				if !yield(Mail{}, err) {
					return
				}
				continue
			}
			if !s.file(path, yield) {
				return
			}
		}
	}
}

// directory goes through a directory and those below it. It follows no link: what people
// keep mail in may link to anything.
func (s Source) directory(ctx context.Context, dir string, yield func(Mail, error) bool) bool {
	entries, err := os.ReadDir(dir)
	if err != nil && !yield(Mail{}, &Unreadable{dir, err}) {
		return false
	}
	maildir := filepath.Base(dir) == "cur" || filepath.Base(dir) == "new"
	others := slices.ContainsFunc(entries, ofQuarantine)
	for _, e := range entries {
		if ctx.Err() != nil {
			return false
		}
		path := filepath.Join(dir, e.Name())
		id, isKept := strings.CutSuffix(e.Name(), ".eml.gz")
		goOn := true
		switch {
		case e.IsDir():
			goOn = isUnfinished(path) || s.directory(ctx, path, yield)
		case !e.Type().IsRegular():
			s.Left(path, "it is a link, or no file")
		case isKept:
			goOn = s.one(ctx, filepath.Dir(dir), id, yield)
		case others: // entries, indexes and locks of kept messages
		case maildir, s.looksLikeMail(path):
			goOn = s.file(path, yield)
		}
		if !goOn {
			return false
		}
	}
	return true
}

// shard matches the directories in which a quarantine has its messages.
var shard = regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{4}$`)

// ofQuarantine reports whether an entry of a directory shows that the other files in it are no mail.
func ofQuarantine(e os.DirEntry) bool {
	return strings.HasSuffix(e.Name(), ".eml.gz") || e.IsDir() && shard.MatchString(e.Name())
}

// isUnfinished reports whether a directory holds the mail of a maildir that is still written.
func isUnfinished(dir string) bool {
	if filepath.Base(dir) != "tmp" {
		return false
	}
	_, err := os.Stat(filepath.Join(filepath.Dir(dir), "cur"))
	return err == nil
}

// one yields a kept message, unless it came at another time.
func (s Source) one(ctx context.Context, root, id string, yield func(Mail, error) bool) bool {
	m, err := kept(ctx, quarantine.NewDir(root, nil, func(error) {}), id)
	if err != nil {
		return yield(m, err)
	}
	at := m.Record.Time
	if at.Before(s.Since) || !s.Before.IsZero() && !at.Before(s.Before) {
		return true
	}
	return yield(m, nil)
}

// firstLine matches the beginning of mail: a header field (RFC 5322, section 3.6.8), or the line
// before one in an mbox.
var firstLine = regexp.MustCompile(`^(From |[A-Za-z][A-Za-z0-9_-]*[ \t]*:)`)

// looksLikeMail reports whether a file begins as mail does, and tells of one that does not.
func (s Source) looksLikeMail(path string) bool {
	head, err := headOf(path, 512)
	if err != nil {
		return true // which is told when it is read
	}
	if !firstLine.Match(head) {
		s.Left(path, "it does not begin with a header field")
		return false
	}
	return true
}

func headOf(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, n))
}

// file yields the mail in a file, or the mails if it is an mbox.
func (s Source) file(path string, yield func(Mail, error) bool) bool {
	head, err := headOf(path, 5)
	if err != nil {
		return yield(Mail{}, &Unreadable{path, err})
	}
	if string(head) == "From " {
		return s.mbox(path, yield)
	}
	return yield(s.section(path, path, 0, -1))
}

// postmark matches the line before each mail of an mbox (RFC 4155, appendix A), by which it is told from
// a line of a text: a sender, and a time.
var postmark = regexp.MustCompile(`^From \S+ .*\d\d:\d\d`)

// mbox yields the mails of an mbox: each begins with a postmark, the first of the file or after an
// empty line. It reads the file once, and remembers only where a mail began.
func (s Source) mbox(path string, yield func(Mail, error) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		return yield(Mail{}, &Unreadable{path, err})
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	var at, began int64
	number, empty := 0, true
	for {
		begins, line, err := nextLine(r)
		if (begins && empty && at > began) || err != nil && at+line > began {
			number++
			end := at
			if err != nil {
				end = at + line
			}
			if !yield(s.section(fmt.Sprintf("%s#%d", path, number), path, began, end-began)) {
				return false
			}
			began = at
		}
		if err == io.EOF {
			return true
		}
		if err != nil {
			return yield(Mail{}, &Unreadable{path, err})
		}
		empty = line == 1 || line == 2 && !begins
		at += line
	}
}

// nextLine reads to the end of a line of any length, and returns its length and whether it is a
// postmark. At the end of the file it returns io.EOF with what was left.
func nextLine(r *bufio.Reader) (begins bool, length int64, err error) {
	for first := true; ; first = false {
		piece, err := r.ReadSlice('\n')
		if first {
			begins = postmark.Match(piece[:min(len(piece), 998)])
		}
		length += int64(len(piece))
		if err != bufio.ErrBufferFull {
			return begins, length, err
		}
	}
}

// section returns the mail in a piece of a file; a length below zero is all of it.
func (s Source) section(name, path string, from, length int64) (Mail, error) {
	open := func(context.Context) (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil || length < 0 {
			return f, err
		}
		return piece{io.NewSectionReader(f, from, length), f}, nil
	}
	m := Mail{Name: name, Envelope: s.Envelope.Clone(), Open: open}
	if s.Given {
		return m, nil
	}
	r, err := open(context.Background())
	if err != nil {
		return m, &Unreadable{name, err}
	}
	defer r.Close()
	delivered(r, &m.Envelope)
	return m, nil
}

// piece is a part of a file that is closed as a whole.
type piece struct {
	io.Reader
	io.Closer
}

// delivered reads the envelope from the fields in which a mail server writes it when it puts a mail
// into a mailbox. Mail without them has none.
func delivered(r io.Reader, env *scan.Envelope) {
	b := bufio.NewReader(io.LimitReader(r, 1<<16))
	if head, _ := b.Peek(5); string(head) == "From " {
		if _, err := b.ReadString('\n'); err != nil {
			return
		}
	}
	m, err := mail.ReadMessage(b)
	if err != nil {
		return
	}
	if from, ok := m.Header["Return-Path"]; ok {
		env.Sender = strings.Trim(strings.TrimSpace(from[0]), "<>")
	}
	for _, field := range []string{"X-Original-To", "Delivered-To", "Envelope-To"} {
		if to := strings.Trim(strings.TrimSpace(m.Header.Get(field)), "<>"); strings.Contains(to, "@") && !strings.ContainsAny(to, " ,\t") {
			env.Recipients = []string{to}
			return
		}
	}
}
