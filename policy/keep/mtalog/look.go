package mtalog

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Sight is what the last lines of a log are.
type Sight struct {
	Lines  int      // that were looked at
	Unread int      // in no form that is known
	Events int      // that tell something of a message
	MTAs   []string // whose: postfix, sendmail, exim
}

// lookAt is how many bytes are looked at.
const lookAt = 256 << 10

// Look reads the last lines of a log.
func Look(path string, zone *time.Location) (s Sight, err error) {
	t, err := openText(path, 0)
	if err != nil {
		return s, err
	}
	defer t.Close()
	begin := max(0, t.info.Size()-lookAt)
	text, err := io.ReadAll(io.NewSectionReader(t.file, begin, lookAt))
	if begin > 0 {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	parser := NewParser(zone, time.Now())
	for line := range strings.Lines(string(text)) {
		e, verdict := parser.Line(strings.TrimSuffix(line, "\n"))
		s.Lines++
		switch {
		case verdict == Unread:
			s.Unread++
		case verdict == Told && !slices.Contains(s.MTAs, e.MTA):
			s.MTAs = append(s.MTAs, e.MTA)
			fallthrough
		case verdict == Told:
			s.Events++
		}
	}
	return s, err
}

// ReadStatus reads what the daemon has written down of its reading.
func ReadStatus(file string) (s Status, err error) {
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	return s, err
}
