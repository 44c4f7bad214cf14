// Command sbom prints what a compiled program consists of, as CycloneDX 1.6 in JSON:
//
//	go run ./contrib/package/sbom bin/milterscan VERSION docs/licenses.md
//
// The modules and their sums are those the linker has written into the program, so the
// list has modules that are in it, not all that might be. Licenses are those of the page. The same
// program gives the same list, byte for byte; its time is SOURCE_DATE_EPOCH.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom PROGRAM VERSION LICENSES.md")
		os.Exit(64)
	}
	text, err := list(os.Args[1], os.Args[2], os.Args[3], os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
	os.Stdout.Write(text)
}

// list reads a program and the page with the licenses, and returns the list of its parts.
func list(program, version, page, epoch string) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("%s: %v", program, err)
	}
	known, err := licenses(page)
	if err != nil {
		return nil, err
	}
	b, err := bill(info, version, known)
	if err != nil {
		return nil, fmt.Errorf("%s: %v", program, err)
	}
	if epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("SOURCE_DATE_EPOCH: %v", err)
		}
		b.Metadata.Timestamp = time.Unix(seconds, 0).UTC().Format(time.RFC3339)
	}
	unnamed, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	b.SerialNumber = serial(unnamed)
	text, err := json.MarshalIndent(b, "", "  ")
	return append(text, '\n'), err
}

// row is a module and its license in docs/licenses.md.
var row = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|")

// licenses reads the page: the license of each module, as an expression of SPDX.
func licenses(page string) (map[string]string, error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		known[m[1]] = strings.TrimSpace(m[2])
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("%s lists no module", page)
	}
	return known, nil
}

// bill makes the list of a program's parts.
func bill(info *debug.BuildInfo, version string, known map[string]string) (*document, error) {
	main := component{Type: "application", Name: "milterscan", Version: version, PURL: "pkg:golang/" + info.Main.Path + "@" + version,
		Licenses: []license{{"Apache-2.0"}}}
	main.Ref = main.PURL
	library := component{Type: "library", Name: "std", Version: strings.TrimPrefix(info.GoVersion, "go"),
		Licenses: []license{{"BSD-3-Clause"}}}
	library.PURL = "pkg:golang/std@" + library.Version
	library.Ref = library.PURL
	b := &document{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{Component: main}, Components: []component{library}}
	for _, m := range info.Deps {
		c, err := part(m, known)
		if err != nil {
			return nil, err
		}
		b.Components = append(b.Components, c)
	}
	all := dependency{Ref: main.Ref}
	for _, c := range b.Components {
		all.DependsOn = append(all.DependsOn, c.Ref)
	}
	b.Dependencies = []dependency{all}
	return b, nil
}

// part describes a module that was linked.
func part(m *debug.Module, known map[string]string) (component, error) {
	if m.Replace != nil {
		m = m.Replace
	}
	c := component{Type: "library", Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + m.Version}
	c.Ref = c.PURL
	name, listed := known[m.Path]
	if !listed {
		return c, fmt.Errorf("%s is linked, and its license is not listed", m.Path)
	}
	c.Licenses = []license{{name}}
	sum, isSum := strings.CutPrefix(m.Sum, "h1:")
	if digest, err := base64.StdEncoding.DecodeString(sum); isSum && err == nil {
		c.Hashes = []hash{{"SHA-256", hex.EncodeToString(digest)}}
		return c, nil
	}
	return c, fmt.Errorf("%s %s has no sum", m.Path, m.Version)
}

// serial names a document by its content, in the form of a UUID (RFC 9562, version 8).
func serial(text []byte) string {
	sum := sha256.Sum256(text)
	id := sum[:16]
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
