package listing

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/format/markup"
)

func read(t *testing.T, s Syntax, text string) *Table {
	t.Helper()
	table, n, err := Read(strings.NewReader(text), s)
	if err != nil {
		t.Fatalf("%v, %+v", err, n)
	}
	var b bytes.Buffer
	if _, err := table.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	again, err := ReadTable(s.Kind, b.Bytes())
	if err != nil || again.Len() != table.Len() {
		t.Fatalf("written and read: %v", err)
	}
	return again
}

func TestHosts(t *testing.T) {
	text := "\ufeff# hosts\n\nEVIL.example.com. a remark\r\n*.wild.example.net\n.dot.example.org\n192.0.2.7\n; also a comment\nbücher.example.de\n"
	for name, s := range map[string]struct {
		Syntax
		text string
	}{
		"plain": {Syntax{Kind: Hosts, Format: Plain}, text},
		"csv": {Syntax{Kind: Hosts, Format: CSV, Column: 2, Separator: ';'},
			`1; "evil.example.com"; "a ""quoted"" remark"` + "\n2;wild.example.net;\n3;\"dot.example.org\"\n\"4;5\";192.0.2.7\n6;bücher.example.de"},
		"hosts": {Syntax{Kind: Hosts, Format: HostFile},
			"127.0.0.1 localhost localhost.localdomain\n::1 ip6-localhost\n0.0.0.0 evil.example.com wild.example.net # both\n" +
				"0.0.0.0 0.0.0.0\n0.0.0.0\tdot.example.org\n0.0.0.0 bücher.example.de\n"},
	} {
		table := read(t, s.Syntax, s.text)
		for host, want := range map[string]string{
			"evil.example.com": "evil.example.com", "a.b.evil.example.com": "evil.example.com", "wild.example.net": "wild.example.net",
			"x.dot.example.org": "dot.example.org", "notevil.example.com": "", "example.com": "", "com": "", "": "",
			"shop.xn--bcher-kva.example.de": "xn--bcher-kva.example.de", strings.Repeat("a.", 100) + "evil.example.com": "",
		} {
			if got, ok := table.Host(host); got != want || ok != (want != "") {
				t.Errorf("%s: %q: %q", name, host, got)
			}
		}
		if _, ok := table.Host("192.0.2.7"); ok != (name != "hosts") {
			t.Errorf("%s: an address: %v", name, ok)
		}
	}
}

// TestNoHosts: what would list half the world is no entry.
func TestNoHosts(t *testing.T) {
	for _, wrong := range []string{"com", "co.uk", ".de", "*", "localhost", "http://evil.example/", "a b", "<html>", "evil.example.com/path", "@evil.com", "github.io"} {
		if form, ok := host(wrong); ok {
			t.Errorf("%q is taken as %q", wrong, form)
		}
	}
}

func TestURLs(t *testing.T) {
	table := read(t, Syntax{Kind: URLs, Format: CSV, Column: 3, Separator: ','},
		"# URLhaus has lines like these\n"+
			`"1","2026-11-01","http://evil.example.com/a/b.exe","online"`+"\n"+
			`"2","2026-11-01","https://evil.example.com:8443/x?id=1&b=%41","online"`+"\n"+
			`"3","2026-11-01","http://192.0.2.9","online"`+"\n")
	for link, want := range map[string]bool{
		"http://EVIL.example.com/a/b.exe": true, "https://evil.example.com/a/b.exe#top": true, "http://evil.example.com/a/b.exe?u=1": true,
		"http://evil.example.com/a/B.exe": false, "http://evil.example.com/a/%62.exe": true, "http:\\\\evil.example.com\\a\\b.exe": true,
		"https://evil.example.com:8443/x?id=1&b=A": true, "https://evil.example.com:8443/x": false, "https://evil.example.com/x?id=1&b=A": false,
		"http://192.0.2.9/": true, "http://0xc0000209/": true, "http://192.0.2.9/other": false, "mailto:a@evil.example.com": false,
		"http://user@evil.example.com/a/b.exe": true, "": false,
	} {
		if _, got := table.URL(markup.ParseURL(link)); got != want {
			t.Errorf("%s: %v", link, got)
		}
	}
}

