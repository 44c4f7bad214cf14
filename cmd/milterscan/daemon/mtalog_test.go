package daemon

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/mtalog"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// logged waits until an event of a queue id is kept, and returns it.
func (r *running) logged(file, queue string) mtalog.Event {
	r.t.Helper()
	x := store.NewEvents(filepath.Join(r.dir, file), func(err error) { r.t.Error(err) })
	defer x.Close()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if list, err := x.Queue(r.t.Context(), queue); err == nil && len(list) > 0 {
			return list[0]
		}
	}
	r.t.Fatalf("no event of %s is kept in %s:\n%s", queue, file, r.log("log"))
	return mtalog.Event{}
}

// TestReadsTheMTALog reads the log that the configuration names, goes on in another one
// after a reload, keeps what [history] permits, and writes down how it goes on.
func TestReadsTheMTALog(t *testing.T) {
	dir := t.TempDir()
	write := func(name, queue string) {
		const line = ": to=<b@example.net>, relay=x[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok b@example.net)\n"
		text := "Nov 29 17:10:02 mx postfix/smtp[1]: " + queue + line
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one.log", "AAAAAAAA")
	write("two.log", "BBBBBBBB")
	r := start(t, dir, plain+"[mta_log]\nfile = \"DIR/one.log\"\n")
	if e := r.logged("a.mta.db", "AAAAAAAA"); e.Recipient != "b@example.net" || e.Kind != mtalog.Sent {
		t.Errorf("%+v", e)
	}
	private := "\n[mta_log]\nfile = \"DIR/two.log\"\n"
	r.reload(plain[:len(plain)-len("[notices]\ndir = \"DIR/notices\"\n")] + "addresses = false\n[notices]\ndir = \"DIR/notices\"\n" + private)
	if e := r.logged("a.mta.db", "BBBBBBBB"); e.Recipient != "*@example.net" || e.Text != "250 ok *@example.net" {
		t.Errorf("%+v", e)
	}
	r.reload(plain)
	r.await("log", `"generation":3`)
	if status := r.stop(); status != 0 {
		t.Errorf("status %d", status)
	}
	s, err := mtalog.ReadStatus(filepath.Join(dir, "a.mta.json"))
	if err != nil || s.Source != filepath.Join(dir, "two.log") || s.Error != "" {
		t.Errorf("%+v, %v", s, err)
	}
}
