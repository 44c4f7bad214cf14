package edit

import (
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Subject puts a tag before the subject, unless the tag is there already, in any
// encoding. The sender's words stay as they are, after the tag. Of several subjects,
// of which clients show different ones, the first stays.
func Subject(h entity.Header, word string) []policy.HeaderChange {
	all := h.Values("Subject")
	if len(all) == 0 {
		return []policy.HeaderChange{{Op: policy.InsertTop, Name: "Subject", Value: encodeWords(word)}}
	}
	var list []policy.HeaderChange
	value := strings.Trim(all[0], " \t\r\n")
	if !strings.Contains(entity.DecodeWords(value), word) {
		list = append(list, policy.HeaderChange{Op: policy.Change, Name: "Subject", Value: joinWords(encodeWords(word), value), Index: 1})
	}
	for i := 2; i <= len(all); i++ {
		list = append(list, policy.HeaderChange{Op: policy.Delete, Name: "Subject", Index: i})
	}
	return list
}

// joinWords puts two texts of a header after each other, with a fold between
// them if they do not fit on one line. Between two encoded words the blank has
// to be encoded, since the one that separates them is not shown.
func joinWords(a, b string) string {
	first, _, _ := strings.Cut(b, "\n")
	last := a[strings.LastIndexByte(a, '\n')+1:]
	if strings.HasPrefix(b, "=?") && strings.HasSuffix(a, "?=") {
		a += "\r\n =?utf-8?Q?_?="
		last = " =?utf-8?Q?_?="
	}
	if b == "" {
		return a
	}
	if len("Subject: ")+len(last)+1+len(first) > foldedLine {
		return a + "\r\n " + b
	}
	return a + " " + b
}
