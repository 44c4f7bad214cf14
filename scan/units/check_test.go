package units

import (
	"errors"
	"testing"
)

type colour string

func TestCheck(t *testing.T) {
	var c Check
	if c.Err() != nil {
		t.Error("there are faults before anything was checked")
	}
	c.If(false, "a", "not so")
	c.If(true, "b", "%d", 1)
	c.AtLeast("c", 2, 2)
	c.AtLeast("d", 1, 2)
	c.Absolute("e", "/etc/x", "/x")
	c.Absolute("f", "etc/x", "/x")
	c.Word("g", "in", "in", "out")
	c.Word("h", "up", "in", "out")
	c.Add(nil, errors.New("elsewhere"))
	c.Entry("list", 0, "one", nil)
	c.Entry("limit", 0, "one", nil)
	c.Entry("list", 1, "one", Wrong("zone", "bad"))
	want := []Fault{
		{"b", "1"}, {"d", "1 is too few; write at least 2"}, {"f", `"etc/x" is no absolute path; write one such as "/x"`},
		{"h", `"up" is not known; it can be "in" or "out"`}, {"", "elsewhere"}, {"list[1].zone", "bad"},
		{"list[1].name", `two lists are called "one"; give each its own name`},
	}
	got := Faults(c.Err())
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got[i], want[i])
		}
	}
}

func TestReadWord(t *testing.T) {
	known := []colour{"red", "green", "blue"}
	var c colour
	if err := ReadWord(&c, []byte("green"), known...); err != nil || c != "green" {
		t.Errorf("%q, %v", c, err)
	}
	err := ReadWord(&c, []byte("Green"), known...)
	if err == nil || err.Error() != `"Green" is not known; it can be "red", "green" or "blue"` || c != "green" {
		t.Errorf("%q, %v", c, err)
	}
	if got := Words(known[:1]); got != `"red"` {
		t.Error(got)
	}
}
