package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/scratch"
)

// objectsOf are all objects of a document.
func objectsOf(t testing.TB, text string) (objects []Object, trouble string) {
	t.Helper()
	r := NewReader(context.Background(), strings.NewReader(text), 4*int64(len(text))+1<<10)
	err := r.Each(func(o Object) error {
		objects = append(objects, o)
		return nil
	})
	if err != nil {
		t.Fatalf("%.100q: %v", text, err)
	}
	return objects, r.Trouble()
}

func TestValues(t *testing.T) {
	for text, want := range map[string]any{
		"12":                                int64(12),
		"-1.5":                              int64(-1),
		"+7":                                int64(7),
		"99999999999999999999":              int64(0),
		"true":                              true,
		"null":                              nil,
		"12 0 R":                            Ref(12),
		"12 %c\n0 %c\nR":                    Ref(12),
		"12 0 RG":                           int64(12),
		"/Name":                             Name("Name"),
		"/#4eam#65#":                        Name("Name#"),
		`(a(b)\)\n\101\1011\8)`:             String("a(b))\nAA18"),
		"(a\\\nb)":                          String("ab"),
		"(open":                             String("open endobj"),
		"<4 1 4z2 5>":                       String("ABP"),
		"<41":                               String("A\xed\xb0"),
		"[ 1 /a 2 0 R null (s) 3.5 ]":       Array{Name("a"), Ref(2), nil, String("s")},
		"<< /A 1 /B [ /C ] /A << >> >>":     Dict{{"A", int64(1)}, {"B", Array{Name("C")}}, {"A", Dict{}}},
		"<< 1 /A/B/C>>":                     Dict{{"A", Name("B")}},
		"<< /A endobj":                      Dict{},
		"% (comment\r\n<< /A %comment\n1>>": Dict{{"A", int64(1)}},
		"":                                  nil,
	} {
		objects, trouble := objectsOf(t, "12 3 obj "+text+" endobj")
		if len(objects) != 1 || trouble != "" {
			t.Errorf("%q: %v, %q", text, objects, trouble)
			continue
		}
		if o := objects[0]; o.Number != 12 || o.Generation != 3 || o.Data != 0 || !reflect.DeepEqual(o.Value, want) {
			t.Errorf("%q: %#v, want %#v", text, o.Value, want)
		}
	}
}

