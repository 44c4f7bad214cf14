package main

// document is as much of CycloneDX 1.6 (ECMA-424) as a list of modules needs.
type document struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	SerialNumber string       `json:"serialNumber,omitempty"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp,omitempty"`
	Component component `json:"component"`
}

type component struct {
	Type     string    `json:"type"` // application, library
	Ref      string    `json:"bom-ref"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Hashes   []hash    `json:"hashes,omitempty"`
	Licenses []license `json:"licenses"`
	PURL     string    `json:"purl"`
}

// hash is the sum of a module as Go's checksum database has it: of its list of files.
type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// license is an expression of SPDX.
type license struct {
	Expression string `json:"expression"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}
