package charset

import (
	"io"
	"strings"
	"testing"
)

// A page reads the same in every code page, but for the quotation marks of some.
func TestEBCDIC(t *testing.T) {
	page := []byte("\x4c\x81\x40\x88\x99\x85\x86\x7e\x88\xa3\xa3\x97\x7a\x61\x61\xf1\xf9\xf8\x4b\xf5\xf1\x6e") // <a href=http://198.51>
	for _, label := range []string{
		"ibm037", "cp037", "cp500", "IBM500", "ibm-500", "ebcdic-cp-ch", "cp00273", "ibm273", "cp424", "cp875", "cp1026", "ibm1026",
		"cp1047", "cp1140", "ibm01140", "cp277", "ibm-1148", "x-ebcdic-international",
	} {
		if got, ok := Decode(label, page); !ok || got != "<a href=http://198.51>" {
			t.Errorf("%s: %q, %v", label, got, ok)
		}
	}
	for label, want := range map[string]string{"cp500": "[]!^|", "cp273": "ÄÜ!", "cp1026": "ıİ"} {
		in := map[string]string{"cp500": "\x4a\x5a\x4f\x5f\xbb", "cp273": "\x4a\x5a\x4f", "cp1026": "\x79\x5b"}[label]
		if got, _ := Decode(label, []byte(in)); got != want {
			t.Errorf("%s: %q, want %q", label, got, want)
		}
	}
	for _, label := range []string{"cp", "ibm", "cp99999", "ibm-", "cp0"} {
		if Known(label) {
			t.Errorf("%q is known", label)
		}
	}
}

func TestUTF32WithoutMark(t *testing.T) {
	for in, label := range map[string]string{"<\x00\x00\x00a\x00\x00\x00": "utf-32", "\x00\x00\x00<\x00\x00\x00a": "ucs-4", "\xff\xfe\x00\x00<\x00\x00\x00a\x00\x00\x00": "utf-32"} {
		r, ok := NewReader(label, strings.NewReader(in))
		if !ok {
			t.Fatal(label)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != "<a" {
			t.Errorf("%q as %s: %q, %v", in, label, got, err)
		}
		if got, _ := Decode(label, []byte(in)); got != "<a" {
			t.Errorf("%q as %s: %q", in, label, got)
		}
	}
}

func TestMark(t *testing.T) {
	for text, want := range map[string]string{
		"\xef\xbb\xbfa": "utf-8", "\xff\xfea\x00": "utf-16", "\xfe\xff\x00a": "utf-16", "\xff\xfe\x00\x00a\x00\x00\x00": "utf-32", "\x00\x00\xfe\xff": "utf-32",
		"": "", "\xef\xbb": "", "\x00\x00\xfe": "", "<html>": "", "\xff\xfe": "utf-16",
		"<\x00h\x00": "utf-16le", "\x00<\x00!": "utf-16be", "<\x00\x00\x00a": "utf-32le", "\x00\x00\x00<\x00": "utf-32be",
		"<\x00\x00a": "", "<\x00h": "", "a\x00b\x00": "", "<\x00h>": "",
	} {
		marked := want != "" && !strings.Contains(text, "<")
		if got, n := Mark([]byte(text)); got != want || (n > 0) != marked {
			t.Errorf("%q: %q, %d bytes; want %q", text, got, n, want)
		}
	}
}
