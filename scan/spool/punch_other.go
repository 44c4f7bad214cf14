//go:build !linux

package spool

import "os"

func punch(*os.File, int64, int64) bool { return false }

func forget([]byte) {}
