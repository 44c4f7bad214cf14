package charset

import "testing"

func TestTransparent(t *testing.T) {
	for _, label := range []string{"utf-8", "us-ascii", "iso-8859-1", "windows-1252", "koi8-r", "gb2312", "big5", "euc-jp", "unheard-of", ""} {
		if !Transparent(label) {
			t.Errorf("%s hides ASCII", label)
		}
	}
	for _, label := range []string{"utf-16", "utf-16le", "utf-32", "utf-7", "iso-2022-jp", "hz-gb-2312", "cp037", "cp500", "IBM500", "ibm-1026", "cp1140", "CP00273", "csunicode", "ucs-4"} {
		if !Known(label) || Transparent(label) {
			t.Errorf("%s shows ASCII as it is", label)
		}
	}
}
