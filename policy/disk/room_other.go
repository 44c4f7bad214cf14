//go:build !linux

package disk

import "errors"

// Room cannot be told on this system.
func Room(string) (free, size int64, err error) { return 0, 0, errors.ErrUnsupported }
