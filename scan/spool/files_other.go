//go:build !unix

package spool

func mostFiles() int64 { return 64 }
