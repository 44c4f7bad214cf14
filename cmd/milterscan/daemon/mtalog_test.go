package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// TestBurstBesideMail has mail judged while 20,000 lines come into the MTA's log at
// once: all of it is answered, and all of the log is read.
func TestBurstBesideMail(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const messages = 4_000 // of five lines
	dir := t.TempDir()
	file := filepath.Join(dir, "mail.log")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, dir, plain+"[mta_log]\nfile = \"DIR/mail.log\"\n")
	r.await("log", `"msg":"ready"`)
	judge := func(enough func(n int) bool) (took []time.Duration) {
		for n := 0; !enough(n); n++ {
			begun := time.Now()
			r.mustAsk("m", fmt.Sprint("mail ", n))
			took = append(took, time.Since(begun))
		}
		slices.Sort(took)
		return took
	}
	quiet := judge(func(n int) bool { return n == 300 })
	var text []byte
	for n := range messages {
		for _, line := range []string{"smtpd[1]: %010X: client=x[192.0.2.1]", "cleanup[1]: %010X: message-id=<%[1]d@x>", "qmgr[1]: %010X: from=<a@b>, size=1, nrcpt=1 (queue active)",
			"smtp[1]: %010X: to=<b@x>, relay=x[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)", "qmgr[1]: %010X: removed"} {
			text = fmt.Appendf(text, "Nov 29 17:10:02 mx postfix/"+line+"\n", n)
		}
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	x := store.NewEvents(filepath.Join(dir, "a.mta.db"), func(err error) { t.Error(err) })
	defer x.Close()
	busy := judge(func(n int) bool {
		list, err := x.Queue(t.Context(), fmt.Sprintf("%010X", messages-1))
		return n > 10 && err == nil && len(list) == 5
	})
	of := func(list []time.Duration, part int) time.Duration {
		return list[len(list)*part/100].Round(10 * time.Microsecond)
	}
	t.Logf("%d mails without a burst: median %v, 99%% %v; %d mails beside it: median %v, 99%% %v", len(quiet), of(quiet, 50), of(quiet, 99),
		len(busy), of(busy, 50), of(busy, 99))
}
