package integration

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/contents/virus/virustest"
	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/sample"
)

// Verdicts in a server are forged, grow older by some milliseconds, or are removed; each script returns how many there are.
const (
	eachVerdict = `local all = redis.call('KEYS', '*:v:??????????????????????') for _, k in ipairs(all) do %s end return #all`
	forge       = `local v = redis.call('GET', k) redis.call('SET', k, v:sub(1, -2) .. string.char((v:byte(-1) + 1) % 256), 'EX', 60)`
	ageing      = `local left = redis.call('PTTL', k) - tonumber(ARGV[1]) if left > 0 then redis.call('PEXPIRE', k, left) else redis.call('DEL', k) end`
	drop        = `redis.call('DEL', k)`
)

// verdicts has a script run on each verdict, and returns how many there are.
func verdicts(t *testing.T, r *servers.Redis, script string, args ...string) string {
	t.Helper()
	return r.CLI(t, append([]string{"EVAL", fmt.Sprintf(eachVerdict, script), "0"}, args...)...)
}

// TestRedisClean holds verdicts in a real server, as a user who may do nothing else, to what all promise.
func TestRedisClean(t *testing.T) {
	needServers(t)
	r := servers.StartRedis(t, userOfRedis(t, "secret"))
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("password_file = %q\n", password)
	virustest.Clean(t, func(t *testing.T) virustest.Hosts {
		r.CLI(t, "FLUSHALL")
		on := func(key string) virustest.Hosts { // each host has a connection of its own
			return virustest.Hosts{One: onRedis(t, "unix://milterscan@"+r.Socket, text).Clean([]byte(key)),
				Other: onRedis(t, "rediss://milterscan@"+r.Secure, text+fmt.Sprintf("ca_file = %q\n", r.CA)).Clean([]byte(key))}
		}
		h := on("key")
		h.Stranger = on("another").One
		h.Later = func(d time.Duration) { verdicts(t, r, ageing, fmt.Sprint(d.Milliseconds())) }
		h.Forge = func() { verdicts(t, r, forge) }
		return h
	})
}

// trusting is a host that tells and is told what engines found clean.
type trusting struct {
	*house
	clamd   *fakes.Clamd
	metrics string
}

// send sends a mail with a file, and returns how often the engine of the host was asked about that since it was started.
func (h *trusting) send(t *testing.T, file string) (asked int) {
	t.Helper()
	wantReply(t, file, h.house.send(letter(sample.Attached("a file", sample.File{Name: "a.txt", Type: "text/plain", Content: []byte(file)}))), 250)
	for _, got := range h.clamd.Got() {
		if string(got) == file {
			asked++
		}
	}
	return asked
}

// TestRedisVerdicts: what the engine of one host found clean, that of the other is not asked about; it is where its signatures are
// others, the verdict is forged, or the secret another one, and that is counted and said.
func TestRedisVerdicts(t *testing.T) {
	needServers(t)
	r := servers.StartRedis(t)
	dir := t.TempDir()
	key := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(strings.Repeat(text, 32)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	start := func(key string, newer bool) *trusting {
		h := &trusting{clamd: &fakes.Clamd{Virus: "evil"}, metrics: servers.FreeAddress(t)}
		h.house = &house{engine: h.clamd.Start(t, "unix")}
		if newer {
			h.clamd.NewDatabase()
		}
		h.start(t, fmt.Sprintf("[metrics]\nlisten = [\"tcp:%s\"]\n[store.redis]\nurl = \"redis://%s\"\nverdict_key_file = %q\n", h.metrics, r.Addr, key))
		return h
	}
	right := key("right", "a")
	one, other, newer := start(right, false), start(right, false), start(right, true)
	n := 0
	file := func() string { n++; return fmt.Sprintf("the file %d", n) }
	eventually(t, "a verdict of the other host", func() error {
		f := file()
		if first, second := one.send(t, f), other.send(t, f); first != 1 || second > 1 {
			t.Fatalf("asked %d and %d times", first, second)
		} else if second == 1 {
			return errors.New("the other host asks as well") // the machine was too slow for an answer in time
		}
		if got := newer.send(t, f); got != 1 {
			t.Errorf("asked %d times where signatures are others", got)
		}
		return nil
	})
	for range 2 { // what is infected is asked about by each
		if r := one.house.send(letter(sample.Attached("a file", sample.File{Name: "a.txt", Type: "text/plain", Content: []byte("evil")}))); r.Code != 550 {
			t.Errorf("a virus: %v", r)
		}
	}
	eventually(t, "a forged verdict", func() error {
		f := file()
		verdicts(t, r, drop)
		one.send(t, f)
		servers.Await(t, "the verdict", func() bool { return verdicts(t, r, forge) != "0" })
		if got := other.send(t, f); got != 1 {
			t.Fatalf("asked %d times about a file with a forged verdict", got)
		}
		return other.counts("foreign")
	})
	stranger := start(key("wrong", "b"), false)
	f := file()
	if first, second := one.send(t, f), stranger.send(t, f); first != 1 || second != 1 {
		t.Errorf("hosts with different secrets asked %d and %d times", first, second)
	}
	servers.Await(t, "a word about the other secret", func() bool {
		return strings.Contains(stranger.milter.Output(), "hosts do not share verdicts of virus engines")
	})
	if report, _ := stranger.milter.Run(t, "doctor"); !strings.Contains(report, "has another key in store.redis.verdict_key_file") {
		t.Errorf("doctor says\n%s", report)
	}
	if report, _ := one.milter.Run(t, "doctor", "-v"); !strings.Contains(report, "no host that shares verdicts of virus engines has another key") {
		t.Errorf("doctor says\n%s", report)
	}
	r.Pause()
	f = file()
	if first, second := one.send(t, f), other.send(t, f); first != 1 || second != 1 {
		t.Errorf("while the server hangs: asked %d and %d times", first, second)
	}
	r.Continue()
}

// counts returns an error unless a result of verdicts was counted.
func (h *trusting) counts(result string) error {
	answer, err := http.Get("http://" + h.metrics + "/metrics")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var text strings.Builder
	if err := answer.Write(&text); err != nil {
		return err
	}
	name := fmt.Sprintf("milterscan_shared_verdicts_total{result=%q} ", result)
	if _, rest, found := strings.Cut(text.String(), name); !found || strings.HasPrefix(rest, "0\n") || strings.HasPrefix(rest, "0\r\n") {
		return fmt.Errorf("%s: %.20s", name, rest)
	}
	return nil
}
