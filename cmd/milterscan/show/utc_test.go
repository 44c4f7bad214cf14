package show

import (
	"bytes"
	"testing"
	"time"
)

type (
	within struct{ At time.Time }
	own    struct{ At time.Time }
)

// MarshalJSON writes the time as it is.
func (o own) MarshalJSON() ([]byte, error) { return []byte(o.At.Format(`"15:04 -0700"`)), nil }

// TestInUTC has programs told times in UTC, wherever they are in a value, which itself stays as it was.
func TestInUTC(t *testing.T) {
	at := time.Date(2026, 11, 30, 1, 2, 3, 0, time.FixedZone("", -5*3600))
	v := struct {
		within
		P    *time.Time
		L    []within
		A    [1]time.Time
		M    map[string]any
		N    []byte
		Own  own
		Text string
		Nil  *within
		None []within
		hid  time.Time
	}{within{at}, &at, []within{{at}}, [1]time.Time{at}, map[string]any{"x": at, "y": nil}, []byte{1}, own{at}, at.Format(time.RFC3339), nil, nil, at}
	var out bytes.Buffer
	JSON(&out, v)
	const z = `"2026-11-30T06:02:03Z"`
	want := `{"At":` + z + `,"P":` + z + `,"L":[{"At":` + z + `}],"A":[` + z + `],"M":{"x":` + z + `,"y":null},"N":"AQ==","Own":"01:02 -0500",` +
		`"Text":"2026-11-30T01:02:03-05:00","Nil":null,"None":null}` + "\n"
	if out.String() != want || v.L[0].At != at || v.M["x"] != at || *v.P != at || v.hid != at {
		t.Errorf("%s%s%v", &out, want, v)
	}
	out.Reset()
	if JSON(&out, nil); out.String() != "null\n" {
		t.Error(out.String())
	}
}
