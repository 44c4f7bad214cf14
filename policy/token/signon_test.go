package token

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestSignOn(t *testing.T) {
	s := SignOn{Account: "dora", Issued: now, Nonce: "0123456789abcdef"}
	v := WriteSignOn(key, s)
	if got, err := ReadSignOn(key, v, now); err != nil || got.Account != "dora" || got.Nonce != s.Nonce || !got.Issued.Equal(now.Truncate(time.Second)) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		at   time.Duration
		want error
	}{
		"at the last moment":       {SignOnLife, nil},
		"a second later":           {SignOnLife + time.Second, ErrSignOnOld},
		"a clock that is late":     {-SignOnAhead, nil},
		"a clock that is too late": {-SignOnAhead - time.Second, ErrSignOnOld},
		"another day":              {24 * time.Hour, ErrSignOnOld},
	} {
		if _, err := ReadSignOn(key, v, now.Add(c.at)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(url.Values){
		"another account":      func(v url.Values) { v.Set("account", "root") },
		"another time":         func(v url.Values) { v.Set("time", "1") },
		"another nonce":        func(v url.Values) { v.Set("nonce", "0123456789abcdee") },
		"no nonce":             func(v url.Values) { v.Del("nonce") },
		"no mark":              func(v url.Values) { v.Del("mark") },
		"a short mark":         func(v url.Values) { v.Set("mark", v.Get("mark")[:62]) },
		"an account twice":     func(v url.Values) { v.Add("account", "root") },
		"a moved line end":     func(v url.Values) { v.Set("account", "dora\n1"); v.Set("time", "2") },
		"a plus before a time": func(v url.Values) { v.Set("time", "+"+v.Get("time")) },
		"a long account":       func(v url.Values) { v.Set("account", strings.Repeat("a", 1000)) },
		"of another key":       func(v url.Values) { v.Set("mark", WriteSignOn([]byte(strings.Repeat("x", 32)), s).Get("mark")) },
	} {
		v := WriteSignOn(key, s)
		change(v)
		if _, err := ReadSignOn(key, v, now); !errors.Is(err, ErrNoSignOn) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadSignOn(nil, WriteSignOn(nil, s), now); err == nil {
		t.Error("without a key")
	}
}
