package hostile

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// fileAttached returns a file as an attachment in base64.
func fileAttached(name string, content []byte) entity {
	head := octets + "Content-Disposition: attachment; filename=\"" + name + "\"\r\n" + encodingIs + "base64\r\n"
	return entity{head, toBase64(content)}
}

// member is one file of an archive.
type member struct {
	name    string
	content []byte
}

func eicarFile() member { return member{"papers.dat", EICAR()} }

func decoy() member { return member{"decoy.txt", []byte("Nothing to see here.\n")} }

// zipped returns a zip file whose members are deflated.
func zipped(members ...member) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.Create(m.name)
		mustWrite(f, m.content, err)
	}
	must(w.Close())
	return b.Bytes()
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	mustWrite(w, b, nil)
	must(w.Close())
	return out.Bytes()
}

func tarred(members ...member) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, m := range members {
		must(w.WriteHeader(&tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.content))}))
		mustWrite(w, m.content, nil)
	}
	must(w.Close())
	return out.Bytes()
}

// must stops on errors that writing to memory cannot have.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func mustWrite(w io.Writer, b []byte, err error) {
	must(err)
	_, err = w.Write(b)
	must(err)
}

// unzip inflates the member whose local header is the n-th.
func unzip(n int) Reading {
	return func(b []byte) []byte {
		for range n {
			_, b, _ = bytes.Cut(b, []byte("PK\x03\x04"))
		}
		if len(b) < 26 {
			return nil
		}
		skip := 26 + int(binary.LittleEndian.Uint16(b[22:])) + int(binary.LittleEndian.Uint16(b[24:]))
		return inflate(b[min(skip, len(b)):])
	}
}

func inflate(b []byte) []byte {
	r, err := zlib.NewReader(io.MultiReader(strings.NewReader("\x78\x9c"), bytes.NewReader(b)))
	if err != nil {
		return nil
	}
	out, _ := io.ReadAll(r)
	return out
}

func gunzip(b []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	out, _ := io.ReadAll(r)
	return out
}

// patched changes little-endian fields of the headers that begin with sig: at
// the given offset after it, size bytes, to value.
func patched(file []byte, sig string, offset int, value ...byte) []byte {
	out := bytes.Clone(file)
	for at := bytes.Index(out, []byte(sig)); at >= 0; {
		copy(out[at+offset:], value)
		next := bytes.Index(out[at+4:], []byte(sig))
		if next < 0 {
			break
		}
		at += 4 + next
	}
	return out
}

const (
	localSig   = "PK\x03\x04"
	centralSig = "PK\x01\x02"
	endSig     = "PK\x05\x06"
)

// deceivingZips: zip files in which one reader shows the virus and another does
// not, or cannot tell.
func deceivingZips() []Case {
	file := zipped(eicarFile())
	two := append(zipped(eicarFile()), zipped(decoy())...)
	first := unzip(1)
	const all = "a reader that goes by local headers, or repairs"
	var vs []variant
	for _, z := range []struct {
		name, why string
		file      []byte
		read      Reading
	}{
		{"plain", "every reader", file, first},
		{"two-files-first", "a reader that shows the first", two, first},
		{"two-files-last", "a reader that shows the last", append(zipped(decoy()), file...), unzip(2)},
		{"prefix-1000", "every reader that begins at the end", append(bytes.Repeat([]byte("x"), 1000), file...), first},
		{"prefix-program", "a self-extractor opens itself", append([]byte("MZ"+strings.Repeat("\x00", 510)), file...), first},
		{"prefix-gif", "every reader that begins at the end", append([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), file...), first},
		{"prefix-pdf", "every reader that begins at the end", append([]byte("%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"), file...),
			first},
		{"suffix-1000", "a reader that looks further for the end", append(bytes.Clone(file), bytes.Repeat([]byte("x"), 1000)...), first},
		{"suffix-100000", "a reader that goes by local headers", append(bytes.Clone(file), bytes.Repeat([]byte("x"), 100_000)...), first},
		{"local-name-differs", "every reader: the member is there under either name",
			bytes.Replace(file, []byte("papers.dat"), []byte("papers.txt"), 1), first},
		{"central-lists-fewer", all, centralWithout(eicarFile(), decoy()), first},
		{"no-central", all, file[:bytes.Index(file, []byte(centralSig))], first},
		{"no-end", all, file[:bytes.Index(file, []byte(endSig))], first},
		{"end-counts-none", all, patched(file, endSig, 8, 0, 0, 0, 0), first},
		{"stored-label-local", "a reader that trusts the central directory", patched(file, localSig, 8, 0, 0), first},
		{"stored-label-central", "a reader that trusts the local header", patched(file, centralSig, 10, 0, 0), first},
		{"stored-label-both", "a reader that tries: the data is deflated all the same",
			patched(patched(file, localSig, 8, 0, 0), centralSig, 10, 0, 0), first},
		{"encrypted-label-local", "a reader that trusts the central directory", patched(file, localSig, 6, 9), first},
		{"encrypted-label-central", "a reader that trusts the local header", patched(file, centralSig, 8, 9), first},
		{"encrypted-label-both", "a reader that tries: the data is in clear all the same",
			patched(patched(file, localSig, 6, 9), centralSig, 8, 9), first},
		{"size-4gb", "a reader that unpacks until the stream ends", patched(file, centralSig, 24, 0xfe, 0xff, 0xff, 0xff), first},
		{"size-zero", "a reader that unpacks until the stream ends", patched(file, centralSig, 24, 0, 0, 0, 0), first},
		{"packed-size-zero", "a reader that trusts the data descriptor", patched(file, centralSig, 20, 0, 0, 0, 0), first},
		{"checksum-wrong", "a reader that does not stop at checksums", patched(file, centralSig, 16, 1, 2, 3, 4), first},
		{"offset-wrong", all, patched(file, centralSig, 42, 9, 0, 0, 0), first},
		{"version-99", "a reader that does not look at versions", patched(patched(file, localSig, 4, 99, 0), centralSig, 6, 99, 0), first},
		{"directory-attribute", "a reader that goes by the name", patched(file, centralSig, 38, 0x10), first},
		{"same-name-second", "a reader that keeps the last", zipped(member{"papers.dat", []byte("harmless")}, eicarFile()), unzip(2)},
		{"name-up", "every reader that cuts paths", zipped(member{"../../papers.dat", EICAR()}), first},
		{"name-absolute", "every reader that cuts paths", zipped(member{"/etc/papers.dat", EICAR()}), first},
		{"name-backslash", "every reader that cuts paths", zipped(member{`..\papers.dat`, EICAR()}), first},
		{"name-nul", "a reader that ends names at zero bytes", zipped(member{"papers.dat\x00.txt", EICAR()}), first},
		{"name-empty", "a reader that shows members without a name", zipped(member{"", EICAR()}), first},
		{"name-slash", "a reader that shows files that end like directories", slashNamed(), first},
		{"named-pdf", "a reader that goes by content", file, first},
	} {
		name := "papers.zip"
		if z.name == "named-pdf" {
			name = "papers.pdf"
		}
		vs = append(vs, variant{name: z.name, why: z.why, entity: fileAttached(name, z.file), read: in(content, fromBase64, z.read), tidy: true})
	}
	return at([]place{inPart()}, "", vs)
}

