package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Journal remembers in a file what was judged, so that a replay that was interrupted goes on where
// it was: a first line names what the replay compares, and one line follows for each mail.
type Journal struct {
	file *os.File
	done map[string]bool
}

// heading is the first line.
type heading struct {
	Compared string `json:"compared"` // a hash of both configurations
}

// OpenJournal opens the journal of a comparison, which is made if it is not there, and tells of
// each verdict in it. Errors and verdicts that do not count are not told: those mails are tried again.
func OpenJournal(path, compared string, tell func(Verdict) error) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	j := &Journal{file: f, done: map[string]bool{}}
	if err := j.read(compared, tell); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return j, nil
}

// read reads the lines of the file, cuts off a last one that was not finished, and stays at the
// end.
func (j *Journal) read(compared string, tell func(Verdict) error) error {
	r := bufio.NewReaderSize(j.file, 1<<16)
	var good int64
	for number := 1; ; number++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		if err == nil {
			err = j.take(number, bytes.TrimSpace(line), compared, tell)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		good += int64(len(line))
	}
	if err := j.file.Truncate(good); err != nil {
		return err
	}
	if _, err := j.file.Seek(good, io.SeekStart); err != nil {
		return err
	}
	if good == 0 {
		return j.write(heading{compared})
	}
	return nil
}

// take takes one line.
func (j *Journal) take(number int, line []byte, compared string, tell func(Verdict) error) error {
	if number == 1 {
		var h heading
		if err := json.Unmarshal(line, &h); err != nil || h.Compared == "" {
			return errors.New("this is no journal of a replay; name another file by --resume")
		}
		if h.Compared != compared {
			return errors.New("the configurations are not those that the journal is about; name another file by --resume, or remove this one")
		}
		return nil
	}
	var v Verdict
	if err := json.Unmarshal(line, &v); err != nil || v.Mail == "" {
		return errors.New("this is no verdict on a mail; remove the file, and begin again")
	}
	if j.done[v.Mail] {
		return nil
	}
	j.done[v.Mail] = true
	return tell(v)
}

// Done reports whether a mail was judged.
func (j *Journal) Done(mail string) bool { return j != nil && j.done[mail] }

// Note writes a verdict down, unless the mail is to be tried again.
func (j *Journal) Note(v Verdict) error {
	if j == nil || v.Error != "" || v.Unsure != "" {
		return nil
	}
	return j.write(v)
}

func (j *Journal) write(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(line, '\n'))
	return err
}

// Close closes the file.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	if err := j.file.Close(); !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return nil
}
