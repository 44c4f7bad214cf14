package mtalog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestJournal follows a program that writes as journalctl does, and starts it again where
// it was left when it ends.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "journalctl")
	const script = `#!/bin/sh
echo "$@" >>%[1]s/calls
n=$(wc -l <%[1]s/calls)
echo '{"__CURSOR":"s='$n'","__REALTIME_TIMESTAMP":"1795972202123456","_HOSTNAME":"mx","SYSLOG_IDENTIFIER":"postfix/qmgr","MESSAGE":"0000000'$n': removed"}'
echo no json
echo '{"__CURSOR":"s='$n'x","__REALTIME_TIMESTAMP":"1795972202123456","SYSLOG_IDENTIFIER":"postfix/qmgr","MESSAGE":null}'
head -c 400000 /dev/zero | tr '\0' x; echo
[ $n -ge 3 ] && exec sleep 60
echo gone >&2; exit 1
`
	if err := os.WriteFile(program, fmt.Appendf(nil, script, dir), 0o755); err != nil {
		t.Fatal(err)
	}
	s := &scene{T: t, kept: newKept(), n: 3}
	ctx, cancel := context.WithCancel(t.Context())
	var warns []string
	f := &Follower{Store: s.kept, Journal: program, Poll: time.Millisecond, Pause: time.Millisecond, Warn: func(err error) { warns = append(warns, err.Error()) }}
	var loop sync.WaitGroup
	loop.Go(func() { f.Run(ctx) })
	s.until("the journal")
	cancel()
	loop.Wait()
	calls, _ := os.ReadFile(filepath.Join(dir, "calls"))
	lines := strings.Split(strings.TrimSpace(string(calls)), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "--since=@") || !strings.Contains(lines[1], "--after-cursor=s=1x ") || !strings.Contains(lines[2], "--after-cursor=s=2x ") {
		t.Errorf("called with %q", lines)
	}
	if len(warns) == 0 || !strings.Contains(warns[0], "gone") {
		t.Errorf("warned of %q", warns)
	}
}

// TestSilence tells when the log says nothing of the messages that pass.
func TestSilence(t *testing.T) {
	s, now := NewState(), time.Now()
	if s.Status("x", now).Silent(now.Add(2 * silence)) {
		t.Error("silent without a message")
	}
	s.Expect("4A5B6C7D8E", now)
	if st := s.Status("x", now); st.Silent(now.Add(silence/2)) || !st.Silent(now.Add(2*silence)) || st.Passed != 1 {
		t.Errorf("%+v", st)
	}
	s.kept([]Event{{Queue: "other", Time: now}})
	if !s.Status("x", now).Silent(now.Add(2 * silence)) {
		t.Error("another message's event counts")
	}
	s.kept([]Event{{Queue: "4A5B6C7D8E", Time: now}})
	if st := s.Status("x", now); st.Silent(now.Add(2*silence)) || st.Joined != 1 || st.Events != 2 {
		t.Errorf("%+v", st)
	}
}
