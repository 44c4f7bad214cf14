//go:build !linux

package main

// unhurried does nothing: only Linux has a timer slack.
func unhurried() {}
