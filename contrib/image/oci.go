package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// The types of the OCI image specification 1.1, as far as one image of one layer needs them.
const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// configuration says how the image is run.
type configuration struct {
	Created      time.Time `json:"created"`
	Architecture string    `json:"architecture"`
	OS           string    `json:"os"`
	Config       run       `json:"config"`
	RootFS       rootFS    `json:"rootfs"`
	History      []step    `json:"history"`
}

type run struct {
	User         string              `json:"User"`
	ExposedPorts map[string]struct{} `json:"ExposedPorts"`
	Env          []string            `json:"Env"`
	Entrypoint   []string            `json:"Entrypoint"`
	Cmd          []string            `json:"Cmd"`
	Volumes      map[string]struct{} `json:"Volumes"`
	WorkingDir   string              `json:"WorkingDir"`
	Labels       map[string]string   `json:"Labels"`
	StopSignal   string              `json:"StopSignal"`
	Healthcheck  healthcheck         `json:"Healthcheck"` // Docker's; OCI has no word for it, and lets it pass
}

// healthcheck says how Docker asks whether the container is well; durations are nanoseconds.
type healthcheck struct {
	Test        []string      `json:"Test"`
	Interval    time.Duration `json:"Interval"`
	Timeout     time.Duration `json:"Timeout"`
	StartPeriod time.Duration `json:"StartPeriod"`
	Retries     int           `json:"Retries"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

type step struct {
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

// describe says how a layer is run on a machine.
func describe(l layer, machine, version string, when time.Time) configuration {
	const program, state = "/usr/bin/milterscan", "/var/lib/milterscan"
	return configuration{
		Created: when, Architecture: machine, OS: "linux",
		Config: run{
			User:         fmt.Sprintf("%d:%[1]d", nonroot),
			ExposedPorts: map[string]struct{}{"8891/tcp": {}},
			Env:          []string{"PATH=/usr/bin", "HOME=" + state, "ZONEINFO=/usr/share/zoneinfo.zip", "GOMEMLIMIT=640MiB"},
			Entrypoint:   []string{program},
			Cmd:          []string{"serve", "-c", "/etc/milterscan/milterscan.toml"},
			Volumes:      map[string]struct{}{state: {}, "/run/milterscan": {}},
			WorkingDir:   "/",
			Labels: map[string]string{
				"org.opencontainers.image.title":    "milterscan",
				"org.opencontainers.image.version":  version,
				"org.opencontainers.image.licenses": "Apache-2.0",
				"org.opencontainers.image.source":   "https://github.com/milterscan/milterscan",
			},
			StopSignal: "SIGTERM",
			Healthcheck: healthcheck{Test: []string{"CMD", program, "doctor", "--quick"}, Interval: 30 * time.Second, Timeout: 15 * time.Second,
				StartPeriod: 10 * time.Second, Retries: 3},
		},
		RootFS:  rootFS{"layers", []string{l.plain}},
		History: []step{{when, "contrib/image"}},
	}
}

// archive writes the files of an image, each once, and remembers the first error.
type archive struct {
	w    *tar.Writer
	when time.Time
	err  error
}

// add writes a file.
func (a *archive) add(name string, text []byte) {
	if a.err == nil {
		a.err = put(a.w, file{name: name, mode: 0o644, text: text}, a.when)
	}
}

// marshal returns a value as JSON.
func (a *archive) marshal(value any) []byte {
	text, err := json.Marshal(value)
	if a.err == nil {
		a.err = err
	}
	return text
}

// blob writes bytes under the name of their sum.
func (a *archive) blob(kind string, text []byte) descriptor {
	sum := fmt.Sprintf("%x", sha256.Sum256(text))
	a.add("blobs/sha256/"+sum, text)
	return descriptor{MediaType: kind, Digest: "sha256:" + sum, Size: len(text)}
}

// writeImage writes an image as a layout of OCI in one file, and as older versions of
// Docker read it.
func writeImage(out io.Writer, c configuration, l layer, version string, when time.Time) error {
	a := &archive{w: tar.NewWriter(out), when: when}
	a.add("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	layer := a.blob(typeLayer, l.packed)
	config := a.blob(typeConfig, a.marshal(c))
	top := a.blob(typeManifest, a.marshal(manifest{2, typeManifest, config, []descriptor{layer}}))
	tag := imageTag(version)
	top.Annotations = map[string]string{"org.opencontainers.image.ref.name": tag,
		"io.containerd.image.name": "docker.io/library/milterscan:" + tag}
	a.add("index.json", a.marshal(index{2, typeIndex, []descriptor{top}}))
	path := func(d descriptor) string { return "blobs/sha256/" + d.Digest[len("sha256:"):] }
	a.add("manifest.json", a.marshal([]map[string]any{{"Config": path(config),
		"RepoTags": []string{"milterscan:" + tag}, "Layers": []string{path(layer)}}}))
	if a.err != nil {
		return a.err
	}
	return a.w.Close()
}

// imageTag writes a version as a tag of an image, which may have no "~" and no "+".
func imageTag(version string) string {
	tag := []byte(version)
	for i, c := range tag {
		if c == '~' || c == '+' {
			tag[i] = '-'
		}
	}
	return string(tag)
}
