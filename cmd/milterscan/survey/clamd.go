package survey

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/units"
)

// Clamd is a clamd as its configuration describes it.
type Clamd struct {
	File    string     // clamd.conf
	Address string     // "unix:/run/clamav/clamd.ctl", "tcp:127.0.0.1:3310"; "" if it listens nowhere
	Least   units.Size // the least of its limits for one content
	Admits  bool       // it says so if it has not looked at everything
	Version string
	Err     error // why it does not answer, or its file cannot be read
}

// clamdLimits are the settings that bound what clamd looks at in one content.
var clamdLimits = []string{"StreamMaxLength", "MaxFileSize", "MaxScanSize"}

// leastDefault is the least that clamd looks at if clamd.conf does not say: older versions
// have 25 MB.
const leastDefault = 25 * units.MB

// clamd reads the first clamd.conf that is there, and asks the clamd it describes.
func (p Places) clamd(ctx context.Context) *Clamd {
	for _, file := range p.Clamd {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return &Clamd{File: file, Err: err}
		}
		c := readClamd(file, string(text))
		c.ask(ctx)
		return c
	}
	return nil
}

// readClamd reads a clamd.conf: a name and a value on each line. Of several lines of a name
// the first counts.
func readClamd(file, text string) *Clamd {
	set := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, there := set[name]; !there && !strings.HasPrefix(name, "#") {
			set[name] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	c := &Clamd{File: file, Address: clamdAddress(set), Admits: yes(set["AlertExceedsMax"])}
	for _, name := range clamdLimits {
		size, ok := clamdSize(set[name])
		if !ok {
			size = leastDefault
		}
		if size > 0 && (c.Least == 0 || size < c.Least) {
			c.Least = size
		}
	}
	return c
}

// clamdAddress returns where clamd listens: the socket in the file system first.
func clamdAddress(set map[string]string) string {
	if path := set["LocalSocket"]; path != "" {
		if rest, ok := strings.CutPrefix(path, "/var/run/"); ok {
			path = "/run/" + rest
		}
		return "unix:" + path
	}
	port := set["TCPSocket"]
	if port == "" {
		return ""
	}
	host := set["TCPAddr"]
	switch host {
	case "", "0.0.0.0", "localhost":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return "tcp:" + net.JoinHostPort(host, port)
}

func yes(value string) bool {
	switch strings.ToLower(value) {
	case "yes", "true", "1":
		return true
	}
	return false
}

// clamdSize reads "25M"; 0 is no limit.
func clamdSize(value string) (units.Size, bool) {
	unit := units.Size(1)
	if value != "" {
		switch value[len(value)-1] {
		case 'K', 'k':
			unit = units.KB
		case 'M', 'm':
			unit = units.MB
		case 'G', 'g':
			unit = units.GB
		}
		if unit > 1 {
			value = value[:len(value)-1]
		}
	}
	n, err := strconv.ParseInt(value, 10, 32)
	return units.Size(n) * unit, err == nil && n >= 0
}

// ask asks clamd for its version.
func (c *Clamd) ask(ctx context.Context) {
	if c.Address == "" {
		c.Err = errors.New("it names neither LocalSocket nor TCPSocket")
		return
	}
	one := virus.Config{Name: "clamd", Type: virus.TypeClamd, Address: []string{c.Address}}
	one.SetDefaults()
	e, err := virus.Open(one)
	if err != nil {
		c.Err = err
		return
	}
	all, err := e.Health(ctx)
	if c.Err = err; err == nil && len(all) > 0 {
		c.Version = strings.TrimSpace(all[0].Version)
	}
}

// At returns a clamd of which only the address is known.
func At(ctx context.Context, address string) *Clamd {
	c := &Clamd{Address: address, Least: leastDefault, Admits: true}
	c.ask(ctx)
	return c
}
