package setup

import (
	"encoding/json"
	"testing"
)

func TestView(t *testing.T) {
	p := &Plan{
		MTA: MTA{Name: "postfix", Version: "3.7", Dir: "/etc/postfix"}, Hook: "smtpd_milters", Address: "unix:/m",
		Changes: []Change{{Path: "/etc/postfix/main.cf", Old: []byte("a\n"), New: []byte("b\n")}},
		Checks:  []Command{{"postfix", "check"}}, Notes: []string{"n"},
	}
	text, err := json.Marshal(p.View())
	want := `{"mta":"postfix","version":"3.7","dir":"/etc/postfix","hook":"smtpd_milters","address":"unix:/m","commands":[],` +
		`"changes":[{"path":"/etc/postfix/main.cf","diff":"--- /etc/postfix/main.cf\n+++ /etc/postfix/main.cf\n@@ -1,1 +1,1 @@\n-a\n+b\n"}],` +
		`"notes":["n"],"checks":["postfix check"],"reload":[]}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}
