package console

import (
	"net/http"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
)

// Bounds of acts on several messages at once.
const (
	mostBulk = 200
	bulkTime = 150 * time.Second // less than an answer may take to be written
)

// bulkPage is what came of something that was done with several messages, or asks whether
// it is to be done.
type bulkPage struct {
	Act     string
	IDs     []string
	Ask     bool
	Results []bulkResult
	Done    int
}

func (b *bulkPage) title(v *pages) string { return v.texts.Of("bulk-" + b.Act) }

// bulkResult is what came of it for one message.
type bulkResult struct {
	ID      string
	Trouble *trouble // nil: it was done
}

// bulk does something with several messages, one after the other. What cannot be undone
// is asked about first.
func (c *Console) bulk(w http.ResponseWriter, r *http.Request, p login.Person) error {
	in, err := readForm(r)
	if err != nil {
		return err
	}
	m := &bulkPage{Act: r.PostForm.Get("act"), IDs: r.PostForm["id"]}
	a, err := actNamed(m.Act)
	switch {
	case err != nil || a.name == "forward" || a.name == "clean" || len(m.IDs) > mostBulk:
		return ErrBad
	case !p.May(a.right):
		return ErrForbidden
	case len(m.IDs) == 0:
		return errNoneChosen
	}
	in.To, in.Infected, in.Again = nil, false, false
	v := c.view(r, p, "bulk")
	v.Page = m
	if m.Ask = a.name == "delete" && !in.Sure; m.Ask {
		return v.write(w, http.StatusOK)
	}
	for _, id := range m.IDs {
		result := bulkResult{ID: id}
		if err := c.Do(r, p, id, a.name, in); err != nil {
			t := troubleOf(v.pages, err)
			result.Trouble = &t
			c.note(r, err)
		} else {
			m.Done++
		}
		m.Results = append(m.Results, result)
		if r.Context().Err() != nil {
			break
		}
	}
	return v.write(w, http.StatusOK)
}

// errNoneChosen says that no message was chosen.
var errNoneChosen = &Problem{http.StatusBadRequest, "problem-none-chosen"}
