//go:build linux

package worker

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/format/archive"
)

// xarOf makes an archive that only the helper reads.
func xarOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	if FindHelper() == "" {
		t.Skip("unar is not installed")
	}
	bsdtar, err := exec.LookPath("bsdtar")
	if err != nil {
		t.Skip("bsdtar is not installed")
	}
	dir := t.TempDir()
	args := []string{"--format", "xar", "-cf", filepath.Join(dir, "out.xar"), "-C", dir}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	if out, err := exec.Command(bsdtar, args...).CombinedOutput(); err != nil {
		t.Skipf("bsdtar: %v %s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "out.xar"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// find is the format of that name as the pool reads it.
func find(t *testing.T, pool *Pool, name string) archive.Format {
	t.Helper()
	for _, f := range pool.Formats() {
		if f.Name() == name {
			return f
		}
	}
	t.Fatalf("no format %s", name)
	return nil
}

func TestHelper(t *testing.T) {
	data := xarOf(t, map[string]string{"a.txt": "one", "b.txt": strings.Repeat("two ", 1000)})
	pool := newTestPool(t, testConfig(t, "proper"))
	f := archive.NewDetector(pool.Formats()).Detect(bytes.NewReader(data), nil)
	if f == nil || f.Name() != "xar" {
		t.Fatal(f)
	}
	got := walkAll(t.Context(), f, data)
	if got.err != nil || len(got.notes) > 0 || len(got.bodies) != 2 || len(got.bodies[0])+len(got.bodies[1]) != 4003 {
		t.Errorf("%v", got)
	}
	if got := walkAll(t.Context(), f, data[:len(data)/2]); got.err != nil || len(got.notes) == 0 {
		t.Errorf("truncated: %v", got)
	}
	if got := walkAll(t.Context(), f, []byte("xar!\x00 and nonsense")); got.err != nil || got.codes() != archive.DecoderFailed {
		t.Errorf("nonsense: %v", got)
	}
}

func TestWithoutHelper(t *testing.T) {
	cfg := testConfig(t, "proper")
	cfg.Helper = ""
	pool := newTestPool(t, cfg)
	got := walkAll(t.Context(), find(t, pool, "xar"), []byte("xar!\x00"))
	if got.err != nil || got.codes() != archive.NoReader {
		t.Errorf("%v", got)
	}
	cfg.Helper = t.TempDir()
	pool = newTestPool(t, cfg)
	if got := walkAll(t.Context(), find(t, pool, "xar"), []byte("xar!\x00")); got.err != nil || got.codes() != archive.Unavailable {
		t.Errorf("helper gone: %v", got)
	}
}

// fakeHelper is a directory with an lsar and an unar of the test's own.
func fakeHelper(t *testing.T, list, output string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"lsar": list, "unar": output} {
		script := "#!/bin/sh\n" + text + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestHelperThatMisbehaves(t *testing.T) {
	const list = `echo '{"lsarContents":[{"XADFileName":"a","XADFileSize":3}]}'`
	for name, c := range map[string]struct{ list, output, codes string }{
		"proper":        {list, "printf abc", ""},
		"too little":    {list, "printf ab", archive.DecoderFailed},
		"too much":      {list, "printf abcd", archive.DecoderFailed},
		"fails":         {list, "printf abc; exit 1", archive.DecoderFailed},
		"no list":       {"echo nothing", "", archive.DecoderFailed},
		"locked":        {`echo '{"lsarContents":[{"XADFileName":"a","XADFileSize":3,"XADIsEncrypted":1}]}'`, "", archive.EncryptedMember},
		"without end":   {list, "while :; do echo abc; done", archive.DecoderFailed},
		"spins":         {"while :; do :; done", "", archive.DecoderLimit},
		"is killed":     {"kill -9 $$", "", archive.Unavailable},
		"killed late":   {list, "printf ab; kill -9 $$", archive.Unavailable},
		"is ended":      {list, "kill $$", archive.Unavailable},
		"no process":    {list, "echo 'fork: Resource temporarily unavailable' >&2; exit 2", archive.Unavailable},
		"crashes":       {list, "kill -SEGV $$", archive.DecoderFailed},
		"writes a file": {list, "echo abc >" + filepath.Join(os.TempDir(), "milterscan-escape") + "; printf abc; test -s " + filepath.Join(os.TempDir(), "milterscan-escape") + " && echo escaped", archive.DecoderFailed},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t, "proper")
			cfg.Helper, cfg.Work = fakeHelper(t, c.list, c.output), 500*time.Millisecond
			pool := newTestPool(t, cfg)
			if got := walkAll(t.Context(), find(t, pool, "xar"), []byte("xar!\x00")); got.err != nil || got.codes() != c.codes {
				t.Errorf("%v, want %s", got, c.codes)
			}
		})
	}
}
