package config

import _ "embed"

// example.toml is made of the structs, their comments and their defaults by a
// test, which fails when it no longer fits them.
//
//go:embed example.toml
var example string

// Example returns a file with every setting there is: each commented out, with
// its default and its explanation.
func Example() string { return example }
