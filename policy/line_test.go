package policy

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/milterscan/milterscan/scan"
)

// nasty are texts that grow when they are escaped, or move what a reader sees.
var nasty = []string{"\x00", "\x1b", "\n", "\"", "\\", "\x7f", "\u009b", "\u0085", "\u2028", "\u202e", "\u200b", "\ufeff", "\U000e0001", "\xff", "ä", "a"}

func nastyText(n int) string { return strings.Repeat(nasty[n%len(nasty)], n) }

// nastyRecord fills every list and text of a record.
func nastyRecord(list, text int) Record {
	var r Record
	v := reflect.ValueOf(&r).Elem()
	fillValue(v, list, text)
	r.places = nil
	for i := range r.Recipients {
		r.Recipients[i].Because = &RecordFinding{Rule: nastyText(text), Detail: nastyText(text + 1), Part: nastyText(text + 2)}
	}
	return r
}

func fillValue(v reflect.Value, list, text int) {
	switch {
	case !v.CanSet():
	case v.Kind() == reflect.String:
		v.SetString(nastyText(text))
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		v.Set(reflect.MakeSlice(v.Type(), list, list))
		for i := range list {
			fillValue(v.Index(i), min(list, 2), text+i%16)
		}
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			fillValue(v.Field(i), list, text)
		}
	}
}

// TestLinesAreShortAndVisible writes records of all sizes with every kind of text.
func TestLinesAreShortAndVisible(t *testing.T) {
	for _, size := range [][2]int{{0, 0}, {1, 1}, {1, 2000}, {7, 30}, {7, 500}, {100, 100}, {300, 500}} {
		for kind := range nasty {
			list, text := size[0], size[1]-size[1]%len(nasty)+kind
			r := nastyRecord(list, text)
			r.Verdicts, r.Alternatives = nil, nil
			line := r.Line()
			if len(line) > MaxLine-around {
				t.Errorf("%d in lists, texts of %d: a line of %d bytes", list, text, len(line))
			}
			var back Record
			if err := json.Unmarshal(line, &back); err != nil {
				t.Fatalf("%v in %q", err, line)
			}
			if len(back.Findings)+back.MoreFindings != list || len(back.Recipients)+back.MoreRecipients != list {
				t.Errorf("of %d there are %d findings and %d more, %d recipients and %d more", list, len(back.Findings), back.MoreFindings, len(back.Recipients), back.MoreRecipients)
			}
			for _, c := range string(line) {
				if !unicode.IsPrint(c) {
					t.Fatalf("%U in %q", c, line)
				}
			}
		}
	}
}

// TestOrdinaryLinesAreWhole has nothing cut of a record that is short enough.
func TestOrdinaryLinesAreWhole(t *testing.T) {
	r := nastyRecord(5, 20)
	r.Verdicts, r.Alternatives, r.Contents = nil, nil, nil
	if got := r.Line(); string(got) != string(JSON(r)) {
		t.Errorf("%s\nis not\n%s", got, JSON(r))
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "plain ä 日本": "plain ä 日本", "\x1b[31m": `\u001b[31m`, "a\r\nb\tc": `a\u000d\u000ab\u0009c`, "\x7f\u0085\u009b": `\u007f\u0085\u009b`,
		"\u2028\u2029\u202e\u2066\u200b\ufeff": `\u2028\u2029\u202e\u2066\u200b\ufeff`, "\U000e0041": `\udb40\udc41`, "\xff\xc2": `\ufffd\ufffd`, "\ufffd": "\ufffd",
		"\u00a0\u00ad": `\u00a0\u00ad`,
	} {
		if got := Visible(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := string(VisibleLine([]byte("a\x9bb\u0085\n"))); got != `a\ufffdb\u0085`+"\n" {
		t.Errorf("%q", got)
	}
}

// TestEscapedJSONMeansTheSame reads back what was escaped in JSON.
func TestEscapedJSONMeansTheSame(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		var b strings.Builder
		for range dice.IntN(20) {
			b.WriteRune(rune(dice.IntN(0x2fff)))
		}
		in := strings.ToValidUTF8(b.String(), "") + "\U000e0001"
		var out string
		if err := json.Unmarshal(JSON(in), &out); err != nil || out != in {
			t.Fatalf("%q comes back as %q, %v", in, out, err)
		}
	}
}

func TestMillis(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0", time.Second: "1000", 1500 * time.Microsecond: "1.5", 1234567: "1.235", 90 * time.Minute: "5400000"} {
		text, err := json.Marshal(Millis(d))
		var back Millis
		if err != nil || string(text) != want || json.Unmarshal(text, &back) != nil || back.Go() != d.Round(time.Microsecond) {
			t.Errorf("%v: %s, back %v, %v", d, text, back.Go(), err)
		}
	}
}

