package entity

import (
	"slices"
	"strings"
	"testing"
)

// readings lists the leaves of all readings: path, encoding, names.
func readings(tree *Tree) []string {
	var list []string
	for e := range tree.Leaves() {
		s := strings.TrimSpace(e.Path() + " " + string(e.Encoding))
		if len(e.Names) > 0 {
			s += " " + strings.Join(e.Names, ",")
		}
		list = append(list, s)
	}
	return list
}

func TestReadings(t *testing.T) {
	const mixed = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhello\n--foo\n"
	const qp = "Content-Transfer-Encoding: quoted-printable\n"
	tests := []struct {
		name, msg string
		want      []string
		code      string
		class     Class
	}{
		{"two encodings", mixed + qp + "Content-Transfer-Encoding: base64\n\nQUJD\n--foo--\n",
			[]string{"1", "2 quoted-printable", "2~b base64"}, "duplicate-encoding", Ambiguous},
		{"one encoding twice", mixed + qp + qp + "\nQUJD\n--foo--\n",
			[]string{"1", "2 quoted-printable"}, "duplicate-encoding", Malformed},
		{"two types of one leaf", mixed + "Content-Type: text/plain\nContent-Type: text/html\n\n<b>\n--foo--\n",
			[]string{"1", "2", "2~b"}, "duplicate-content-type", Ambiguous},
		{"one type twice", mixed + "Content-Type: text/plain\nContent-Type: text/plain\n\n<b>\n--foo--\n",
			[]string{"1", "2"}, "duplicate-content-type", Malformed},
		{"second boundary unused", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo; boundary=bar\n\n--foo\n\nhello\n--foo--\n",
			[]string{"1"}, "boundary-duplicate", Malformed},
		{"parts after the end", mixed + "\nx\n--foo--\n--foo\nContent-Disposition: attachment; filename=x.exe\n\ny\n--foo--\n",
			[]string{"1", "2", "3~b x.exe", "~carved1"}, "parts-after-close", Ambiguous},
		{"epilogue", mixed + "\nx\n--foo--\nsent by a list\n", []string{"1", "2"}, "", 0},
		{"prefix of the outer boundary", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: multipart/mixed; boundary=foobar\n\n--foobar\n\nx\n--foobar--\n--foo--\n",
			[]string{"1.1"}, "boundary-reused", Malformed},
		{"blank line in a plain text's header", "Subject: x\n \nX: y\n\nhello\n", []string{"1", "1~b"}, "header-blank-line", Malformed},
		{"unknown encoding of a plain text", "Content-Transfer-Encoding: strange\n\nhello there\n", []string{"1"}, "encoding-unknown", Malformed},
		{"misspelt encoding", "Content-Transfer-Encoding: bas64\n\nQUJDREVG\n", []string{"1", "1~b base64"}, "encoding-unknown", Ambiguous},
		{"folded field", "X: y\n Content-Transfer-Encoding: base64\n\nQUJDREVG\n", []string{"1", "1~b base64"}, "field-name-damaged", Ambiguous},
		{"names of signed fields", "DKIM-Signature: h=From:To:\n Content-Type:Content-Transfer-Encoding\n\nhello\n", []string{"1"}, "", 0},
	}
	for _, tt := range tests {
		tree := reread(crlf(tt.msg), Limits{})
		if got := readings(tree); !slices.Equal(got, tt.want) {
			t.Errorf("%s: leaves %q, want %q", tt.name, got, tt.want)
		}
		codes := noted(tree)
		class, said := codes[tt.code]
		switch {
		case tt.code == "" && len(codes) > 0, tt.code != "" && (!said || class != tt.class):
			t.Errorf("%s: said %v, want %s(%d)", tt.name, codes, tt.code, tt.class)
		}
	}
}

func TestReadingName(t *testing.T) {
	for n, want := range map[int]string{1: "b", 25: "z", 26: "ba", 27: "bb", 51: "bz", 52: "ca"} {
		if got := readingName(n); got != want {
			t.Errorf("reading %d is %q, want %q", n, got, want)
		}
	}
}

func TestSmuggling(t *testing.T) {
	for mark, want := range map[string]bool{
		"\r\n.\r\n": false, "\n.\n": true, "\n.\r\n": true, "\r\n.\n": true, "\r.\r": true, "\r.\r\n": true, "\r\n.\r": true, "\n.\r\r\n": true, "\n..\n": false, "x.\n": false,
	} {
		for _, size := range []int{1, 2, 3, 1000} {
			tree := parseChunks("Subject: x\r\n\r\nfirst"+mark+"second\r\n", 0, always(size))
			if _, got := noted(tree)["smuggling-mark"]; got != want {
				t.Errorf("%q in chunks of %d: %v", mark, size, got)
			}
		}
	}
	if codes := noted(parse(t, "Subject: x\n\nfirst\n.\nsecond\n")); len(codes) > 0 {
		t.Errorf("a file with LF says %v", codes)
	}
}
