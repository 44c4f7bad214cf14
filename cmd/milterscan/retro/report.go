package retro

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// message is a message that was found, for programs.
type message struct {
	ID         string      `json:"id"`
	Time       time.Time   `json:"time"`
	QueueID    string      `json:"queue_id"`
	MessageID  string      `json:"message_id"`
	Client     string      `json:"client"`
	Sender     string      `json:"sender"`
	Subject    string      `json:"subject"`
	Action     string      `json:"action"`
	Recipients []recipient `json:"recipients"`
	More       int         `json:"recipients_more,omitempty"`
	Hits       []Hit       `json:"on"`
}

// recipient is a recipient of a message, and the decision for it.
type recipient struct {
	Recipient string `json:"recipient"`
	Action    string `json:"action"`
}

// sum adds up, for programs.
type sum struct {
	Lists    int                               `json:"lists"`
	Entries  int                               `json:"entries"`
	Found    int                               `json:"found"` // messages
	Passed   int                               `json:"passed"`
	More     int                               `json:"more"` // that are not listed
	Coverage map[history.Sort]history.Coverage `json:"coverage"`
}

func (a Answer) sum(lists []List) sum {
	s := sum{Lists: len(lists), Found: len(a.Found) + a.More, Passed: a.Passed(), More: a.More, Coverage: a.Coverage}
	for _, l := range lists {
		s.Entries += l.Entries
	}
	return s
}

func (a Answer) writeJSON(w io.Writer, lists []List) {
	for _, f := range a.Found {
		r := f.Record
		m := message{
			ID: r.ID, Time: r.Time.UTC(), QueueID: r.QueueID, MessageID: r.MessageID,
			Client: r.Client, Sender: r.Sender, Subject: r.Subject,
			Action: r.Action, Recipients: []recipient{}, More: r.MoreRecipients, Hits: f.Hits,
		}
		for _, to := range r.Recipients {
			m.Recipients = append(m.Recipients, recipient{to.Recipient, cmp.Or(to.Action, r.Action)})
		}
		show.JSON(w, m)
	}
	show.JSON(w, a.sum(lists))
}

// write prints the answer for people: each value that is listed, with the messages that had it.
func (a Answer) write(w io.Writer, lists []List, took time.Duration) {
	var order []Hit
	of := map[Hit][]Found{}
	for _, f := range a.Found {
		for _, h := range f.Hits {
			key := Hit{List: h.List, Sort: h.Sort, Value: h.Value, Entry: h.Entry, Size: h.Size}
			if of[key] == nil {
				order = append(order, key)
			}
			of[key] = append(of[key], f)
		}
	}
	for _, h := range order {
		fmt.Fprintln(w, show.Printable(h.title(of[h])))
		for _, f := range of[h] {
			f.write(w, h)
		}
		fmt.Fprintln(w)
	}
	a.total(w, lists, took)
}

// title names a listed value and its list.
func (h Hit) title(in []Found) string {
	title := map[history.Sort]string{
		history.Parts: "File ", history.Hosts: "Link to ", history.Clients: "Client ",
	}[h.Sort] + h.Value
	if h.Sort == history.Parts {
		var names []string
		for _, f := range in {
			for _, other := range f.Hits {
				if other.Value == h.Value && other.Name != "" && !slices.Contains(names, other.Name) && len(names) < 5 {
					names = append(names, other.Name)
				}
			}
		}
		title += fmt.Sprintf(" (%s%s)", strings.Join(append(names, ""), ", "), show.Size(h.Size))
	}
	title += ", on " + h.List
	if h.Entry != "" && h.Entry != h.Value {
		title += " as " + h.Entry
	}
	return title
}

// write prints a message: its time, its ID, the decision, its sender and its recipients.
func (f Found) write(w io.Writer, about Hit) {
	r := f.Record
	known := ""
	if slices.ContainsFunc(f.Hits, func(h Hit) bool {
		return h.List == about.List && h.Value == about.Value && h.Known
	}) {
		known = " (listed then)"
	}
	fmt.Fprintf(w, "  %s  %s  %-10s  %s  <%s> to %s%s\n", show.Time(r.Time), r.ID, r.Action,
		show.Printable(cmp.Or(r.QueueID, "-")), show.Printable(r.Sender), show.Printable(f.whom()), known)
}

// whom names the recipients, each with its decision if that differs from that for the message.
func (f Found) whom() string {
	var list []string
	for _, to := range f.Record.Recipients {
		one := "<" + to.Recipient + ">"
		if to.Action != "" && to.Action != f.Record.Action {
			one += " (" + to.Action + ")"
		}
		list = append(list, one)
	}
	if n := f.Record.MoreRecipients; n > 0 {
		list = append(list, fmt.Sprintf("%d more", n))
	}
	return cmp.Or(strings.Join(list, ", "), "nobody yet")
}

// total prints the sums, and which sorts the history does not record.
func (a Answer) total(w io.Writer, lists []List, took time.Duration) {
	s := a.sum(lists)
	fmt.Fprintf(w, "%d entries of %d lists, in %v: %d messages had something on them", s.Entries, s.Lists,
		took.Round(10*time.Millisecond), s.Found)
	if s.Found > 0 {
		fmt.Fprintf(w, ", %d of them went on", s.Passed)
	}
	if a.More > 0 {
		fmt.Fprintf(w, "; the oldest %d are not named, --limit 0 names all", a.More)
	}
	fmt.Fprintln(w, ".")
	for _, sort := range []history.Sort{history.Parts, history.Hosts, history.Clients} {
		c, ok := a.Coverage[sort]
		if !ok {
			continue
		}
		fmt.Fprintf(w, "Of %d messages %s were looked at", c.Asked, words([]history.Sort{sort})[0])
		if c.Unrecorded > 0 {
			fmt.Fprintf(w, "; of %d none are recorded", c.Unrecorded)
		}
		if c.Partly > 0 {
			fmt.Fprintf(w, "; of %d not all are", c.Partly)
		}
		if c.Unrecorded+c.Partly > 0 {
			fmt.Fprint(w, ", so those may have had more")
		}
		fmt.Fprintln(w, ".")
	}
}
