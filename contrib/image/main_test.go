package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// zones returns the file of time zones that Go brings.
func zones(t *testing.T) string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(root)), "lib/time/zoneinfo.zip")
}

// made packs a tree with one program.
func made(t *testing.T) string {
	t.Helper()
	tree := t.TempDir()
	if err := os.MkdirAll(filepath.Join(tree, "usr/bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, "usr/bin/milterscan"), []byte("#!"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1767225600")
	t.Setenv("ZONES", zones(t))
	image := filepath.Join(t.TempDir(), "image.tar")
	if err := pack(tree, "arm64", "1.0~r2", image); err != nil {
		t.Fatal(err)
	}
	return image
}

// unpacked returns the files of an archive, and their headers.
func unpacked(t *testing.T, r io.Reader) (map[string][]byte, map[string]*tar.Header) {
	t.Helper()
	texts, headers := map[string][]byte{}, map[string]*tar.Header{}
	for all := tar.NewReader(r); ; {
		h, err := all.Next()
		if err == io.EOF {
			return texts, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		if headers[h.Name] != nil {
			t.Errorf("%s is there twice", h.Name)
		}
		headers[h.Name] = h
		if texts[h.Name], err = io.ReadAll(all); err != nil {
			t.Fatal(err)
		}
	}
}

// TestImage: every blob is what its name says, both lists lead to the same layer, and the
// layer has the program, a user, certificates and places to write.
func TestImage(t *testing.T) {
	image, err := os.ReadFile(made(t))
	if err != nil {
		t.Fatal(err)
	}
	texts, _ := unpacked(t, bytes.NewReader(image))
	for name, text := range texts {
		if sum, isBlob := strings.CutPrefix(name, "blobs/sha256/"); isBlob && sum != fmt.Sprintf("%x", sha256.Sum256(text)) {
			t.Errorf("%s is not what it says", name)
		}
	}
	var docker []struct {
		Config   string
		Layers   []string
		RepoTags []string
	}
	if err := json.Unmarshal(texts["manifest.json"], &docker); err != nil || docker[0].RepoTags[0] != "milterscan:1.0-r2" {
		t.Fatalf("%v, %v", err, docker)
	}
	if !strings.Contains(string(texts[docker[0].Config]), `"architecture":"arm64"`) {
		t.Errorf("the configuration is %s", texts[docker[0].Config])
	}
	z, err := gzip.NewReader(bytes.NewReader(texts[docker[0].Layers[0]]))
	if err != nil {
		t.Fatal(err)
	}
	files, headers := unpacked(t, z)
	for name, want := range map[string]struct {
		mode int64
		user int
	}{"usr/bin/milterscan": {0o755, 0}, "var/lib/milterscan/": {0o700, nonroot}, "run/milterscan/": {0o755, nonroot}, "tmp/": {0o1777, 0}, "usr/": {0o755, 0}} {
		if h := headers[name]; h == nil || h.Mode != want.mode || h.Uid != want.user || h.ModTime.Unix() != 1767225600 {
			t.Errorf("%s: %+v", name, h)
		}
	}
	if roots := x509.NewCertPool(); !roots.AppendCertsFromPEM(files["etc/ssl/certs/ca-certificates.crt"]) {
		t.Error("there is no certificate of an authority")
	}
	if len(files["usr/share/zoneinfo.zip"]) < 100_000 {
		t.Error("there are no zones of time")
	}
}

// TestSame: the same tree gives the same image.
func TestSame(t *testing.T) {
	one, err := os.ReadFile(made(t))
	if err != nil {
		t.Fatal(err)
	}
	if other, _ := os.ReadFile(made(t)); !bytes.Equal(one, other) {
		t.Error("two images of one tree differ")
	}
}

// TestMistakes: what cannot be packed is said, and leaves no file.
func TestMistakes(t *testing.T) {
	image := filepath.Join(t.TempDir(), "image.tar")
	file := zones(t)
	linked := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(linked, "passwd")); err != nil {
		t.Fatal(err)
	}
	for what, m := range map[string]struct{ tree, machine, epoch, zones string }{
		"no time":    {t.TempDir(), "amd64", "", file},
		"no machine": {t.TempDir(), "riscv64", "1", file},
		"no zones":   {t.TempDir(), "amd64", "1", "/nowhere"},
		"no tree":    {"/nowhere", "amd64", "1", file},
		"a link":     {linked, "amd64", "1", file},
	} {
		t.Setenv("SOURCE_DATE_EPOCH", m.epoch)
		t.Setenv("ZONES", m.zones)
		if err := pack(m.tree, m.machine, "1.0", image); err == nil {
			t.Errorf("%s: no error", what)
		}
		if _, err := os.Stat(image); err == nil {
			t.Errorf("%s: there is a file", what)
		}
	}
}
