package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/units"
)

func makeGzip(t testing.TB, name string, body io.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Name = name
	if _, err := io.Copy(w, body); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return out.Bytes()
}

// streamCase is a container of one member.
type streamCase struct {
	name  string
	data  []byte
	body  string
	codes string
}

func (c streamCase) check(t *testing.T) {
	t.Helper()
	got := open(t, c.name, c.data)
	if got.err != nil {
		t.Error(got.err)
	}
	if len(got.members) != 1 || got.members[0].body != c.body || got.codes() != c.codes {
		t.Errorf("members %.300v\nnotes %q, want %q", got.members, got.codes(), c.codes)
	}
}

func TestGzip(t *testing.T) {
	good := makeGzip(t, "eicar.com", strings.NewReader(eicar))
	for _, c := range []streamCase{
		{"plain", good, eicar, ""},
		{"two streams", append(makeGzip(t, "", strings.NewReader("first ")), good...), "first " + eicar, ""},
		{"padded", append(bytes.Clone(good), make([]byte, 600)...), eicar, ""},
		{"padded, second stream", append(append(bytes.Clone(good), 0, 0), good...), eicar + eicar, ""},
		{"trailing", append(bytes.Clone(good), "junk"...), eicar, trailingData},
		{"truncated", good[:len(good)-6], eicar, damagedMember},
		{"checksum", patch(t, good, edit{string(good[len(good)-8:]), 0, "abcd"}), eicar, checksumMismatch},
		{"all header fields", allFields(good), eicar, ""},
	} {
		t.Run(c.name, c.check)
	}
	if got := open(t, "x.gz", good); got.names() != "eicar.com" {
		t.Errorf("name %q", got.names())
	}
}

// allFields is a gzip with every optional field of RFC 1952.
func allFields(good []byte) []byte {
	header := []byte("\x1f\x8b\x08\x1e\x00\x00\x00\x00\x00\x03\x03\x00abcname\x00a comment\x00\x12\x34")
	return append(header, good[10+len("eicar.com")+1:]...)
}

func TestGzipHeaderCutAnywhere(t *testing.T) {
	full := allFields(makeGzip(t, "eicar.com", strings.NewReader(eicar)))
	for n := 3; n < len(full); n++ {
		got := walkBytes(t, gzipFormat{}, full[:n], NewBudget(testLimits))
		if got.err != nil || len(got.notes) == 0 {
			t.Errorf("%d bytes: %v, %v", n, got.notes, got.err)
		}
	}
}

// bombLimits leave it to the ratio to find bombs.
var bombLimits = Limits{Expanded: 256 * units.MB, Member: 256 * units.MB, Ratio: 200, Entries: 1000, Depth: 8}

// TestGzipOfLittle is no bomb, however well it packs: a screenshot, a log.
func TestGzipOfLittle(t *testing.T) {
	got := walkBytes(t, gzipFormat{}, makeGzip(t, "", zeros(int64(freeOfRatio))), NewBudget(bombLimits))
	if got.err != nil || got.codes() != "" || len(got.members[0].body) != int(freeOfRatio) {
		t.Errorf("%d bytes, %v, %v", len(got.members[0].body), got.notes, got.err)
	}
}

func TestGzipBomb(t *testing.T) {
	got := walkBytes(t, gzipFormat{}, makeGzip(t, "", zeros(60<<20)), NewBudget(bombLimits))
	if got.err != ErrLimit || got.codes() != ratioExceeded || len(got.members[0].body) > int(freeOfRatio)+1<<20 {
		t.Errorf("%d bytes, %v, %v", len(got.members[0].body), got.notes, got.err)
	}
}

func makeTar(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		h.Mode = 0o644
		if h.Typeflag == 0 || h.Typeflag == tar.TypeReg {
			h.Size = int64(len(eicar))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			io.WriteString(w, eicar)
		}
	}
	w.Close()
	return out.Bytes()
}

func TestTar(t *testing.T) {
	one := makeTar(t, tar.Header{Name: "eicar.com"})
	two := makeTar(t, tar.Header{Name: "first"}, tar.Header{Name: "eicar.com"})
	long := strings.Repeat("long/", 60) + "eicar.com"
	for name, c := range map[string]struct {
		data  []byte
		names string
		codes string
	}{
		"one":             {one, "eicar.com", ""},
		"directory":       {makeTar(t, tar.Header{Name: "d/", Typeflag: tar.TypeDir}, tar.Header{Name: "d/eicar.com"}), "d/eicar.com", ""},
		"long name, PAX":  {makeTar(t, tar.Header{Name: long, Format: tar.FormatPAX}), long, ""},
		"long name, GNU":  {makeTar(t, tar.Header{Name: long, Format: tar.FormatGNU}), long, ""},
		"escape":          {makeTar(t, tar.Header{Name: "../eicar.com"}), "../eicar.com", pathEscape},
		"link":            {makeTar(t, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}), "l", link},
		"damaged header":  {patch(t, two, edit{"first", 0, "FIRST"}), "eicar.com", damagedContainer + " " + prefixed},
		"truncated":       {one[:540], "eicar.com", damagedContainer + " " + damagedMember},
		"after the end":   {append(bytes.Clone(one), two...), "eicar.com first eicar.com", hiddenMember},
		"without an end":  {one[:1024], "eicar.com", ""},
		"damaged second":  {patch(t, two, edit{"eicar.com", 0, "XXXXX"}), "first", damagedContainer},
		"repeated member": {makeTar(t, tar.Header{Name: "a"}, tar.Header{Name: "a"}), "a a", duplicateName},
	} {
		got := walkBytes(t, tarFormat{}, c.data, NewBudget(testLimits))
		if got.err != nil || got.names() != c.names || got.codes() != c.codes {
			t.Errorf("%s: members %q, want %q; notes %q, want %q; %v", name, got.names(), c.names, got.codes(), c.codes, got.err)
		}
	}
	if got := open(t, "x", one); !got.has("eicar.com", eicar) {
		t.Error("EICAR not found")
	}
}

// makeTarOfAll has a member of each kind.
func makeTarOfAll(t testing.TB) []byte {
	return makeTar(t, tar.Header{Name: "d/", Typeflag: tar.TypeDir}, tar.Header{Name: "eicar.com"},
		tar.Header{Name: strings.Repeat("long/", 60), Format: tar.FormatGNU}, tar.Header{Name: strings.Repeat("long/", 60), Format: tar.FormatPAX},
		tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, tar.Header{Name: "h", Typeflag: tar.TypeLink, Linkname: "l"})
}

func TestTarOfManyEmptyFiles(t *testing.T) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for range 1500 {
		w.WriteHeader(&tar.Header{Name: "empty", Mode: 0o644})
	}
	w.Close()
	got := open(t, "x.tar", out.Bytes())
	if got.err != ErrLimit || len(got.members) != int(testLimits.Entries) || got.codes() != duplicateName+" "+tooManyMembers {
		t.Errorf("%d members, %q, %v", len(got.members), got.codes(), got.err)
	}
}
