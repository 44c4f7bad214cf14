package attachment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [attachment] of the configuration.
//
// A pattern is an extension ("exe", ".tar.gz"), a name ("setup.exe") or a glob
// on it ("invoice*.zip"), a regular expression on it between slashes
// ("/^scan_[0-9]+\.zip$/"), or one of the last two after "path:" for the names
// from the outermost attachment inwards, with slashes between
// ("path:*.eml/**/*.exe"). Upper and lower case are the same. In a glob "*" is
// anything within a name, "**" anything at all, "?" one character.
type Config struct {
	// The names that are refused as attachments. All names a client might show
	// are looked at, as Windows would read them.
	Deny []Pattern `toml:"deny"`
	// Names that people no longer send on purpose, refused as attachments under a
	// separate rule.
	DenyOld []Pattern `toml:"deny_old"`
	// The names that are refused inside archives, with members = "own".
	DenyMembers []Pattern `toml:"deny_members"`
	// Names of office documents that may hold macros.
	Macro []Pattern `toml:"macro"`
	// Exceptions from all of these; the content is judged all the same.
	Allow []Pattern `toml:"allow"`
	// Files with further patterns to refuse, one a line; "#" begins a comment.
	// They are read again with every reload.
	DenyFiles []string `toml:"deny_files"`
	// Files refused by their content: "program", "script", "shortcut",
	// "disk-image", "denied-type".
	DenyContents []Kind `toml:"deny_contents"`
	// The SHA-256 of files that are let through, in hexadecimal.
	AllowHashes []Hash `toml:"allow_hashes"`
	// How members of archives are judged: "own" by deny_members, "same" by the
	// lists for attachments, "ignore" not at all.
	Members Members `toml:"members"`
	// The longest name in characters.
	LongestName int `toml:"longest_name"`
	// The most attachments of one message; 0 for any number.
	MaxCount int `toml:"max_count"`
	// The largest attachment; "0B" for any size.
	MaxSize units.Size `toml:"max_size"`
}

// DefaultConfig returns the shipped configuration.
func DefaultConfig() Config {
	return Config{
		Deny:         patterns(deniedList()),
		DenyOld:      patterns(oldNoise),
		DenyMembers:  patterns(deniedMembers),
		Macro:        patterns(macroCapable),
		DenyContents: []Kind{Program, Script, Shortcut, DiskImage, DeniedType},
		Members:      MembersOwn,
		LongestName:  255,
		MaxCount:     200,
	}
}

// Check finds what contradicts itself.
func (c Config) Check() error {
	var check units.Check
	check.AtLeast("longest_name", c.LongestName, 1)
	check.If(c.MaxCount < 0, "max_count", "it cannot be negative; write 0 for any number")
	check.If(c.MaxSize < 0, "max_size", "it cannot be negative; write \"0B\" for any size")
	return check.Err()
}

// Members says how members of archives are judged.
type Members string

// The ways to judge members.
const (
	MembersOwn    Members = "own"
	MembersSame   Members = "same"
	MembersIgnore Members = "ignore"
)

// UnmarshalText reads "own", "same" or "ignore".
func (m *Members) UnmarshalText(text []byte) error {
	return units.ReadWord(m, text, MembersOwn, MembersSame, MembersIgnore)
}

// Kind is what content is, where that matters more than its name.
type Kind string

// The kinds of content.
const (
	Harmless   Kind = ""
	Program    Kind = "program"
	Script     Kind = "script"
	Shortcut   Kind = "shortcut"
	DiskImage  Kind = "disk-image"
	DeniedType Kind = "denied-type"
)

// UnmarshalText reads the word of a kind.
func (k *Kind) UnmarshalText(text []byte) error {
	return units.ReadWord(k, text, Program, Script, Shortcut, DiskImage, DeniedType)
}

// Hash is a SHA-256.
type Hash [sha256.Size]byte

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(b) != len(h) {
		return fmt.Errorf("%q is no SHA-256; write its 64 hexadecimal digits", text)
	}
	copy(h[:], b)
	return nil
}

// MarshalText writes the digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// String returns the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }
