package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/scan/units"
)

// heldTooLong is how long a message may wait in an MTA's queue before a person should
// decide about it.
const heldTooLong = 24 * time.Hour

// held counts the messages that an MTA keeps until an administrator decides about them, because
// of a rule with action "hold" or for any other reason.
type held struct {
	count  int
	oldest time.Time
}

// heldBelow counts the queue files in a directory and below it that is says are of held
// messages. It ends when ctx does.
func heldBelow(ctx context.Context, dir string, is func(name string) bool) (h held, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // the MTA has just sent or removed it, or has held none yet
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || e.IsDir() || !is(e.Name()) {
			return err
		}
		info, err := e.Info()
		if err == nil {
			h.add(info.ModTime())
		} else if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	})
	return h, err
}

func (h *held) add(since time.Time) {
	h.count++
	if h.oldest.IsZero() || since.Before(h.oldest) {
		h.oldest = since
	}
}

// report tells how many messages are held at a place. fix is the commands that show them, let
// them go and remove them.
func (h held) report(now time.Time, where, fix string) Finding {
	if h.count == 0 {
		return ok("%s holds no message", where)
	}
	messages := "1 message"
	if h.count > 1 {
		messages = fmt.Sprintf("%d messages", h.count)
	}
	age := now.Sub(h.oldest)
	if age < heldTooLong {
		return ok("%s holds %s, the oldest since %s", where, messages, show.Time(h.oldest))
	}
	return advice(fix, "%s holds %s, the oldest for %v: nobody gets them until you decide", where, messages,
		units.Duration(age.Truncate(time.Hour)))
}

// heldBy returns the finding for a walk over a queue.
func heldBy(h held, err error, now time.Time, where, fix string) Finding {
	if err != nil {
		return advice("run doctor as root", "how many messages %s holds is not known: %v", where, err)
	}
	return h.report(now, where, fix)
}

// held looks at Postfix' hold queue.
func (m *mailServer) held(ctx context.Context) Finding {
	queue := m.conf.Main("queue_directory")
	if queue == "" {
		return Finding{}
	}
	h, err := heldBelow(ctx, filepath.Join(queue, "hold"), func(string) bool { return true })
	return heldBy(h, err, m.Now, "Postfix' hold queue",
		"postqueue -p marks them with !; milterscan explain ID says why; postsuper -H ID lets a message go on, "+
			"postsuper -d ID removes it")
}

// sendmailQueue is where Sendmail keeps messages if its configuration does not say.
const sendmailQueue = "/var/spool/mqueue"

// heldBySendmail looks at the quarantined messages of Sendmail's queues: the files hf….
func (p *Installation) heldBySendmail(ctx context.Context, queues string) Finding {
	const where, fix = "Sendmail's queue", "mailq -qQ shows them; milterscan explain ID says why; " +
		"sendmail -qIID -qQ -Q, then sendmail -q, lets a message go on"
	dirs, err := filepath.Glob(queues)
	var all held
	for _, dir := range dirs {
		var h held
		if h, err = heldBelow(ctx, dir, func(name string) bool { return strings.HasPrefix(name, "hf") }); err != nil {
			break
		}
		if all.count += h.count; h.count > 0 && (all.oldest.IsZero() || h.oldest.Before(all.oldest)) {
			all.oldest = h.oldest
		}
	}
	return heldBy(all, err, p.Now, where, fix)
}
