package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSenders(t *testing.T) {
	h := sound(t)
	keys := filepath.Join(h.dir, "keys")
	if err := os.WriteFile(keys, []byte("a "+strings.Repeat("0a", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	section := func(dir string) string {
		return "[greylist]\nenabled = true\nfile = \"" + dir + "/greylist.db\"\n[rate]\nfile = \"" + dir + "/rate.db\"\n" +
			"[[rate.limit]]\nname = \"users\"\nby = \"user\"\nrecipients = 1\nper = \"1h\"\n[bounce]\nkeys = \"" + keys + "\"\n"
	}
	if found := h.installation(t, section(h.dir)).senders(); len(found) != 3 || len(faults(found)) > 0 {
		t.Errorf("%+v", found)
	}
	if err := os.Chmod(keys, 0o644); err != nil {
		t.Fatal(err)
	}
	list := faults(h.installation(t, section(h.dir+"/nowhere")).senders())
	for i, want := range []string{"greylist.file: ", "rate.file: ", "mode is 0644"} {
		if len(list) != 3 || !strings.Contains(list[i].What, want) || list[i].Fix == "" {
			t.Errorf("%q is not said: %+v", want, list)
		}
	}
	if found := h.installation(t, "").senders(); len(found) > 0 {
		t.Errorf("nothing is switched on: %+v", found)
	}
}
