package history

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// Bounds of the writer. A record has a few kilobytes.
const (
	waiting = 2048             // records that may wait; more are dropped
	batch   = 64               // records written at once, at most
	linger  = time.Second / 4  // how long a record may wait for others
	pause   = 5 * time.Second  // after the store has failed
	patient = 10 * time.Second // how long the store may take for one batch
)

// Writer writes records to a store from a separate goroutine, many at once.
// Remember never waits for the store: if it is slow or gone, what does not fit
// any more is dropped and counted. Records of the last moments may be lost with
// the process; those of kept messages are in the quarantine as well.
type Writer struct {
	store   Appender
	warn    func(lost int, err error)
	records chan *policy.Record // by reference, or room for all that may wait would be taken and searched for garbage always
	stop    chan struct{}       // closed by Close
	done    chan struct{}       // closed when all is written
	lost    atomic.Int64
}

// NewWriter starts a writer. warn is told of every failure of the store, and how
// many records were lost since it was told last. Close ends the writer.
func NewWriter(store Appender, warn func(lost int, err error)) *Writer {
	w := &Writer{
		store: store, warn: warn,
		records: make(chan *policy.Record, waiting),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	go w.run()
	return w
}

// Remember has a record written soon. After Close it has no effect.
func (w *Writer) Remember(r policy.Record) {
	select {
	case w.records <- &r:
	default:
		w.lost.Add(1)
	}
}

// Close writes the records that wait, and returns when that is done or has failed.
func (w *Writer) Close() {
	close(w.stop)
	<-w.done
}

func (w *Writer) run() {
	defer close(w.done)
	for more := true; more; {
		var list []policy.Record
		list, more = w.collect()
		if len(list) > 0 {
			w.write(list)
		}
	}
	for list := w.rest(); len(list) > 0; list = w.rest() {
		w.write(list)
	}
}

// collect waits for a record, and for others that come soon. There are no more
// once the writer is stopped.
func (w *Writer) collect() (list []policy.Record, more bool) {
	select {
	case r := <-w.records:
		list = append(list, *r)
	case <-w.stop:
		return nil, false
	}
	enough := time.NewTimer(linger)
	defer enough.Stop()
	for len(list) < batch {
		select {
		case r := <-w.records:
			list = append(list, *r)
		case <-enough.C:
			return list, true
		case <-w.stop:
			return list, false
		}
	}
	return list, true
}

// rest returns the records that wait, a batch at a time.
func (w *Writer) rest() (list []policy.Record) {
	for len(list) < batch {
		select {
		case r := <-w.records:
			list = append(list, *r)
		default:
			return list
		}
	}
	return list
}

// write writes a batch, again and again while there is room for what comes
// meanwhile.
func (w *Writer) write(list []policy.Record) {
	for {
		err := w.append(list)
		if err == nil {
			break
		}
		if len(w.records) == cap(w.records) || !w.wait() {
			w.warn(int(w.lost.Swap(0))+len(list), err)
			return
		}
		w.warn(int(w.lost.Swap(0)), err)
	}
	if n := w.lost.Swap(0); n > 0 {
		w.warn(int(n), nil)
	}
}

func (w *Writer) append(list []policy.Record) error {
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	return w.store.Append(ctx, list)
}

// wait reports whether to try again.
func (w *Writer) wait() bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.stop:
		return false
	}
}
