package history

import "time"

// Hour is how often a value turned up in an hour.
type Hour struct {
	Begin time.Time `json:"begin"`
	Value string    `json:"value"`
	N     int64     `json:"n"`
}
