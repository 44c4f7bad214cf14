package policy

// RecordContents is what a message held, as far as it is recorded: what becomes known of a file or a
// host later is looked for in it. A list that is nil was not recorded; one that is empty had nothing.
type RecordContents struct {
	Parts     []RecordPart `json:"parts"`
	MoreParts int          `json:"parts_more,omitempty"` // that are not listed
	Hosts     []string     `json:"hosts"`                // that links lead to
	MoreHosts int          `json:"hosts_more,omitempty"`
	Unread    bool         `json:"unread,omitempty"` // something in the message could not be read, and may have held more
}

// RecordPart is a file or text of a message, or a member of an archive.
type RecordPart struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Name   string `json:"name,omitempty"` // of the file, as a client would show it
}
