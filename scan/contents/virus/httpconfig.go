package virus

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// HTTP holds the keys that only an entry of type "http" has.
type HTTP struct {
	// http: where to ask for the verdict on a job, with {id} in place of its id; without it the answer to the submission must be the verdict
	Poll      string         `toml:"poll"`
	PollEvery units.Duration `toml:"poll_every"` // http: how often; default 2s
	TokenFile string         `toml:"token_file"` // http: the file with the token that is sent as "Authorization: Bearer TOKEN", or "env:NAME"
	// http: where the answers, which are JSON, have the id of a job: keys, and places in lists, with dots between; default "id"
	IDAt      string `toml:"id_at"`
	VerdictAt string `toml:"verdict_at"` // http: where they have the verdict; default "verdict"
	NameAt    string `toml:"name_at"`    // http: where they have the name of what was found; default "name"
	// http: the verdicts that mean clean; default ["clean"]. One that is in none of the three lists is a failure
	CleanWords    []string `toml:"clean_words"`
	InfectedWords []string `toml:"infected_words"` // http: those that mean infected; default ["infected"]
	PendingWords  []string `toml:"pending_words"`  // http: those that mean that there is no verdict yet; default ["pending"]
	// http: how long a verdict on a content holds; default 1h
	Remember units.Duration `toml:"remember"`
	// http: how long kept mail waits for a verdict that had not come in time, and is released by it if all else lets it pass; default 2h
	Await units.Duration `toml:"await"`
	// http: what becomes of kept mail in which something is found then: "keep" (default) or "delete"
	OnInfected string `toml:"on_infected"`
	// http: the addresses that are told of kept mail in which something is found then, and of such for which no verdict came
	Notify []string `toml:"notify"`

	// Token reads what TokenFile names; nil for nothing. The configuration sets it.
	Token func() (string, error) `toml:"-"`
}

// DefaultAwait is how long kept mail waits for a verdict.
const DefaultAwait = 2 * time.Hour

// longestAwait is how long it may at most: no sandbox takes so long, and people wait for their mail.
const longestAwait = 7 * 24 * time.Hour

// setDefaults fills in the fields that are not set.
func (h *HTTP) setDefaults() {
	for _, one := range []struct {
		to   *string
		text string
	}{{&h.IDAt, "id"}, {&h.VerdictAt, "verdict"}, {&h.NameAt, "name"}} {
		if *one.to == "" {
			*one.to = one.text
		}
	}
	for _, one := range []struct {
		to   *[]string
		word string
	}{{&h.CleanWords, "clean"}, {&h.InfectedWords, "infected"}, {&h.PendingWords, "pending"}} {
		if len(*one.to) == 0 {
			*one.to = []string{one.word}
		}
	}
	if h.PollEvery == 0 {
		h.PollEvery = units.Duration(2 * time.Second)
	}
	if h.Remember == 0 {
		h.Remember = units.Duration(time.Hour)
	}
	if h.Await == 0 {
		h.Await = units.Duration(DefaultAwait)
	}
}

func checkHTTP(c Config, check *units.Check) {
	check.If(len(c.Address) == 0, "address", "it is missing; write \"https://sandbox.example.com/submit\"")
	c.checkAddresses(check, checkPlace)
	if c.Poll != "" {
		check.If(checkPlace(strings.Replace(c.Poll, idWord, "1", 1)) != nil || strings.Count(c.Poll, idWord) != 1, "poll",
			"%q is no place of a verdict; write \"https://sandbox.example.com/jobs/{id}\"", c.Poll)
		check.If(len(c.Address) > 1, "poll", "of several addresses it is not known which one has a job; write one address, and a backup for it")
	}
	for _, one := range []struct {
		key string
		d   units.Duration
	}{{"poll_every", c.PollEvery}, {"remember", c.Remember}} {
		check.If(one.d < 0 || one.d != 0 && one.d.Go() < 100*time.Millisecond, one.key, "%v is too short; write such as \"2s\"", one.d)
	}
	checkAwait(c, check)
	check.If(c.TokenFile != "" && !filepath.IsAbs(c.TokenFile) && !strings.HasPrefix(c.TokenFile, "env:"), "token_file",
		"%q is no place of a token; write the path of a file, or \"env:NAME\"", c.TokenFile)
	h := c.HTTP
	h.setDefaults()
	for _, w := range slices.Concat(h.CleanWords, h.PendingWords) {
		check.If(slices.ContainsFunc(h.InfectedWords, func(o string) bool { return strings.EqualFold(o, w) }), "infected_words",
			"%q means something else as well; write it into one of the lists", w)
	}
	for _, w := range h.CleanWords {
		check.If(slices.ContainsFunc(h.PendingWords, func(o string) bool { return strings.EqualFold(o, w) }), "pending_words",
			"%q means clean as well; write it into one of the lists", w)
	}
}

// checkAwait checks what becomes of kept mail whose verdict comes later.
func checkAwait(c Config, check *units.Check) {
	check.If(c.Await != 0 && (c.Await.Go() < time.Minute || c.Await.Go() > longestAwait), "await",
		"%v is no time to wait for a verdict; write \"1m\" to \"7d\", such as \"2h\"", c.Await)
	if c.OnInfected != "" {
		check.Word("on_infected", c.OnInfected, "keep", OnInfectedDelete)
	}
	for i, to := range c.Notify {
		check.If(!strings.Contains(to, "@") || strings.ContainsAny(to, "\r\n<> ,"), fmt.Sprintf("notify[%d]", i),
			"%q is no address; write one such as \"postmaster@example.com\"", to)
	}
	check.If(c.Poll == "" && (c.Await != 0 || c.OnInfected != "" || len(c.Notify) > 0), "await",
		"without poll no verdict comes later; set poll, or leave await, on_infected and notify out")
}

// OnInfectedDelete has kept mail deleted in which something is found later.
const OnInfectedDelete = "delete"

// checkPlace returns an error for a place that is not asked: mail goes over the network encrypted.
func checkPlace(place string) error {
	u, err := url.Parse(place)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%q is no address; write \"https://sandbox.example.com/submit\"", place)
	}
	a, err := netip.ParseAddr(u.Hostname())
	if u.Scheme == "http" && u.Hostname() != "localhost" && (err != nil || !a.IsLoopback()) {
		return fmt.Errorf("%q would send mail over the network without encryption; write https", place)
	}
	return nil
}
