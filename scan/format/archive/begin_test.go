package archive

import (
	"archive/tar"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// cabinet is a stored one (MS-CAB, section 2) with one member.
func cabinet(name, text string) []byte {
	member := append([]byte{}, le(4, len(text))...)
	member = append(member, le(4, 0)...)      // where in the folder
	member = append(member, le(2, 0)...)      // which folder
	member = append(member, le(6, 0x5000)...) // date, time, attributes
	member = append(append(member, name...), 0)
	const header, folder = 36, 8
	at := header + folder + len(member)
	b := append([]byte("MSCF\x00\x00\x00\x00"), le(4, at+8+len(text))...)
	b = append(b, le(4, 0)...)
	b = append(b, le(4, header+folder)...)
	b = append(b, "\x00\x00\x00\x00\x03\x01\x01\x00\x01\x00\x00\x00\x01\x00\x00\x00"...)
	b = append(b, le(4, at)...)
	b = append(b, "\x01\x00\x00\x00"...)
	b = append(b, member...)
	b = append(b, le(4, 0)...) // no checksum
	b = append(b, le(2, len(text))...)
	b = append(b, le(2, len(text))...)
	return append(b, text...)
}

func le(n, v int) (b []byte) {
	for range n {
		b, v = append(b, byte(v)), v>>8
	}
	return b
}

// beginnings are archives with EICAR that programs find after other data.
func beginnings(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"a.cab": cabinet("eicar.com", eicar), "a.gz": makeGzip(t, "eicar.com", strings.NewReader(eicar))}
	for name, f := range map[string]tar.Format{"ustar": tar.FormatUSTAR, "pax": tar.FormatPAX, "gnu": tar.FormatGNU} {
		all[name+".tar"] = makeTar(t, tar.Header{Name: "eicar.com", Format: f})
	}
	for _, name := range []string{"bin.cpio", "crc.cpio", "newc.cpio", "odc.cpio", "level0-lh5.lzh", "level1-lh6.lzh", "level2-lh7.lzh", "lzs.lzh", "lh1.lzh",
		"m1.arj", "eicar.com.bz2", "eicar.com.xz", "eicar.com.zst"} {
		all[name] = sampleBytes(t, name)
	}
	return all
}

// Programs that look further than the first bytes find an archive after whatever is before
// it, and so do we: 7-Zip in all, GNU tar in tars, cpio(1), cabextract.
func TestAfterOtherData(t *testing.T) {
	for name, data := range beginnings(t) {
		for what, before := range map[string]string{
			"one byte": "\x00", "NUL": strings.Repeat("\x00", 16), "block": strings.Repeat("A", 512), "text": strings.Repeat("hello\r\n", 3000),
			"picture": "GIF89a" + strings.Repeat("\x01\x02", 40_000), "nearly a header": strings.Repeat("ustar 070707 MSCF -lh5-", 100),
		} {
			for _, as := range []string{name, "x.dat"} {
				w := open(t, as, append([]byte(before), data...))
				found := w.has("eicar.com", eicar) || w.names() == "" && len(w.members) == 1 && w.members[0].body == eicar
				if !found || !strings.Contains(w.codes(), prefixed) {
					t.Errorf("%s as %s after %s: %s; %s", name, as, what, w.names(), w.codes())
				}
			}
		}
	}
}

// GNU tar begins with the next header where the first is damaged, in whatever dialect.
func TestTarAfterDamagedHeader(t *testing.T) {
	for _, f := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		data := makeTar(t, tar.Header{Name: "first", Format: f}, tar.Header{Name: "eicar.com", Format: f})
		for at, value := range map[int]byte{0: 'F', 100: 'x', 130: '7', 150: '0', 156: 'Z', 257: 0, 400: 1} {
			broken := bytes.Clone(data)
			if broken[at] == value {
				value++
			}
			broken[at] = value
			w := open(t, "x.dat", broken)
			if !w.has("eicar.com", eicar) || !strings.Contains(w.codes(), damagedContainer) {
				t.Errorf("%v, byte %d: %s; %s", f, at, w.names(), w.codes())
			}
		}
	}
}

// cabextract unpacks all cabinets of a file.
func TestCabinetsInOneFile(t *testing.T) {
	first := cabinet("readme.txt", "hello")
	for what, between := range map[string]string{"nothing": "", "junk": "MSCF junk", "much": strings.Repeat("MSCF", 5000)} {
		data := append(append(bytes.Clone(first), between...), cabinet("eicar.com", eicar)...)
		if w := open(t, "a.cab", data); !w.has("readme.txt", "hello") || !w.has("eicar.com", eicar) {
			t.Errorf("%s between: %s; %s", what, w.names(), w.codes())
		}
	}
}