// What readers of PDF read in several ways is read in both.
func TestUnclearValues(t *testing.T) {
	for text, want := range map[string][]any{
		"<< /A [ /B >> /C ]":    {Dict{{"A", Array{Name("B"), Name("C")}}}, Dict{{"A", Array{Name("B")}}}},
		"<</A\v/B>>":            {Dict{{"A\v", Name("B")}}, Dict{{"A", Name("B")}}},
		"<< /A 1 ] /B 2 >>":     {Dict{{"A", int64(1)}, {"B", int64(2)}}, Dict{{"A", int64(1)}}},
		"<< [ /A 1 ] /B 2 >>":   {Dict{{"A", int64(1)}, {"B", int64(2)}}, Dict{{"B", int64(2)}}},
		"<< /A 1 > /B 2 >>":     {Dict{{"A", int64(1)}, {"B", int64(2)}}, Dict{{"A", int64(1)}}},
		"[ /A > /B ]":           {Array{Name("A"), Name("B")}, Array{Name("A")}},
		"<< << /A 1 >> /B 2 >>": {Dict{{"A", int64(1)}}, Dict{{"B", int64(2)}}},
	} {
		objects, _ := objectsOf(t, "1 0 obj "+text+" endobj")
		var got []any
		for i, o := range objects {
			got = append(got, o.Value)
			if o.Again != (i > 0) {
				t.Errorf("%q: reading %d is %+v", text, i, o)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %#v", text, got)
		}
	}
}

func TestObjectsAreFoundAnywhere(t *testing.T) {
	for text, want := range map[string]string{
		"1 0 obj\n1\nendobj\n2 5 obj 2 endobj":         "1.0:1 2.5:2",
		"%1 0 obj 1":                                   "1.0:1",
		"1 0 obj ( 2 0 obj /a )":                       "1.0: 2 0 obj /a  2.0:a",
		"1 0obj<</Length 3>>stream\n2 0 obj 5 endobj":  "1.0:[{Length 3}]@26 2.0:5",
		"obj 1 /obj/x":                                 "-1.0:1 1.0:x",
		"trailer << /Size 1 >>":                        "trailer:[{Size 1}]",
		"1 0 obj << >> stream\r\nx":                    "1.0:[]@22",
		"1 0 obj << >> stream\rx":                      "1.0:[]@21",
		"1 0 obj << >> streamx":                        "1.0:[]@20",
		"1 0 obj << >> strea":                          "1.0:[]",
		"1 0 obj [ ] stream\n":                         "1.0:[]",
		"2 x obj /a":                                   "2.0:a",
		"12345678901234567890 0 obj 1":                 "-1.0:1",
		"objtrailer 1":                                 "-1.0:<nil> trailer:1",
		"oobj 1 endobj endobj trailtrailer 2 trailerr": "-1.0:1 trailer:2 trailer:<nil>",
	} {
		objects, _ := objectsOf(t, text)
		var got []string
		for _, o := range objects {
			s := fmt.Sprintf("%d.%d:%v", o.Number, o.Generation, o.Value)
			if o.Trailer {
				s = fmt.Sprintf("trailer:%v", o.Value)
			}
			if o.Data > 0 {
				s += fmt.Sprintf("@%d", o.Data)
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %s, want %s", text, s, want)
		}
	}
}

// Marks, numbers and objects lie across the ends of windows.
func TestObjectsAcrossWindows(t *testing.T) {
	const text = "17 4 obj << /A (text) /B 18 0 R >> stream\nx endstream endobj trailer << /Size 3 >>"
	for before := scratch.Size - len(text) - 40; before <= scratch.Size+40; before++ {
		objects, trouble := objectsOf(t, strings.Repeat("i", before)+" "+text)
		want := Dict{{"A", String("text")}, {"B", Ref(18)}}
		if len(objects) != 2 || trouble != "" || objects[0].Number != 17 || objects[0].Data == 0 || !reflect.DeepEqual(objects[0].Value, want) || !objects[1].Trailer {
			t.Fatalf("at %d: %+v, %q", before, objects, trouble)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, c := range map[string]struct{ text, trouble string }{
		"overlap":  {strings.Repeat("1 0 obj (", 1<<12), "its objects overlap too often"},
		"comments": {strings.Repeat("1 0 obj %", 1<<12), "its objects overlap too often"},
		"depth":    {"1 0 obj " + strings.Repeat("[", 1000), "its objects stand too deep inside each other"},
		"mixed":    {"1 0 obj " + strings.Repeat("<</A[", 1000), "its objects stand too deep inside each other"},
		"values":   {"1 0 obj [" + strings.Repeat("[]", mostValues), "an object holds more values than are kept"},
		"numbers":  {"1 0 obj [" + strings.Repeat("1 2 ", mostValues), ""},
		"names":    {"1 0 obj [" + strings.Repeat("/a", mostValues/2), ""},
	} {
		if _, trouble := objectsOf(t, c.text); trouble != c.trouble {
			t.Errorf("%s: %q", name, trouble)
		}
	}
}

func TestReaderStops(t *testing.T) {
	const text = "1 0 obj 1 2 0 obj 2"
	stop := errors.New("stop")
	calls := 0
	r := NewReader(context.Background(), strings.NewReader(text), 100)
	if err := r.Each(func(Object) error { calls++; return stop }); err != stop || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := NewReader(ctx, strings.NewReader(text), 100).Each(func(Object) error { return nil }); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

// Objects are found again while others are handed over.
func TestAt(t *testing.T) {
	const text = "1 0 obj << /A 1 >> stream\nx\nendstream 2 0 obj (two)"
	r := NewReader(context.Background(), strings.NewReader(text), 1000)
	var first Object
	err := r.Each(func(o Object) error {
		if o.Number == 1 {
			first = o
			return nil
		}
		again, err := r.At(Object{Number: 1, At: first.At})
		if !reflect.DeepEqual(again, first) || o.Value != String("two") {
			t.Errorf("%+v, then %+v", first, again)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPacked(t *testing.T) {
	for name, c := range map[string]struct {
		data  string
		first int64
		want  string
	}{
		"plain":        {"3 0 7 2 1 2 ", 8, "3:1 7:2"},
		"no places":    {"3 7   1 2", 0, "-1:3 -1:7 -1:1 -1:2"},
		"bad first":    {"1 2", 99, "-1:1 -1:2"},
		"other order":  {"3 2 7 0 1 2", 8, "3:2 7:1 3:1 7:2"},
		"more than is": {"3 0 1 2", 4, "3:1 3:1 -1:2"},
		"far away":     {"3 99 1", 5, "3:1"},
	} {
		var got []string
		r := NewReader(context.Background(), strings.NewReader(""), 1000)
		err := r.Packed([]byte(c.data), c.first, func(o Object) error {
			got = append(got, fmt.Sprintf("%d:%v", o.Number, o.Value))
			return nil
		})
		if s := strings.Join(got, " "); err != nil || s != c.want {
			t.Errorf("%s: %s, want %s, %v", name, s, c.want, err)
		}
	}
}

func TestEnds(t *testing.T) {
	for _, c := range []struct {
		text   string
		length int64
		want   int64
	}{
		{"data\nendstream", 4, 4}, {"data\nendstream", -1, 4}, {"data\r\nendstream", 2, 4}, {"dataendstream", 99, 4},
		{"endstream data endstream", 15, 15}, {"endstream data endstream", 3, 0}, {"data", -1, 4}, {"data", 9, 9}, {"", 0, 0},
	} {
		if end, err := NewEnds(strings.NewReader(c.text)).Of(0, c.length); err != nil || end != c.want {
			t.Errorf("%q with length %d ends at %d, %v", c.text, c.length, end, err)
		}
	}
}

func TestText(t *testing.T) {
	for s, want := range map[String]string{
		"plain": "plain", "\xfe\xff\x00\xfc\x00x": "üx", "\xff\xfe\xfc\x00": "ü", "\xef\xbb\xbfü": "ü", "\xfe\xff\x00": "",
	} {
		if got := s.Text(); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
}

func TestFiltersOfStreams(t *testing.T) {
	resolve := func(v any) any {
		if v == Ref(5) {
			return Name("Fl")
		}
		if _, ok := v.(Ref); ok {
			return nil
		}
		return v
	}
	for text, want := range map[string][]Filter{
		"<< >>":                                {},
		"<< /Filter /A85 >>":                   {{Name: "A85"}},
		"<< /F [ /A85 ] >>":                    {{Name: "A85"}},
		"<< /F << /F (a) >> >>":                {},
		"<< /Filter [ /AHx x 5 0 R 6 0 R ] >>": {{Name: "AHx"}, {Name: "Fl"}, {}},
		"<< /Filter [ /AHx /Fl ] /DecodeParms [ null << /Predictor 12 /Columns 4 /Colors 2 >> ] >>": {{Name: "AHx"}, {Name: "Fl", Predictor: 12, Columns: 4, Colors: 2}},
		"<< /Filter /LZW /DP << /EarlyChange 0 >> >>":                                               {{Name: "LZW", Late: true}},
		"<< /Filter /Crypt /DecodeParms << /Name /StdCF >> >>":                                      {{Name: "Crypt", Crypt: "StdCF"}},
	} {
		objects, _ := objectsOf(t, "1 0 obj "+text)
		got := objects[0].Value.(Dict).Filters(resolve)
		if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

// FuzzReader checks what is true of all documents: objects come in the order of the
// file, each is found again where it was, and every mark is found.
func FuzzReader(f *testing.F) {
	f.Add([]byte("%PDF-1.7\n1 0 obj << /A [ (x) <41> 2 0 R ] /B true >> stream\nx\nendstream endobj trailer << /Size 1 >>"))
	f.Add([]byte("1 0 obj [ >> << ] \v/a\v ( 2 0 obj % trailer"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(context.Background(), bytes.NewReader(data), 4*int64(len(data)))
		again := NewReader(context.Background(), bytes.NewReader(data), 1<<40)
		last, marks := int64(0), 0
		err := r.Each(func(o Object) error {
			if o.Again != (o.At == last) || o.At < last || o.Data > int64(len(data)) || o.Data > 0 && o.Data < o.At {
				t.Errorf("%+v behind one at %d", o, last)
			}
			last = o.At
			if !o.Again {
				marks++
			}
			Dicts(o.Value, func(d Dict) { d.Filters(func(v any) any { return v }) })
			if second, err := again.At(o); err != nil || r.Trouble() == "" && !reflect.DeepEqual(second, o) {
				t.Errorf("%+v, then %+v, %v", o, second, err)
			}
			return nil
		})
		want := bytes.Count(data, []byte("obj")) - bytes.Count(data, []byte("endobj")) + bytes.Count(data, []byte("trailer"))
		if err != nil || !r.over && marks != want {
			t.Errorf("%d marks of %d, %v, %q", marks, want, err, r.Trouble())
		}
		if err := r.Packed(data, int64(len(data)/3), func(Object) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}
