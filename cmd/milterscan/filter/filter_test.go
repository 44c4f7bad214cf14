package filter

import (
	"bytes"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// parsed is a mail and its outermost entity.
func parsed(mail string) (*bytes.Reader, *entity.Entity) {
	p := entity.NewParser(entity.DefaultLimits())
	p.Write([]byte(mail))
	return bytes.NewReader([]byte(mail)), p.Close().Root
}

func TestApply(t *testing.T) {
	const mail = "From: a@example.com\r\nX-Old: 1\r\nSubject: hello\r\n there\r\nX-Old: 2\r\n\r\nbody\r\n"
	for _, c := range []struct {
		name    string
		changes policy.Changes
		want    string
	}{
		{"nothing", policy.Changes{}, mail},
		{"insert", headers(policy.HeaderChange{Op: policy.InsertTop, Name: "X-New", Value: "1"}), "X-New: 1\r\n" + mail},
		{"append", headers(policy.HeaderChange{Op: policy.AppendBottom, Name: "X-New", Value: "1"}), strings.Replace(mail, "\r\n\r\n", "\r\nX-New: 1\r\n\r\n", 1)},
		{"delete", headers(policy.HeaderChange{Op: policy.Delete, Name: "x-old", Index: 2}), strings.Replace(mail, "X-Old: 2\r\n", "", 1)},
		{"change", headers(policy.HeaderChange{Op: policy.Change, Name: "Subject", Value: "[x] hello\r\n there", Index: 1}), strings.Replace(mail, "hello", "[x] hello", 1)},
		{"body", policy.Changes{Body: bytes.NewReader([]byte("new\r\n"))}, strings.Replace(mail, "body\r\n", "new\r\n", 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, root := parsed(mail)
			var out strings.Builder
			if err := apply(&out, raw, root, c.changes); err != nil || out.String() != c.want {
				t.Errorf("got %q, %v\nwant %q", out.String(), err, c.want)
			}
		})
	}
}

func TestApplyKeepsBareLineEnds(t *testing.T) {
	raw, root := parsed("Subject: hello\n\nbody\n")
	var out strings.Builder
	err := apply(&out, raw, root, headers(policy.HeaderChange{Op: policy.InsertTop, Name: "X-New", Value: "1\r\n 2"}))
	if want := "X-New: 1\n 2\nSubject: hello\n\nbody\n"; err != nil || out.String() != want {
		t.Errorf("got %q, %v; want %q", out.String(), err, want)
	}
}

func headers(c ...policy.HeaderChange) policy.Changes { return policy.Changes{Headers: c} }
