package greylist

// Row is what a store remembers of one key.
type Row struct {
	Key Key
	Entry
}
