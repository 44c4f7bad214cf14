package document

import "testing"

// TestHonestLaunchers are those that programs install and sources hold.
func TestHonestLaunchers(t *testing.T) {
	for _, exec := range []string{
		"vim %F", "/usr/bin/python3.11", "gimp-2.10 %U", "sh -c \"if [ -n \\\"\\$*\\\" ]; then exec emacsclient --alternate-editor= \\\"\\$@\\\"; fi\" sh %F",
		"sh -c '\"$(dirname \"$*\")\"/Browser/start-tor-browser' dummy %k", "xterm -e htop", "env LANG=C foo --profile=%u", "flatpak run org.example.App",
	} {
		for _, name := range []string{"org.example.App.desktop", "vim.desktop", "notes.txt"} {
			if found := findings(t, name, []byte("[Desktop Entry]\nType=Application\nName=Example\nExec="+exec+"\n")); name != "notes.txt" && len(found) > 0 {
				t.Errorf("%s that runs %s: %v", name, exec, found)
			}
		}
	}
	if found := findings(t, "a.desktop", []byte("[Desktop Entry]\nType=Link\nURL=https://example.com/\n")); len(found) > 0 {
		t.Errorf("a link: %v", found)
	}
}

// TestPicturesOfShares are those for which Windows tells who asks.
func TestPicturesOfShares(t *testing.T) {
	e := &examination{Scanner: &Scanner{trusted: []string{"203.0.113.77"}}}
	for target, want := range map[string]string{
		`\\203.0.113.5\s\a.png`: "remote-template", "file://203.0.113.5/s/a.png": "remote-template", `file:///\\203.0.113.5\s\a.png`: "remote-template",
		`\\evil.test@80\s\a.png`: "remote-template", `\\evil.test@SSL\s\a.png`: "remote-template", `//[2001:db8::5]/s/a.png`: "remote-template",
		`\\fileserver.corp.example.com\s\a.png`: "external-link", `\\fileserver\s\a.png`: "external-link", `\\192.168.1.5\s\a.png`: "external-link",
		"https://203.0.113.5/a.png": "external-link", "https://example.com/a.png": "external-link", `\\203.0.113.77\s\a.png`: "external-link", `C:\a.png`: "",
	} {
		e.report = report{}
		e.refers("a picture at", target)
		got := ""
		if len(e.report.found) > 0 {
			got = e.report.found[0].Rule[len("attachment/"):]
		}
		if got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}
