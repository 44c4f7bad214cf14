package access

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A user reaches a file only through directories that let the user through, and
// root reaches all.
func TestReaches(t *testing.T) {
	root := t.TempDir()
	for dir := root; dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o001 == 0 {
			os.Chmod(dir, 0o755)
		}
	}
	dir := filepath.Join(root, "d")
	file := filepath.Join(dir, "f")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stranger := User{name: "stranger", uid: 4242, gids: []uint32{4242}}
	for _, c := range []struct {
		who       User
		dir, file os.FileMode
		want      string
	}{
		{stranger, 0o700, 0o666, "may not enter"},
		{stranger, 0o711, 0o660, "may not use"},
		{stranger, 0o711, 0o666, ""},
		{stranger, 0o711, 0o664, "may not use"},
		{User{name: "root"}, 0o700, 0o600, ""},
		{User{name: "owner", uid: uint32(os.Getuid())}, 0o700, 0o600, ""},
		{User{name: "member", uid: 4242, gids: []uint32{uint32(os.Getgid())}}, 0o750, 0o660, ""},
		{User{name: "member", uid: 4242, gids: []uint32{uint32(os.Getgid())}}, 0o705, 0o660, "may not enter"},
	} {
		if err := os.Chmod(dir, c.dir); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, c.file); err != nil {
			t.Fatal(err)
		}
		err := c.who.Reaches(file, Read|Write)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %#o/%#o: %v, want %q", c.who.name, c.dir, c.file, err, c.want)
		}
	}
}
