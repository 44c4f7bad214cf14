package config

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
)

// Files of the configuration decide about all mail. One that any user of the host may
// write is refused, as sshd and cron refuse theirs. One that belongs to another user
// than root and the daemon's is used, and Cautions say so: control panels write files of
// domains and lists under separate users, and refusing them would stop the mail of a
// host that was set up so on purpose.

// daemonUser is the user the daemon runs as where the unit is ours.
const daemonUser = "milterscan"

// exposed returns an error if any user of the host may change the file or directory
// at a path: a file that all may write, or a directory in which all may replace files.
func exposed(path string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o002 == 0 || info.IsDir() && info.Mode()&fs.ModeSticky != 0 {
		return nil
	}
	return fmt.Errorf("%s can be written by every user of this host (mode %#o), who could so decide about all mail; run \"chmod o-w %s\"",
		path, info.Mode().Perm(), path)
}

// directory refuses a directory with files of the configuration in it that any user may
// replace. One that is not there is none.
func (b *binder) directory(key, dir string) {
	if info, err := os.Stat(dir); err == nil {
		if err := exposed(dir, info); err != nil {
			b.wrong(key, "%v", err)
		}
	}
}

// fileKeys are the keys of values that name files or programs.
var fileKeys = []string{"ca_file", "client_ca", "command", "controller_password_file", "deny_files", "files", "key_file", "keys", "lists",
	"name_files", "password_file", "safe_files", "secret_file"}

// listKeys are those of files that are read whenever the configuration is.
var listKeys = []string{"deny_files", "files", "lists", "name_files", "safe_files"}

// named calls visit with every file that a value names, and the key of the value.
func named(path string, v reflect.Value, visit func(key, file string)) {
	for _, f := range reflect.VisibleFields(v.Type()) {
		key := keyOf(f)
		if key == "" {
			continue
		}
		switch field := v.FieldByIndex(f.Index); {
		case field.Kind() == reflect.Struct && !isText(field):
			named(join(path, key), field, visit)
		case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.Struct:
			for i := range field.Len() {
				named(fmt.Sprintf("%s[%d]", join(path, key), i), field.Index(i), visit)
			}
		case slices.Contains(fileKeys, key):
			list := textsIn(field)
			if key == "command" { // the rest are its arguments
				list = list[:min(len(list), 1)]
			}
			for _, file := range list {
				if filepath.IsAbs(file) || slices.Contains(listKeys, key) {
					visit(join(path, key), file)
				}
			}
		}
	}
}

// textsIn returns the texts in a value.
func textsIn(v reflect.Value) []string {
	switch {
	case v.Kind() == reflect.String:
		return []string{v.String()}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String:
		var list []string
		for i := range v.Len() {
			list = append(list, v.Index(i).String())
		}
		return list
	}
	return nil
}

// checkFiles refuses values that name files any user may change, and lists that cannot be
// read: the daemon, check and root's shell must all find the same file.
func (b *binder) checkFiles(c *Config) {
	named("", reflect.ValueOf(c).Elem(), func(key, file string) {
		isList := slices.ContainsFunc(listKeys, func(k string) bool { return strings.HasSuffix(key, k) })
		if isList && !filepath.IsAbs(file) {
			b.wrong(key, "%q is no whole path; write one such as %q", file, filepath.Join("/etc/milterscan", file))
			return
		}
		info, err := os.Stat(file)
		if err != nil && isList {
			b.wrong(key, "the list cannot be read: %v%s", err, remedy(err))
		}
		if err != nil {
			return // the section that reads it says so
		}
		b.files = append(b.files, file)
		if err := exposed(file, info); err != nil {
			b.wrong(key, "%v", err)
		}
		b.directory(key, filepath.Dir(file))
	})
}

// cautionsOf says which files and directories belong to a stranger. The quarantine
// belongs to the user the daemon runs as.
func cautionsOf(files []string, quarantine string) []string {
	var list []string
	all := map[string]bool{}
	for _, f := range files {
		all[f], all[filepath.Dir(f)] = true, true
	}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if uid := ownerOf(path); !trusted(uid) && uid != ownerOf(quarantine) {
			list = append(list, fmt.Sprintf("%s belongs to %s, who can so decide about mail; give it to root", path, userName(uid)))
		}
	}
	return list
}

// ownerOf returns the owner of the file at a path, root if there is none.
func ownerOf(path string) uint32 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return s.Uid
}

// trusted reports whether a user may write the configuration: root, the daemon's user, and
// the user who runs this.
func trusted(uid uint32) bool {
	if uid == 0 || int(uid) == os.Geteuid() {
		return true
	}
	u, err := user.Lookup(daemonUser)
	return err == nil && u.Uid == fmt.Sprint(uid)
}

// userName returns the name of a user.
func userName(uid uint32) string {
	if u, err := user.LookupId(fmt.Sprint(uid)); err == nil {
		return u.Username
	}
	return fmt.Sprintf("user %d", uid)
}

// Cautions returns what may be a mistake in a configuration read from files,
// although it is no error: files of other users.
func (c *Config) Cautions() []string { return c.cautions }
