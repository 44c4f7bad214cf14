package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nonroot numbers the user and the group of the daemon. No host gives that number to another user,
// so only the daemon owns what it has in a volume.
const nonroot = 65532

// file is a file or a directory of the image; a directory's name ends with "/".
type file struct {
	name string
	mode int64
	user int
	text []byte
}

// contents returns what the image has: the files of a tree, which belong to root, and
// what a program needs that is alone. zones is Go's file with the zones of time.
func contents(tree, zones string) ([]file, error) {
	files := []file{
		{name: "etc/passwd", mode: 0o644, text: fmt.Appendf(nil,
			"root:x:0:0:root:/:/sbin/nologin\nmilterscan:x:%d:%[1]d:milterscan:/var/lib/milterscan:/sbin/nologin\n",
			nonroot)},
		{name: "etc/group", mode: 0o644, text: fmt.Appendf(nil, "root:x:0:\nmilterscan:x:%d:\n", nonroot)},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, text: authorities()},
		{name: "run/milterscan/", mode: 0o755, user: nonroot},
		{name: "tmp/", mode: 0o1777},
		{name: "var/lib/milterscan/", mode: 0o700, user: nonroot},
	}
	text, err := os.ReadFile(zones)
	if err != nil {
		return nil, fmt.Errorf("ZONES is to be Go's lib/time/zoneinfo.zip: %v", err)
	}
	files = append(files, file{name: "usr/share/zoneinfo.zip", mode: 0o644, text: text})
	err = filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no ordinary file", path)
		}
		mode := int64(0o644)
		if info.Mode().Perm()&0o111 != 0 {
			mode = 0o755
		}
		text, err := os.ReadFile(path)
		name, inside := filepath.Rel(tree, path)
		files = append(files, file{name: filepath.ToSlash(name), mode: mode, text: text})
		return errors.Join(err, inside)
	})
	return withFolders(files), err
}

// authorities returns the certificates that Mozilla trusts without further conditions,
// as OpenSSL keeps them.
func authorities() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return text.Bytes()
}

// withFolders adds the directories above the files, and sorts all by name.
func withFolders(files []file) []file {
	known := map[string]bool{}
	for _, f := range files {
		known[f.name] = true
	}
	for _, f := range files {
		for i, c := range strings.TrimSuffix(f.name, "/") {
			if folder := f.name[:i+1]; c == '/' && !known[folder] {
				known[folder] = true
				files = append(files, file{name: folder, mode: 0o755})
			}
		}
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return files
}

// layer is the files of an image, packed.
type layer struct {
	packed []byte
	plain  string // digest of the tar file before it is compressed
}

// newLayer packs files that all bear one time.
func newLayer(files []file, when time.Time) (layer, error) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return layer{}, err
	}
	sum := sha256.New()
	w := tar.NewWriter(io.MultiWriter(z, sum))
	for _, f := range files {
		if err := put(w, f, when); err != nil {
			return layer{}, fmt.Errorf("%s: %v", f.name, err)
		}
	}
	err = errors.Join(w.Close(), z.Close())
	return layer{packed.Bytes(), fmt.Sprintf("sha256:%x", sum.Sum(nil))}, err
}

// put adds a file to an archive.
func put(w *tar.Writer, f file, when time.Time) error {
	h := &tar.Header{Name: f.name, Mode: f.mode, Uid: f.user, Gid: f.user, ModTime: when, Size: int64(len(f.text)), Format: tar.FormatUSTAR}
	h.Typeflag = tar.TypeReg
	if strings.HasSuffix(f.name, "/") {
		h.Typeflag = tar.TypeDir
	}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err := w.Write(f.text)
	return err
}
