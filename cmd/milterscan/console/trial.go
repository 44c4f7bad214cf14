package console

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/replay"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
)

// TrialPath is the address of the page on which a configuration is tried.
const TrialPath = "/rules/trial"

// Bounds of a form with a draft: it may be pasted or a file, and is sent as either.
const (
	mostDraftForm = 2*config.MostDraft + formBody
	mostDays      = 30
	usualDays     = 7
)

// lookAgain is after how many seconds a browser looks at a trial again that goes on.
const lookAgain = "5"

// trialPage is a trial of a configuration, if there was one, and the form for another.
type trialPage struct {
	Most    int64
	Days    int
	Longest int // days
	Kept    bool
	Sample  bool // there is a sample to choose
	Last    *replay.Attempt
	Going   bool
	Ways    []way
	Error   *trouble
}

// way is one direction in which mail ends otherwise.
type way struct {
	Key     string // of its heading
	Changes []replay.Change
}

// The problems of a trial.
var (
	errNoDraft    = &Problem{http.StatusBadRequest, "problem-no-draft"}
	errTrialBusy  = &Problem{http.StatusConflict, "problem-trial-busy"}
	errTrialDrift = &Problem{http.StatusConflict, "problem-trial-drift"}
)

// trial shows how a trial goes, or what the last one has shown.
func (c *Console) trial(w http.ResponseWriter, r *http.Request, p login.Person) error {
	return c.showTrial(w, r, p, nil)
}

// showTrial writes the page, with the reason why no trial was begun.
func (c *Console) showTrial(w http.ResponseWriter, r *http.Request, p login.Person, failed error) error {
	if c.Bench == nil {
		return ErrNotFound
	}
	v := c.view(r, p, "trial")
	of := c.Host.Config()
	m := &trialPage{Most: config.MostDraft, Days: usualDays, Longest: mostDays, Kept: of.Store.URL == "",
		Sample: of.Replay.Keep > 0}
	v.Page = m
	if last, any := c.Bench.Last(); any {
		m.Last, m.Going, m.Ways = &last, last.Ended.IsZero(), waysOf(last.State.Changes)
	}
	status := http.StatusOK
	if failed != nil {
		t := troubleOf(v.pages, failed)
		m.Error, status = &t, StatusOf(failed)
		c.note(r, failed)
	} else if m.Going {
		w.Header().Set("Refresh", lookAgain)
	}
	return v.write(w, status)
}

// waysOf sorts changes by their direction: mail that would be kept back, mail that would be let through,
// and the rest.
func waysOf(changes []replay.Change) []way {
	all := []way{{Key: "trial-stricter"}, {Key: "trial-looser"}, {Key: "trial-otherwise"}}
	for _, one := range changes {
		was, now := one.WasAction == policy.Deliver.String(), one.NowAction == policy.Deliver.String()
		i := 2
		switch {
		case was && !now:
			i = 0
		case now && !was:
			i = 1
		}
		all[i].Changes = append(all[i].Changes, one)
	}
	return all
}

// beginTrial has a draft tried.
func (c *Console) beginTrial(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if c.Bench == nil {
		return ErrNotFound
	}
	o, err := readTrial(r, c.Now())
	if err == nil {
		err = c.orderTrial(r, p, o)
	}
	if err != nil {
		return c.showTrial(w, r, p, err)
	}
	http.Redirect(w, r, TrialPath, http.StatusSeeOther)
	return nil
}

// orderTrial writes down who has what tried, and begins.
func (c *Console) orderTrial(r *http.Request, p login.Person, o replay.Order) error {
	of := c.Host.Config()
	if o.Sample && of.Replay.Keep == 0 || !o.Sample && of.Store.URL != "" {
		return ErrBad
	}
	if onDisk, err := config.Load(c.Bench.File); err != nil || !Same(onDisk, of) {
		return errTrialDrift
	}
	outcome := "ok"
	err := c.Bench.Begin(o, p.Shown())
	if errors.Is(err, replay.ErrBusy) {
		err = errTrialBusy
	}
	if err != nil {
		outcome = nameOf(err)
	}
	sum := sha256.Sum256([]byte(o.Draft))
	if noted := c.looks(r, p, login.TryConfigurations,
		fmt.Sprintf("draft %x since %s", sum[:8], o.Since.UTC().Format(time.RFC3339)), outcome); noted != nil {
		if err == nil {
			c.Bench.Cancel() // what cannot be written down is not done
		}
		return noted
	}
	return err
}

// readTrial reads the form.
func readTrial(r *http.Request, now time.Time) (o replay.Order, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return o, ErrBad
	}
	var pasted, file string
	days := 0
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return o, formError(err)
		}
		text, err := fieldOf(part)
		if err != nil {
			return o, err
		}
		switch part.FormName() {
		case "draft":
			pasted = text
		case "file":
			file = text
		case "mail":
			o.Sample = text == "sample"
		case "days":
			if days, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
				return o, ErrBad
			}
		}
	}
	o.Draft = file
	if strings.TrimSpace(file) == "" {
		o.Draft = pasted
	}
	switch {
	case strings.TrimSpace(o.Draft) == "":
		return o, errNoDraft
	case days < 1 || days > mostDays:
		return o, ErrBad
	}
	o.Since = now.AddDate(0, 0, -days)
	return o, nil
}

// fieldOf returns the text of a field, which is no longer than a draft may be.
func fieldOf(part *multipart.Part) (string, error) {
	text, err := io.ReadAll(io.LimitReader(part, config.MostDraft+1))
	if err != nil {
		return "", formError(err)
	}
	if len(text) > config.MostDraft {
		return "", ErrLarge
	}
	return string(text), nil
}

// formError returns the problem of a form that cannot be read to its end.
func formError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return ErrLarge
	}
	return errors.Join(ErrBad, err)
}

// cancelTrial ends a trial that goes on. What it has shown stays.
func (c *Console) cancelTrial(w http.ResponseWriter, r *http.Request, p login.Person) error {
	if c.Bench == nil {
		return ErrNotFound
	}
	if c.Bench.Cancel() {
		if err := c.looks(r, p, login.TryConfigurations, "draft", "cancelled"); err != nil {
			return err
		}
	}
	http.Redirect(w, r, TrialPath, http.StatusSeeOther)
	return nil
}
