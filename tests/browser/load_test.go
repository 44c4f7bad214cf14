package browser

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/tests/sample"
)

// reader is a person who reads pages without a browser.
type reader struct {
	client http.Client
	base   string
}

// readAs logs in a person who has no second factor.
func (o *office) readAs(t *testing.T, name string) *reader {
	t.Helper()
	o.hire(accounts.Account{Name: name, Role: login.Administrator})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{http.Client{Jar: jar, Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}, o.base}
	answer, err := r.client.PostForm(o.base+"/login", url.Values{"name": {name}, "password": {password}, "next": {"/"}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if status, text, _ := r.get("/"); status != 200 || !strings.Contains(text, name) {
		t.Fatalf("%d %s", status, text)
	}
	return r
}

// get returns a page, and how long it took.
func (r *reader) get(path string) (status int, text string, took time.Duration) {
	begun := time.Now()
	answer, err := r.client.Get(r.base + path)
	if err != nil {
		return 0, err.Error(), time.Since(begun)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), time.Since(begun)
}

// traffic sends mails, several at once, and returns how long each took to be answered.
func (o *office) traffic(t *testing.T, n int) (times []time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var next atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				begun := time.Now()
				r := o.send("joe@example.net", "ann@example.com", sample.Plain(fmt.Sprintf("Traffic %d", i), "hello"))
				mu.Lock()
				if times = append(times, time.Since(begun)); r.Code != 250 {
					t.Errorf("mail %d: %v", i, r)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(times)
	return times
}

// crowd has many people read pages until stop is called, which returns how many pages were
// shown, how many were refused since too many asked, and the time of the slowest.
func (r *reader) crowd(t *testing.T, people int) (stop func() (shown, refused int64, slowest time.Duration)) {
	t.Helper()
	pages := []string{"/?days=30", "/messages?subject=Traffic", "/messages?from=" + url.QueryEscape("*@example.net") + "&action=deliver", "/quarantine", "/rules", "/audit"}
	var shown, refused atomic.Int64
	var slowest atomic.Int64
	var over atomic.Bool
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() {
			for n := i; !over.Load(); n++ {
				status, text, took := r.get(pages[n%len(pages)])
				switch status {
				case http.StatusOK:
					shown.Add(1)
				case http.StatusServiceUnavailable:
					refused.Add(1)
				default:
					t.Errorf("%s: %d %.300s", pages[n%len(pages)], status, text)
				}
				for old := slowest.Load(); int64(took) > old && !slowest.CompareAndSwap(old, int64(took)); old = slowest.Load() {
				}
			}
		})
	}
	return func() (int64, int64, time.Duration) {
		over.Store(true)
		all.Wait()
		return shown.Load(), refused.Load(), time.Duration(slowest.Load())
	}
}

// slowestPage is how long a page may take whatever happens: its three seconds, and what a
// busy machine adds.
const slowestPage = 8 * time.Second

// TestMailNeverWaits has a crowd read pages while mail comes, and then a history that does not
// answer: mail goes on as fast as a crowd of programs on the same machine allows, and every page
// is there in time.
func TestMailNeverWaits(t *testing.T) {
	o := openOffice(t)
	r := o.readAs(t, "olivia")
	calm := o.traffic(t, 100)
	stop := r.crowd(t, 40)
	busy := o.traffic(t, 200)
	shown, refused, slowest := stop()
	t.Logf("mail: half within %v, 99 of 100 within %v; with a crowd %v, %v; %d pages, %d refused, the slowest took %v",
		calm[len(calm)/2], calm[len(calm)*99/100], busy[len(busy)/2], busy[len(busy)*99/100], shown, refused, slowest)
	if shown == 0 || slowest > slowestPage {
		t.Errorf("%d pages, the slowest took %v", shown, slowest)
	}
	if worst := busy[len(busy)*99/100]; worst > 10*time.Second {
		t.Errorf("mail waits %v", worst)
	}
	unlock := hang(t, filepath.Join(o.dir, "history.db"))
	stop = r.crowd(t, 10)
	hung := o.traffic(t, 100)
	_, text, took := r.get("/messages?subject=Traffic")
	_, _, slowest = stop()
	unlock()
	t.Logf("with a history that hangs: mail half within %v, 99 of 100 within %v; the slowest page took %v", hung[len(hung)/2], hung[len(hung)*99/100], slowest)
	if !strings.Contains(text, "the history") || took > slowestPage || slowest > slowestPage {
		t.Errorf("the page took %v, the slowest %v: %.2000s", took, slowest, text)
	}
	if worst := hung[len(hung)*99/100]; worst > 10*time.Second {
		t.Errorf("mail waits %v for a history that hangs", worst)
	}
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		if status, text, _ := r.get("/messages?subject=Traffic"); status == 200 && strings.Contains(text, "Traffic") {
			break
		} else if time.Now().After(end) {
			t.Fatalf("the history does not come back: %d %s", status, text)
		}
	}
}

// hang has another process hold the locks that readers and writers of a database need,
// until it is told to let go.
func hang(t *testing.T, file string) (let func()) {
	t.Helper()
	// The locks for writing, recovery and all readers, in the shared memory of the log.
	const script = `import fcntl, sys
f = open(sys.argv[1] + "-shm", "r+b")
fcntl.lockf(f, fcntl.LOCK_EX, 8, 120)
print("locked", flush=True)
sys.stdin.read()`
	cmd := exec.Command("python3", "-c", script, file)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("%s cannot be locked: %q", file, line)
	}
	let = sync.OnceFunc(func() {
		in.Close()
		cmd.Wait()
	})
	t.Cleanup(let)
	return let
}
