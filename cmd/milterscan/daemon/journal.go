package daemon

import (
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
)

// journal is where the log goes. It is a zapcore.Core that hands each line to the
// output of now, which a reload replaces.
type journal struct {
	mu   sync.RWMutex // held for reading while a line is written
	out  output
	lost atomic.Int64 // lines that no output took
}

// output is an open file, or standard error, with level and format.
type output struct {
	core  zapcore.Core
	lines io.Writer // for whole lines of JSON; nil if the format is another
	close func()
}

// open opens what a configuration names.
func (j *journal) open(c config.Log) (output, error) {
	level, err := zapcore.ParseLevel(c.Level)
	if err != nil {
		return output{}, err
	}
	encoder, err := newEncoder(c.Format)
	if err != nil {
		return output{}, err
	}
	file, closeFile, err := zap.Open(c.Output)
	if err != nil {
		return output{}, err
	}
	s := newSink(file, &j.lost, func(n int) []byte { return policy.VisibleLine(lostLine(encoder, n)) })
	out := output{core: zapcore.NewCore(encoder, visible{s}, level), close: func() {
		s.Close()
		closeFile()
	}}
	if c.Format == "json" {
		out.lines = s
	}
	return out, nil
}

// openJournal opens the log.
func openJournal(c config.Log) (*journal, error) {
	j := new(journal)
	var err error
	j.out, err = j.open(c)
	return j, err
}

// replace goes on in another output, and closes the one before.
func (j *journal) replace(out output) {
	j.mu.Lock()
	old := j.out
	j.out = out
	j.mu.Unlock()
	old.close()
}

// reopen goes on in a file of the same name, as after that was renamed.
func (j *journal) reopen(c config.Log) error {
	out, err := j.open(c)
	if err == nil {
		j.replace(out)
	}
	return err
}

// Close writes the lines that wait and closes the output. Nothing is logged after it.
func (j *journal) Close() { j.replace(output{core: zapcore.NewNopCore(), close: func() {}}) }

// Enabled, With, Check, Write and Sync make journal a zapcore.Core.
func (j *journal) Enabled(l zapcore.Level) bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.out.core.Enabled(l)
}

// With returns a core that puts fields before those of each line.
func (j *journal) With(fields []zapcore.Field) zapcore.Core { return journalWith{j, fields} }

// Check has the line written here if its level is.
func (j *journal) Check(e zapcore.Entry, all *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if j.Enabled(e.Level) {
		return all.AddCore(e, j)
	}
	return all
}

// Write writes a line.
func (j *journal) Write(e zapcore.Entry, fields []zapcore.Field) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.out.core.Write(e, fields)
}

// begin is what comes before the keys of a record in its line.
const begin = `{"level":"info","msg":"message",`

// message writes the one line of a message, or of a stage that refused it: for
// people in their words, else with the record's keys, its time among them.
func (j *journal) message(r policy.Record) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	switch {
	case !j.out.core.Enabled(zapcore.InfoLevel):
	case j.out.lines == nil:
		j.out.core.Write(zapcore.Entry{Level: zapcore.InfoLevel, Time: time.Now(), Message: show.Line(r)}, nil)
	default:
		j.out.lines.Write(slices.Concat([]byte(begin), r.Line()[1:], []byte{'\n'})) // the line begins with a brace
	}
}

// Sync makes sure that all is written. What cannot be made sure of, such as a
// terminal, is no error.
func (j *journal) Sync() error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.out.core.Sync()
}

// journalWith is a journal with fields of every line.
type journalWith struct {
	*journal
	fields []zapcore.Field
}

// With adds further fields.
func (j journalWith) With(fields []zapcore.Field) zapcore.Core {
	return journalWith{j.journal, append(j.fields[:len(j.fields):len(j.fields)], fields...)}
}

// Check has the line written with the fields.
func (j journalWith) Check(e zapcore.Entry, all *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if j.Enabled(e.Level) {
		return all.AddCore(e, j)
	}
	return all
}

// Write writes a line with the fields.
func (j journalWith) Write(e zapcore.Entry, fields []zapcore.Field) error {
	return j.journal.Write(e, append(j.fields[:len(j.fields):len(j.fields)], fields...))
}
