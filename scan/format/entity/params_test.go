package entity

import (
	"reflect"
	"strings"
	"testing"
)

// pairs writes parameters as "name=value", odd ones as "name?=value".
func pairs(params []Param) []string {
	var out []string
	for _, p := range params {
		sign := "="
		if p.Odd {
			sign = "?="
		}
		out = append(out, p.Name+sign+p.Value)
	}
	return out
}

func TestParseValue(t *testing.T) {
	tests := []struct {
		in     string
		head   string
		want   []string
		damage damage
	}{
		{`text/plain`, `text/plain`, nil, 0},
		{` text/plain; charset=us-ascii`, ` text/plain`, []string{"charset=us-ascii"}, 0},
		{`text/plain; charset=us-ascii (Plain text)`, `text/plain`, []string{"charset=us-ascii", "charset?=us-ascii (Plain text)"}, comments},
		{`a/b; name="a;b\"c"; x=y;`, `a/b`, []string{`name=a;b"c`, "x=y"}, 0},
		{`a/b; name="C:\dir\x.txt"`, `a/b`, []string{`name=C:\dir\x.txt`, "name?=C:dirx.txt"}, 0},
		{`a/b; NAME=Report (1).pdf`, `a/b`, []string{"name=Report (1).pdf", "name?=Report .pdf"}, comments | unquoted},
		{`m/m; boundary((c))="A"; boundary=B`, `m/m`, []string{"boundary=A", "boundary=B"}, comments | doubled},
		{`m/m; boundary="bar"foo`, `m/m`, []string{"boundary=bar", "boundary?=barfoo"}, junkAfterQuote},
		{`m/m; boundary=foo, boundary=faa`, `m/m`, []string{"boundary=foo,", "boundary?=foo, boundary=faa", "boundary=faa"}, missingSemicolon | doubled | unquoted},
		{`m/m boundary=foo`, `m/m `, []string{"boundary=foo"}, missingSemicolon},
		{`m/m; x; boundary=a`, `m/m`, []string{"boundary=a"}, noValue},
		{"m/m; bound\x00ary=a", `m/m`, []string{"boundary=a"}, oddName | controls},
		{`a/b; name="open; filename=x.exe`, `a/b`, []string{"name=open", "filename=x.exe"}, unclosedQuote},
		{`a/b; x=(open; name=x.exe`, `a/b`, []string{"x=(open", "name=x.exe"}, comments | unclosedComment | unquoted},
		{`a/b; filename*0="a"; filename*1*=b%20c`, `a/b`, []string{"filename*0=a", "filename*1*=b%20c"}, 0},
		{"a/b;\r\n\tname=\"x\r\n y\"", `a/b`, []string{"name=x y"}, 0},
		{`a/b; charset="x" name="y"`, `a/b`, []string{`charset=x`, `charset?=x name=y`, "name=y"}, missingSemicolon | junkAfterQuote},
		{`; ; name=`, ``, []string{"name="}, noValue},
	}
	for _, tt := range tests {
		got := parseValue(tt.in, 100)
		if got.Head != tt.head || !reflect.DeepEqual(pairs(got.Params), tt.want) || got.damage != tt.damage {
			t.Errorf("%q:\n got %q %q %b\nwant %q %q %b", tt.in, got.Head, pairs(got.Params), got.damage, tt.head, tt.want, tt.damage)
		}
	}
}

func TestParseValueIsLinear(t *testing.T) {
	for _, unit := range []string{"(", `"`, ";(", `="`, " name=", ",boundary=", "=?", `\`, "(()", `a="b`, ";"} {
		parseValue("x/y; "+strings.Repeat(unit, 1<<20/len(unit)), 200)
	}
}
