package rate

import "time"

// Row is what a store remembers of one key: when its bucket will be full again.
type Row struct {
	Key  Key
	Full time.Time
}