func TestHashes(t *testing.T) {
	md5, sha := strings.Repeat("ab", 16), strings.Repeat("0F", 32)
	table := read(t, Syntax{Kind: Hashes, Format: Plain}, md5+"\n"+sha+"  name.exe\n"+strings.Repeat("12", 20)+"\n")
	for text, want := range map[string]bool{
		md5: true, strings.ToUpper(md5): true, strings.ToLower(sha): true, strings.Repeat("12", 20): true, strings.Repeat("12", 16): false,
		strings.Repeat("12", 32): false, "": false, "xyz": false,
	} {
		if table.Has(text) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
	if !table.HasSums(16) || !table.HasSums(20) || !table.HasSums(32) || table.HasSums(31) {
		t.Error("the lengths of hashes are not known")
	}
	if !table.Sum(bytes.Repeat([]byte{0xab}, 16)) || table.Sum(bytes.Repeat([]byte{0xab}, 20)) {
		t.Error("a hash of another length is listed, or the one that is is not")
	}
}

func TestNetworks(t *testing.T) {
	table := read(t, Syntax{Kind: Networks, Format: Plain},
		"192.0.2.0/25 ; SBL1\n192.0.2.128/25\n192.0.2.64\n198.51.100.7\n203.0.113.10-203.0.113.20\n2001:db8::/32\n2001:db8:1::/48\n"+
			"2001:db9::1\n::ffff:198.51.100.9\n255.255.255.255\n")
	if len(table.four) != 5 || len(table.six) != 2 {
		t.Errorf("%d and %d spans", len(table.four), len(table.six))
	}
	for text, want := range map[string]bool{
		"192.0.2.0": true, "192.0.2.255": true, "192.0.3.0": false, "192.0.1.255": false, "198.51.100.7": true, "198.51.100.8": false,
		"198.51.100.9": true, "203.0.113.9": false, "203.0.113.10": true, "203.0.113.20": true, "203.0.113.21": false,
		"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff": true, "2001:db9::": false, "2001:db9::1": true, "2001:db9::2": false,
		"::ffff:192.0.2.1": true, "255.255.255.255": true, "0.0.0.0": false, "x": false,
	} {
		if table.Has(text) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
	if table.Addr(netip.Addr{}) {
		t.Error("no address is listed")
	}
	for _, wrong := range []string{"0.0.0.0/0", "::/0", "192.0.2.1-", "192.0.2.9-192.0.2.1", "192.0.2.1-2001:db8::1", "fe80::1%eth0", "evil.example"} {
		if b := (&builder{Table{Kind: Networks}}); b.add(wrong) {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestNoLists(t *testing.T) {
	page := "<!DOCTYPE html>\n<html>\n<head><title>Moved</title></head>\n<body>\nSee our new site.\n</body>\n</html>\n"
	for name, text := range map[string]string{
		"page": page, "one in five is wrong": "a.example.com\nb.example.com\nc.example.com\nd.example.com\n<br>\n",
		"a line without end": strings.Repeat("a", longestLine+1), "JSON": `{"error":"quota exceeded"}`,
	} {
		for _, k := range []Kind{Hosts, URLs, Hashes, Networks} {
			if _, _, err := Read(strings.NewReader(text), Syntax{Kind: k, Format: Plain}); !errors.Is(err, ErrNoList) {
				t.Errorf("%s as %s: %v", name, k, err)
			}
		}
	}
	some := strings.Repeat("a.example.com\n", 20) + "this is wrong\n"
	if table, n, err := Read(strings.NewReader(some), Syntax{Kind: Hosts}); err != nil || n.Wrong != 1 || table.Len() != 1 {
		t.Errorf("%v %+v", err, n)
	}
	if table, _, err := Read(strings.NewReader("# nothing\n"), Syntax{Kind: Hosts}); err != nil || table.Len() != 0 {
		t.Errorf("an empty list: %v", err)
	}
}

func TestDamagedTables(t *testing.T) {
	var b bytes.Buffer
	read(t, Syntax{Kind: Hosts}, "a.example.com\nb.example.com\n").WriteTo(&b)
	whole := b.Bytes()
	for i := range whole {
		if _, err := ReadTable(Hosts, whole[:i]); err == nil {
			t.Errorf("%d bytes are taken", i)
		}
	}
	whole[15] = 0xff
	if _, err := ReadTable(Hosts, whole); err == nil {
		t.Error("a wrong length is taken")
	}
}

func FuzzRead(f *testing.F) {
	f.Add("evil.example.com\n192.0.2.0/24\n", byte(0))
	f.Add("\"a\",\"http://x.example.com/\"\n", byte(7))
	f.Fuzz(func(t *testing.T, text string, how byte) {
		kinds, formats := []Kind{Hosts, URLs, Hashes, Networks}, []Format{Plain, CSV, HostFile}
		s := Syntax{Kind: kinds[how%4], Format: formats[how/4%3], Column: 1 + int(how/12%3), Separator: ','}
		table, n, err := Read(strings.NewReader(text), s)
		if n.Wrong > n.Lines {
			t.Errorf("%+v", n)
		}
		if err != nil {
			return
		}
		var b bytes.Buffer
		table.WriteTo(&b)
		if again, err := ReadTable(s.Kind, b.Bytes()); err != nil || again.Len() != table.Len() {
			t.Errorf("written and read: %v", err)
		}
	})
}

// BenchmarkMillion reads a list of a million hosts and looks hosts up in it.
func BenchmarkMillion(b *testing.B) {
	var text bytes.Buffer
	for i := range 1_000_000 {
		fmt.Fprintf(&text, "host%d.evil%d.example.com\n", i, i%977)
	}
	var table *Table
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			table, _, _ = Read(bytes.NewReader(text.Bytes()), Syntax{Kind: Hosts, Format: Plain})
		}
		b.ReportMetric(float64(table.Bytes())/float64(table.Len()), "B/entry")
	})
	b.Run("ask", func(b *testing.B) {
		for b.Loop() {
			table.Host("www.shop.host77.notlisted.example.com")
		}
	})
}