// slashNamed returns a zip whose file's name ends like a directory's.
func slashNamed() []byte {
	return bytes.ReplaceAll(zipped(member{"papers.dat|", EICAR()}), []byte("papers.dat|"), []byte("papers.dat/"))
}

// centralWithout returns a zip of hidden and shown whose central directory lists
// only shown.
func centralWithout(hidden, shown member) []byte {
	h := zipped(hidden)
	h = h[:bytes.Index(h, []byte(centralSig))]
	s := zipped(shown)
	central, end := bytes.Index(s, []byte(centralSig)), bytes.Index(s, []byte(endSig))
	binary.LittleEndian.PutUint32(s[central+42:], uint32(len(h)))
	binary.LittleEndian.PutUint32(s[end+16:], uint32(len(h)+central))
	return append(h, s...)
}

// everyWrapping: the virus inside archives, in mails, in archives.
func everyWrapping() []Case {
	mail := []byte(letterhead + mixedFoo + crlf + multipart("foo", attachment(b64()).text()))
	fromMail := in(section("foo", 2), opened(b64()))
	packed := tarred(eicarFile())
	rows := []struct {
		name string
		file []byte
		read Reading
	}{
		{"papers.zip", zipped(decoy(), eicarFile()), unzip(2)},
		{"papers.gz", gzipped(EICAR()), gunzip},
		{"papers.tar", packed, whole},
		{"papers.tar.gz", gzipped(packed), gunzip},
		{"papers.tgz", gzipped(packed), gunzip},
		{"papers.zip.gz", gzipped(zipped(eicarFile())), in(gunzip, unzip(1))},
		{"papers.tar.zip", zipped(member{"papers.tar", packed}), unzip(1)},
		{"mail.zip", zipped(member{"mail.eml", mail}), in(unzip(1), fromMail)},
		{"mail.eml", mail, fromMail},
		{"mail-in-zip-in-mail.eml", []byte(letterhead + fileAttached("mail.zip", zipped(member{"mail.eml", mail})).text()),
			in(content, fromBase64, unzip(1), fromMail)},
	}
	var vs []variant
	for _, r := range rows {
		vs = append(vs, variant{name: r.name, why: "every client that opens the file", entity: fileAttached(r.name, r.file),
			read: in(content, fromBase64, r.read), tidy: true})
	}
	cases := at([]place{atTop(), inPart(), inForwarded()}, "", append(vs, zipDepths()...))
	return append(cases, farOffsets()...)
}

// zipDepths nests zip files.
func zipDepths() []variant {
	var vs []variant
	file, read := EICAR(), Reading(whole)
	for depth := 1; depth <= 64; depth++ {
		file, read = zipped(member{"papers.zip", file}), in(unzip(1), read)
		if depth <= 5 || depth == 9 || depth == 64 {
			vs = append(vs, variant{name: fmt.Sprintf("zip-depth-%d", depth), why: "whoever opens one after the other", tidy: true,
				unsure: depth > 5,
				entity: fileAttached("papers.zip", file), read: in(content, fromBase64, read)})
		}
	}
	return vs
}

// farOffsets puts the virus round 25 MB into a part.
func farOffsets() []Case {
	var cases []Case
	for _, kb := range []int{24_900, 25_100} {
		blank := strings.Repeat("IC"+"Ag", 19) + crlf // 57 blanks
		start := letterhead + mixedFoo + crlf + "--foo\r\n" + note + "--foo\r\n" + octets + attached + encodingIs + "base64\r\n\r\n"
		c := large(fmt.Sprintf("offset-%dkb", kb), "every client; or the mail is too large, which must be said",
			once(start), repeated{blank, kb * 1000 / 57}, once(toBase64(EICAR())+"--foo--\r\n"))
		c.WantDeviation = false
		cases = append(cases, c)
	}
	return cases
}
