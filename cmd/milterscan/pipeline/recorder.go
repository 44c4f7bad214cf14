package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/policy/tell/notify"
)

// Memory is the history as it is written.
type Memory struct {
	*history.Writer
	Store *store.History
}

// newMemory starts the history, or returns nil if nothing is to be remembered:
// none is wanted, or the directory for it is not there.
func newMemory(c config.History, warn func(error)) *Memory {
	if _, err := os.Stat(filepath.Dir(c.File)); c.File == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s := store.NewHistory(c.File, warn)
	return &Memory{Store: s, Writer: history.NewWriter(s, func(lost int, err error) {
		warn(fmt.Errorf("the history cannot be written, mail goes on; %d records are lost: %w", lost, err))
	})}
}

// Recorder is what is told about messages when they have been judged: a record
// of each, and letters to our own people.
type Recorder struct {
	Memory  *Memory // nil if nothing is remembered
	Notices *notify.Queue
	Warn    func(error)
}

// NewRecorder starts a recorder by the terms of a configuration.
func NewRecorder(c *config.Config, warn func(error)) *Recorder {
	return &Recorder{newMemory(c.History, warn), notify.NewQueue(c.Notices.Dir, c.Notices.Queue), warn}
}

// Close writes what is left.
func (a *Recorder) Close() {
	if a.Memory != nil {
		a.Memory.Writer.Close()
		a.Memory.Store.Close()
	}
}

// Enter takes a ruling down by the terms of its configuration. Letters are on the
// disk before the message is answered, so that none is lost with us; if that
// fails the log is all there is.
func (a *Recorder) Enter(r *judge.Result, c *config.Config) {
	if a.Memory == nil && len(r.Decision.Notices) == 0 {
		return
	}
	record := r.Record()
	if a.Memory != nil {
		a.Memory.Remember(c.History.Privacy().Apply(record))
	}
	if err := a.Notices.Add(notify.Letters(record, r.Decision, policy.Local(c.Local))); err != nil {
		a.Warn(fmt.Errorf("somebody is not told of %s: %w", record.ID, err))
	}
}