// A name alone does not make an archive, and one that cannot be read is not complete.
func TestTarsThatAreNone(t *testing.T) {
	for what, c := range map[string]struct{ name, data, codes string }{
		"no members":      {"a.tar", strings.Repeat("\x00", 10240), ""},
		"noise":           {"a.tar", strings.Repeat("noise", 1000), damagedContainer},
		"no tar by name":  {"a.bin", strings.Repeat("noise", 1000), ""},
		"mark alone":      {"a.bin", strings.Repeat("\x00", 257) + "ustar" + strings.Repeat("\x00", 2000), ""},
		"one in a member": {"a.tar", string(makeTarOf(t, "inner.tar", makeTar(t, tar.Header{Name: "eicar.com"}))), ""},
	} {
		f := NewDetector(Formats()).Detect(bytes.NewReader([]byte(c.data)), []string{c.name})
		if f == nil {
			if c.codes != "" || strings.HasSuffix(c.name, ".tar") {
				t.Errorf("%s: not opened", what)
			}
			continue
		}
		if w := walkBytes(t, f, []byte(c.data), NewBudget(testLimits)); w.codes() != c.codes || f.Name() != "tar" {
			t.Errorf("%s: %s; %s", what, f.Name(), w.codes())
		}
	}
}

// makeTarOf is a tar with one member.
func makeTarOf(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644, Typeflag: tar.TypeReg})
	if err == nil {
		_, err = w.Write(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	return out.Bytes()
}

// What is in a member of another archive is opened from there alone.
func TestTakenBeginnings(t *testing.T) {
	for name, data := range beginnings(t) {
		outer := makeTarOf(t, "inner", data)
		w := open(t, "x.tar", outer)
		if len(w.members) != 1 || w.codes() != "" {
			t.Fatalf("%s: %s", name, w.codes())
		}
		d := NewDetector(Formats())
		for _, f := range d.Further(d.Beginning(bytes.NewReader(outer)), bytes.NewReader(outer), []string{"x.tar"}, w.members[0].Places) {
			t.Errorf("%s is opened once more as %s", name, f.Name())
		}
	}
}

// Looking for a beginning costs little, whatever nearly is one.
func BenchmarkNearlyBeginnings(b *testing.B) {
	for _, unit := range []string{"ustar", "07070", "\xc7\x71", "\x71\xc7", "MSCF", "xx-lh5-" + strings.Repeat("\x01", 13) + "\x02\x01",
		"070701" + strings.Repeat("0", 104), strings.Repeat("0", 148) + "1234567\x00",
		"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01", "BZh91AY&SY", xzMagic, zstdMagic, "\x60\xea\x28\x0a\x1e\x0a\x0a\x0a\x0a\x0a\x02\x0a"} {
		data := []byte(strings.Repeat(unit, 3<<20/len(unit)))
		b.Run(fmt.Sprintf("%.12q", unit), func(b *testing.B) {
			for b.Loop() {
				for _, f := range NewDetector(Formats()).further {
					f.(embedded).inside(bytes.NewReader(data), nil)
				}
			}
		})
	}
}

// TestStreamsInsideOthers: what comes after a compressed file that is itself after other data takes nothing
// from it, and one in a container with packed members is none.
func TestStreamsInsideOthers(t *testing.T) {
	for name, data := range beginnings(t) {
		if !strings.HasPrefix(name, "eicar.com.") && name != "a.gz" {
			continue
		}
		all := slices.Concat([]byte("\x7fELF\x00\x00"), data, bytes.Repeat([]byte("more data "), 100))
		if w := open(t, "x.bin", all); len(w.members) != 1 || w.members[0].body != eicar || w.codes() != prefixed+" "+trailingData {
			t.Errorf("%s: %s", name, w.codes())
		}
	}
	for _, name := range []string{"7z-bzip2.zip", "bzip2.7z"} {
		c := bytes.NewReader(sampleBytes(t, name))
		d := NewDetector(Formats())
		if more := d.Further(d.Beginning(c), c, nil, nil); len(more) > 0 {
			t.Errorf("%s is opened once more as %s", name, more[0].Name())
		}
	}
}
