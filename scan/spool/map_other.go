//go:build !unix

package spool

func mapped(int) ([]byte, bool) { return nil, false }

func unmap([]byte) {}
