package archive

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

const (
	onePixelPNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
	onePixelGIF = "R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="
)

func TestCarried(t *testing.T) {
	hello := base64.StdEncoding.EncodeToString([]byte("hello"))
	png, _ := base64.StdEncoding.DecodeString(onePixelPNG)
	zipped := base64.StdEncoding.EncodeToString(append(png, "PK\x03\x04"...))
	for name, c := range map[string]struct {
		text, want string // names and types of what is carried
	}{
		"link":                  {`<a href="data:text/plain;base64,` + hello + `">x</a>`, "download.txt text/plain"},
		"named":                 {`<a href="data:text/plain;base64,` + hello + `" download="a.txt">x</a>`, "a.txt,download.txt text/plain"},
		"named without end":     {`<a download="a" href="data:application/zip,hello">x</a>`, "a.zip,download.zip application/zip"},
		"name of another tag":   {`<a download="a.txt">x</a><img src="data:x/y,hello">`, "data x/y"},
		"two":                   {`<img src="data:x/y,hello"><img src="data:x/z,hello2">`, "data x/y; data x/z"},
		"the same twice":        {`<img src="data:x/y,hello"><img src="data:x/y,hello">`, "data x/y"},
		"library in its place":  {`<script src="data:application/javascript;base64,` + hello + `"></script>`, "data application/javascript"},
		"a pixel":               {`<img src="data:image/png;base64,` + onePixelPNG + `"><img src='data:image/gif;base64,` + onePixelGIF + `'>`, ""},
		"a pixel to save":       {`<a download=a.png href="data:image/png;base64,` + onePixelPNG + `">`, "a.png,download image/png"},
		"a pixel and more":      {`<img src="data:image/png;base64,` + zipped + `">`, "data image/png"},
		"nothing":               {`<img src="data:,">`, ""},
		"a word":                {`<p>Our data: it is in "data:text/html,<b>x" and data:text/plain,hello</p>`, ""},
		"a word after a sign":   {`<p title="data: one, two">x (data: hello, world)</p>`, ""},
		"style":                 {`<style>a{background:url( "data:x/y,hello" )}</style>`, "data x/y"},
		"picture of a set":      {`<img srcset="a.png 1x, data:x/y,hello 2x">`, "data x/y"},
		"not closed":            {`<img src="data:x/y;base64,` + hello, "data x/y"},
		"alone in a text":       {"see data:x/y;base64," + hello + " and", "data x/y"},
		"alone, at the start":   {"data:x/y;base64," + hello, "data x/y"},
		"alone in brackets":     {"see <data:x/y;base64," + hello + ">", "data x/y"},
		"alone, folded":         {"data:x/y;base64," + hello + "\r\n" + hello + "\r\n\r\n", "data x/y; data x/y"},
		"in a word":             {"metadata:x/y;base64," + hello, ""},
		"words":                 {"data: x/y;base64, " + hello, ""},
		"no comma":              {`<img src="data:x/y;base64">x, y`, ""},
		"line ends in the head": {"<a href='da\n\tta:appli\r\ncation/z\tip;ba\nse64," + hello + "'>x</a>", "download.zip application/zip"},
		"line ends, no quotes":  {"<style>a{b:url(data:x/\ny;base\n64," + hello + ")}</style>", "data x/y"},
		"a line end in a word":  {"<p>{data:\nx/y, hello}</p>", ""},
		"a long head":           {`<a href="data:x/y;a=` + strings.Repeat("a", 5000) + `;name=b.txt;base64,` + hello + `">x</a>`, "b.txt x/y"},
		"an endless head":       {`<a href="data:x/y;a=` + strings.Repeat("a", 70000) + `;base64,` + hello + `">x</a>`, ""},
		"behind a key":          {"<script>x={data:1};y='data:x/y;base64," + hello + "'</script>", "data x/y"},
		"behind keys":           {"<script>x={data:a?b/c:1};y={data:{data:\"data:x/y;base64," + hello + "\"}}</script>", "data a?b/c:1}"},
		"behind a label":        {"<script>data:for(;;){x=`data:x/y;base64," + hello + "`}</script>", "data x/y"},
		"behind style":          {"<style>a{data:1;b:url(data:x/y;base64," + hello + ")}</style>", "data x/y"},
		"behind an attribute":   {"<a data:x=1 href='data:x/y;base64," + hello + "'>x</a>", "download x/y"},
		"behind the scheme":     {"data:data:'data:x/y;base64," + hello + "'", "data x/y"},
		"behind a long text":    {"<script>{data:" + strings.Repeat("x ", 3000) + ";y='data:x/y;base64," + hello + "'</script>", "data x/y"},
		"behind an empty type":  {"<script>{data:;y='data:x/y;base64," + hello + "'}</script>", "data "},
		"behind a quoted one":   {"<a onclick='x={data:1};y=&quot;data:x/y;base64," + hello + "&quot;'>x</a>", "download x/y"},
		"with another in it":    {"<a href='data:x/y;a=data:;base64," + hello + "'>x</a>", "download x/y"},
		"returned":              {"<script>return'data:x/y;base64," + hello + "'</script>", "data x/y"},
		"quoted in a text":      {"They say \"data:x/y;base64," + hello + "\" and", "data x/y"},
		"an address after that": {`<img src="data:"><a href="data:x/y,hello">`, "download x/y"},
	} {
		t.Run(name, func(t *testing.T) {
			w := walkBytes(t, carriedFormat{}, []byte(c.text), NewBudget(testLimits))
			var got []string
			for _, m := range w.members {
				got = append(got, strings.Join(m.Names, ",")+" "+m.Type)
				if !strings.HasPrefix(m.body, "hello") && !strings.HasPrefix(m.body, "\x89PNG") {
					t.Errorf("body %q", m.body)
				}
			}
			if have := strings.Join(got, "; "); have != c.want || w.err != nil || len(w.notes) > 0 {
				t.Errorf("carried %q, want %q; notes %s, %v", have, c.want, w.codes(), w.err)
			}
		})
	}
}

