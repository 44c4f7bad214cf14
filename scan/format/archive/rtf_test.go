package archive

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// oleObject is an embedded object of OLE 1.
func oleObject(class, data string) string {
	return le32s(0x501) + le32s(2) + le32s(len(class)+1) + class + "\x00" + le32s(0) + le32s(0) + le32s(len(data)) + data
}

func TestRTF(t *testing.T) {
	pack := oleObject("Package", packaged("eicar.com", `C:\x\eicar.com`, `C:\t\eicar.com`, eicar))
	digits := hex.EncodeToString([]byte(pack))
	half := len(digits)/2 | 1
	in := func(digits string) string {
		return `{\rtf1\ansi text{\object\objemb{\*\objclass Package}{\*\objdata ` + digits + `}{\result{\pict 0102}}} text}`
	}
	for name, c := range map[string]struct{ text, names string }{
		"package":           {in(digits), "eicar.com"},
		"capitals, blanks":  {in(strings.ToUpper(digits[:half]) + "\r\n \t" + digits[half:]), "eicar.com"},
		"control words":     {in(digits[:half] + `\par\cf12 ` + digits[half:]), "eicar.com"},
		"group":             {in(digits[:half] + `{}{\x12}` + digits[half:]), "eicar.com"},
		"ignored group":     {in(digits[:half] + `{\*\unknown 0123{41}}` + digits[half:]), "eicar.com"},
		"escaped character": {in(digits[:half] + `\'41` + digits[half:]), "eicar.com"},
		"other letters":     {in(digits[:half] + "xyz~" + digits[half:]), "eicar.com"},
		"binary":            {in(digits[:half&^1] + fmt.Sprintf(`\bin%d `, len(pack)-half/2) + pack[half/2:]), "eicar.com"},
		"no end":            {in(digits)[:strings.Index(in(digits), "}{\\result")], "eicar.com"},
		"two objects":       {in(digits) + in(digits), "eicar.com eicar.com"},
		"short mark":        {strings.Replace(in(digits), "rtf1", "rt", 1), "eicar.com"},
		"no object":         {`{\rtf1 only text}`, ""},
		"no digits":         {in(""), ""},
	} {
		got := open(t, name, []byte(c.text))
		names := strings.TrimSpace(got.names()) // the picture has none
		if got.err != nil || names != c.names || got.codes() != "" || c.names != "" && !got.has("eicar.com", eicar) {
			t.Errorf("%s: %q, notes %v, %v", name, got.names(), got.notes, got.err)
		}
	}
}

// What is in digits as it is, is a file: stores, themes, pictures.
func TestRTFData(t *testing.T) {
	digits := hex.EncodeToString([]byte(eicar))
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"store":              {`{\rtf1 {\*\datastore ` + digits + `}}`, true},
		"store in lines":     {"{\\rtf1 {\\*\\datastore\r\n" + digits[:64] + "\r\n" + digits[64:] + "}}", true},
		"theme":              {`{\rtf1 {\*\themedata ` + digits + `}}`, true},
		"picture":            {`{\rtf1 {\pict{\*\picprop{\sp{\sn a}{\sv 1}}}\picw10\pngblip ` + digits + `}}`, true},
		"picture in bytes":   {`{\rtf1 {\pict\wmetafile8\bin68 ` + eicar + `}}`, true},
		"picture and id":     {`{\rtf1 {\pict\pngblip{\*\blipuid 0123456789abcdef}` + digits + `}}`, true},
		"the second of two":  {`{\rtf1 {\pict 0102}{\pict ` + digits + `}}`, true},
		"no such word":       {`{\rtf1 {\pictures ` + digits + `}{\*\datastores ` + digits + `}}`, false},
		"nothing":            {`{\rtf1 {\pict}}`, false},
		"words that end all": {`{\rtf1 \pict`, false},
	} {
		got := open(t, "a.rtf", []byte(c.text))
		found := false
		for _, m := range got.members {
			found = found || m.body == eicar
		}
		if found != c.want || got.err != nil || got.codes() != "" {
			t.Errorf("%s: %d members, %s, %v", name, len(got.members), got.codes(), got.err)
		}
	}
}

func TestRTFWithCompoundFile(t *testing.T) {
	file := string(makeCFB(node{name: "x", data: eicar}))
	for name, object := range map[string]string{
		"embedded":   oleObject("Word.Document.8", file),
		"no header":  file,
		"bad header": "\x01\x05\x00\x00\x02\x00\x00\x00\xff\xff\xff\x7f" + file,
		"other data": oleObject("Equation.3", eicar),
	} {
		got := open(t, name, []byte(`{\rtf1{\object{\objdata `+hex.EncodeToString([]byte(object))+"}}}"))
		want := file
		if name == "other data" {
			want = eicar
		}
		if len(got.members) != 1 || got.members[0].body != want || got.codes() != "" {
			t.Errorf("%s: %d members, notes %v", name, len(got.members), got.notes)
		}
	}
}