// TestOldRecordsAreRead has a record of the first version: nanoseconds, and
// recipients without verdicts.
func TestOldRecordsAreRead(t *testing.T) {
	old := `{"id":"x","recipients":["a@b","c@d"],"action":"deliver","took":12345678,"scanners":[{"scanner":"virus/clamd","took":2000000}],` +
		`"findings":[{"kind":"infected","rule":"virus/x"}],"verdicts":[{"recipients":["a@b"],"action":"quarantine","because":0,"rule":{"name":"r"}}]}`
	var r Record
	if err := json.Unmarshal([]byte(old), &r); err != nil {
		t.Fatal(err)
	}
	r.Upgrade()
	if r.Took.Go().Round(time.Microsecond) != 12346*time.Microsecond || r.Scanners[0].Took.Go() != 2*time.Millisecond || r.Version != RecordVersion {
		t.Errorf("%+v", r)
	}
	first, second := r.Recipients[0], r.Recipients[1]
	if first.Action != "quarantine" || first.Rule != "r" || first.Because.Kind != scan.Infected || second.Recipient != "c@d" || second.Action != "deliver" {
		t.Errorf("%+v, %+v", first, second)
	}
	took := r.Took
	if r.Upgrade(); r.Took != took {
		t.Error("upgraded twice")
	}
}

// fields calls use with each field of a value, and of all that it refers to, while no other field has a value; for a
// pointer and a list without the field.
func fields(path string, v reflect.Value, use func(path string, field reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		use(path, reflect.Value{})
		fields(path, v.Elem(), use)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		use(path, reflect.Value{})
		fields(path, v.Index(1), use)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			use(path, v)
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fields(path+"."+f.Name, v.Field(i), use)
			}
		}
		return
	default:
		use(path, v)
		return
	}
	v.SetZero()
}

// valuesFor returns values for a field of a type, nothing for types that records do not have.
func valuesFor(t reflect.Type) (list []any) {
	switch {
	case t == reflect.TypeFor[time.Time]():
		at := time.Date(2026, 2, 3, 4, 5, 6, 7e6, time.UTC)
		return []any{at, at.Truncate(time.Second), at.In(time.FixedZone("", 3600))}
	case t.Kind() == reflect.String:
		for _, s := range nasty {
			list = append(list, s, "a"+s+"b<&>")
		}
		return list
	case t.Kind() == reflect.Bool:
		return []any{true}
	case t.Kind() == reflect.Float64:
		return []any{1.5, -3, 0.1 + 0.2, 1e-6, 1e-7, -1e21, 1e20, 123456789.125, math.MaxFloat64}
	case reflect.Zero(t).CanInt():
		return []any{1, -1, 1234567, 1500}
	case reflect.Zero(t).CanUint():
		return []any{1, 200, 1 << 30}
	}
	return nil
}

// TestRecordsAreWrittenAsJSON: every field of a record, and each alone, is written as encoding/json writes it.
func TestRecordsAreWrittenAsJSON(t *testing.T) {
	same := func(path string, r Record) {
		t.Helper()
		if got, want := string(r.JSON()), string(JSON(r)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	same("nothing", Record{})
	for kind := range nasty {
		same("all", nastyRecord(3, kind))
	}
	var r Record
	n := 0
	fields("", reflect.ValueOf(&r).Elem(), func(path string, field reflect.Value) {
		n++
		if !field.IsValid() {
			same(path, r)
			return
		}
		values := valuesFor(field.Type())
		if len(values) == 0 {
			t.Errorf("%s is of a type that no value is known for", path)
		}
		for _, v := range values {
			field.Set(reflect.ValueOf(v).Convert(field.Type()))
			same(path, r)
		}
		field.SetZero()
	})
	if n < 100 {
		t.Errorf("%d fields were looked at", n)
	}
}

// TestNoNumberIsWrittenAsZero: what is no number has no word in JSON, and a record is written all the same.
func TestNoNumberIsWrittenAsZero(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		r := Record{Score: f}
		var back Record
		if err := json.Unmarshal(r.Line(), &back); err != nil || back.Score != 0 {
			t.Errorf("%v: %v in %s", f, err, r.Line())
		}
	}
}

func BenchmarkRecordLine(b *testing.B) {
	r := Record{ID: "0123456789abcdef", Time: time.Now().UTC(), Sender: "someone@example.net", Subject: "Grüße", Times: &RecordTimes{Connect: time.Now()}}
	for range 8 {
		r.Findings = append(r.Findings, RecordFinding{Scanner: "content", Rule: "content/link", Detail: "a link to https://example.org/"})
		r.Scanners = append(r.Scanners, ScannerTime{Scanner: "attachment", Took: 123456})
	}
	r.Recipients = []RecordRecipient{{Recipient: "other@example.com", Action: "deliver"}}
	for b.Loop() {
		r.Line()
	}
}
