//go:build linux && (amd64 || arm64)

package worker

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// What a program can do by itself it cannot do when it is run here.
func TestProgramHasNoUseFor(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		alone bool
	}{
		"UDP":             {"exec 3<>/dev/udp/127.0.0.1/9 && echo done", false},
		"unix sockets":    {"python3 -c 'import socket; socket.socket(socket.AF_UNIX)' && echo done", true},
		"raw sockets":     {"python3 -c 'import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)' && echo done", false},
		"name spaces":     {"unshare -U true && echo done", false},
		"other processes": {"(echo done)", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := script(t, "")
			if err := os.WriteFile(p.Path, []byte("#!/bin/bash\n"+c.text+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			if free, err := exec.Command(p.Path).CombinedOutput(); err != nil || !strings.Contains(string(free), "done") {
				t.Skipf("nor can it here: %s", free)
			}
			p.Alone = c.alone
			if o, _ := ran(t, p, ""); strings.Contains(o.Output, "done") {
				t.Errorf("it can: %q", o.Output)
			}
		})
	}
}

// What is no concern of the filter goes on: a program that may begin others does.
func TestProgramMayBeginOthers(t *testing.T) {
	p := script(t, "echo a | cat; true & wait; echo done") // and ask a daemon of its own, by unix socket
	p.Wall = 20 * time.Second
	if o, err := ran(t, p, ""); err != nil || o.Output != "a\ndone\n" {
		t.Errorf("%+v, %v", o, err)
	}
}
