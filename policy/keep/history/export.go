package history

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// CSV writes records as lines of comma-separated values, the names of the columns first.
// What could move a cursor or turn the direction of writing is escaped, as policy.Visible
// does, and a value that a spreadsheet would take for a formula has an apostrophe before it.
type CSV struct{ *csv.Writer }

// columns are what a line has of a record. New ones come last.
var columns = []struct {
	name  string
	value func(r policy.Record) string
}{
	{"id", func(r policy.Record) string { return r.ID }},
	{"time", func(r policy.Record) string { return r.Time.UTC().Format(time.RFC3339Nano) }},
	{"action", func(r policy.Record) string { return r.Action }},
	{"size", func(r policy.Record) string { return strconv.FormatInt(r.Size, 10) }},
	{"sender", func(r policy.Record) string { return r.Sender }},
	{"recipients", func(r policy.Record) string { return strings.Join(r.Addresses(), " ") }},
	{"recipient_actions", func(r policy.Record) string { return strings.Join(actions(r), " ") }},
	{"subject", func(r policy.Record) string { return r.Subject }},
	{"client", func(r policy.Record) string { return r.Client }},
	{"client_name", func(r policy.Record) string { return r.ClientName }},
	{"user", func(r policy.Record) string { return r.User }},
	{"queue_id", func(r policy.Record) string { return r.QueueID }},
	{"message_id", func(r policy.Record) string { return r.MessageID }},
	{"rules", func(r policy.Record) string { return strings.Join(RulesOf(r), " ") }},
	{"findings", func(r policy.Record) string { return strings.Join(distinct(FindingsOf(r)), " ") }},
	{"reply", func(r policy.Record) string { return r.Reply }},
	{"country", func(r policy.Record) string { return r.Country }},
	{"asn", func(r policy.Record) string { return number(r.ASN) }},
}

func actions(r policy.Record) (list []string) {
	for _, to := range r.Recipients {
		list = append(list, to.Action)
	}
	return list
}

// number writes a number, and nothing for none.
func number(n uint32) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// NewCSV writes the names of the columns. Flush has everything written.
func NewCSV(w io.Writer) CSV {
	c := CSV{csv.NewWriter(w)}
	line := make([]string, len(columns))
	for i, column := range columns {
		line[i] = column.name
	}
	c.Write(line) // Error has the error
	return c
}

// Record writes a record.
func (c CSV) Record(r policy.Record) error {
	line := make([]string, len(columns))
	for i, column := range columns {
		line[i] = cell(column.value(r))
	}
	return c.Write(line)
}

// cell returns a value as no program takes it for anything else.
func cell(s string) string {
	s = policy.Visible(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