// Texts without an address are not walked, and neither is what is no text.
func TestCarriedMatches(t *testing.T) {
	for text, want := range map[string]bool{
		"<p>hello: all &amp; one &#160; &copy;</p>": false,
		"<p>metadata: x</p>":                        true,
		"<a href=da&#116;a:,x>":                     true,
		"<a href='DATA:,x'>":                        true,
		"<a href='da\n\tta:,x'>":                    true,
		"%PDF-1.4 data:,x":                          false,
		`{\rtf1 data:,x}`:                           false,
		"BEGIN:VCARD\nPHOTO:data:,x":                false,
		"\x00\x01\x02\x03\x04 data:,x":              false,
		strings.Repeat("x", 70000) + " data:,x":     true,
	} {
		head := []byte(text[:min(len(text), HeadSize)])
		if got := (carriedFormat{}).Match(head, bytes.NewReader([]byte(text))); got != want {
			t.Errorf("%.40q: %v", text, got)
		}
	}
}

// What a text carries obeys the limits of all containers.
func TestCarriedObeysLimits(t *testing.T) {
	var many strings.Builder
	for i := range 2 * testLimits.Entries {
		fmt.Fprintf(&many, `<img src="data:x/y,hello%d">`, i)
	}
	if w := walkBytes(t, carriedFormat{}, []byte(many.String()), NewBudget(testLimits)); w.err != ErrLimit || w.codes() != tooManyMembers {
		t.Errorf("%d members, %s, %v", len(w.members), w.codes(), w.err)
	}
	small := testLimits
	small.Member = 1000
	large := `<img src="data:x/y,` + strings.Repeat("hello", 5000) + `">`
	if w := walkBytes(t, carriedFormat{}, []byte(large), NewBudget(small)); w.codes() != memberTooLarge {
		t.Errorf("%s, %v", w.codes(), w.err)
	}
}

func TestCalendarPages(t *testing.T) {
	object := func(line string) []byte {
		return []byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + line + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	}
	for line, want := range map[string]string{
		`X-ALT-DESC;FMTTYPE=text/html:<b>a\, b\;` + "\r\n" + ` c\n</b>`: "x-alt-desc text/html <b>a, b;c\n</b>",
		`X-ALT-DESC:<b>x</b>`: "x-alt-desc text/html <b>x</b>",
		`STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE="text/html":<b>x</b>`:                  "styled-description text/html <b>x</b>",
		`STYLED-DESCRIPTION;VALUE=URI:data:text/html,<b>x</b>`:                        "styled-description text/html <b>x</b>",
		"X-ALT-DESC;ENCODING=QUOTED-PRINTABLE:<b>=41=\r\nB</b>":                       "x-alt-desc text/html <b>AB</b>",
		`DESCRIPTION;ALTREP="data:text/html,<b>x</b>":x`:                              "description text/html <b>x</b>",
		`DESCRIPTION:<b>x</b>`:                                                        "",
		`ATTACH:https://www.example.org/a.exe`:                                        "",
		`X-ALT-DESC;FMTTYPE=text/html:`:                                               "x-alt-desc text/html ",
		`ATTACH;` + strings.Repeat("X=y;", propertyHead) + `ENCODING=BASE64:aGVsbG8=`: tooComplex,
	} {
		w := walkBytes(t, calendarFormat{}, object(line), NewBudget(testLimits))
		got := w.codes()
		for _, m := range w.members {
			got += m.name() + " " + m.Type + " " + m.body
		}
		if got != want || w.err != nil {
			t.Errorf("%.60s: %q, want %q; %v", line, got, want, w.err)
		}
	}
}
