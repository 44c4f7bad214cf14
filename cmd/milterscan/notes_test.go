package main

import (
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/config"
)

// What check warns of, doctor shows, and it is no fault by itself.
func TestDoctorShowsWarnings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.toml")
	text := "[milter]\nlisten = [\"tcp:0.0.0.0:7357\"]\n[[rule]]\nname = \"never\"\nwhen = [\"attachment/no-such-finding\"]\naction = \"reject\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, _ := call(t, "doctor", "-c", file, "--sendmail", os.DevNull)
	for _, want := range []string{"advice  configuration  " + file + ":2: milter.listen", "every address of this host", "advice  configuration  " + file + ":3: rule: \"never\" can never match"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "FAULT   configuration") {
		t.Errorf("a warning is a fault in\n%s", out)
	}
}

// TestDaemonsUserIsTheSocketsOwner: where milterscan runs as another user than that of the
// package, remedies name that one.
func TestDaemonsUserIsTheSocketsOwner(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("unix", dir+"/m.sock")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	want := me.Username
	if os.Geteuid() == 0 {
		daemon, err := user.Lookup("daemon")
		if err != nil {
			t.Skip(err)
		}
		uid, _ := strconv.Atoi(daemon.Uid)
		if err := os.Chown(dir+"/m.sock", uid, -1); err != nil {
			t.Fatal(err)
		}
		want = daemon.Username
	}
	listening := config.Milter{Listen: []config.Address{"tcp:127.0.0.1:9", config.Address("unix:" + dir + "/none"), config.Address("unix:" + dir + "/m.sock")}}
	if got := findUser(listening); got != want {
		t.Errorf("the daemon's user is %q, want %q", got, want)
	}
	fallback := findUser(config.Milter{})
	given := listening
	given.SocketOwner = "bin:"
	if got := findUser(given); got != fallback {
		t.Errorf("of a socket that was given away: %q, want %q", got, fallback)
	}
}
